"""Flask-Babel: which language a page is in. English alone today; a folder in `translations/` adds another."""

from pathlib import Path

from flask import Flask, Response, current_app, has_request_context, request
from flask_babel import Babel

TRANSLATIONS = Path(__file__).resolve().parents[2] / "translations"
DEFAULT = "en"


def init_app(app: Flask) -> None:
    """Registers Flask-Babel with the languages found in `translations/`."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(TRANSLATIONS)
    app.config["EVENTREG_LOCALES"] = _found()
    Babel(app, default_locale=DEFAULT, locale_selector=_selected)
    app.after_request(_say_that_language_matters)


def _found() -> list[str]:
    compiled = TRANSLATIONS.glob("*/LC_MESSAGES/messages.mo")
    return [DEFAULT, *sorted({path.parts[-3] for path in compiled} - {DEFAULT})]


def _selected() -> str:
    """The visitor's best language of those we have; mail and commands speak the default."""
    if not has_request_context():
        return DEFAULT
    best: str | None = request.accept_languages.best_match(current_app.config["EVENTREG_LOCALES"], DEFAULT)
    return best or DEFAULT


def _say_that_language_matters(response: Response) -> Response:
    if len(current_app.config["EVENTREG_LOCALES"]) > 1 and response.mimetype == "text/html":
        response.vary.add("Accept-Language")
    return response
