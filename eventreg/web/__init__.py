"""The pages, by audience. Views parse, call one service, say what happened. No rules here."""

from urllib.parse import urlsplit

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from eventreg.web import (
    api,
    attendee,
    auth,
    compression,
    display,
    errors,
    i18n,
    limits,
    organizer,
    page_cache,
    public,
    security,
    static_files,
    tokens,
)
from eventreg.web.attendee import context
from eventreg.web.prefix import Prefix


def init_app(app: Flask) -> None:
    """Registers every page and what all pages share. Sign-in comes after CSRF protection and the limits it uses."""
    for part in (page_cache, i18n, limits, tokens, security, errors, static_files, compression, display, auth, context):
        part.init_app(app)
    for package in (public, attendee, organizer, auth, api):
        app.register_blueprint(package.blueprint)
    app.wsgi_app = Prefix(app.wsgi_app, urlsplit(app.config["BASE_URL"]).path)  # type: ignore[method-assign]
    if proxies := app.config["TRUSTED_PROXIES"]:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies)  # type: ignore[method-assign]
