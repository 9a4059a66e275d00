"""The pages, by audience. Views parse, call one service, say what happened. No rules here."""

from urllib.parse import urlsplit

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from eventreg.web import compression, display, errors, i18n, limits, security, static_files
from eventreg.web.api import blueprint as api
from eventreg.web.attendee import blueprint as attendee
from eventreg.web.auth import blueprint as auth
from eventreg.web.organizer import blueprint as organizer
from eventreg.web.prefix import Prefix
from eventreg.web.public import blueprint as public


def init_app(app: Flask) -> None:
    """Registers every page and what all pages share."""
    for part in (i18n, limits, security, errors, static_files, compression, display):
        part.init_app(app)
    for blueprint in (public, attendee, organizer, auth, api):
        app.register_blueprint(blueprint)
    if prefix := urlsplit(app.config["BASE_URL"]).path:
        app.wsgi_app = Prefix(app.wsgi_app, prefix)  # type: ignore[method-assign]
    if proxies := app.config["TRUSTED_PROXIES"]:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies)  # type: ignore[method-assign]
