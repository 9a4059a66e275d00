"""Flask-Babel: which language a page is in. English alone today; a folder in `translations/` adds another."""

from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, has_request_context, request
from flask_babel import Babel
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

TRANSLATIONS = Path(__file__).resolve().parents[2] / "translations"
DEFAULT = "en"


def init_app(app: Flask) -> None:
    """Registers Flask-Babel with the languages found in `translations/`."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(TRANSLATIONS)
    Babel(app, default_locale=DEFAULT, locale_selector=_selected)
    app.after_request(_say_that_language_matters)


@lru_cache(maxsize=1)
def languages() -> tuple[str, ...]:
    """The languages there are, the default first."""
    compiled = TRANSLATIONS.glob("*/LC_MESSAGES/messages.mo")
    return (DEFAULT, *sorted({path.parts[-3] for path in compiled} - {DEFAULT}))


def language(accepted: str) -> str:
    """Of the languages there are, the one that an Accept-Language header likes best."""
    return DEFAULT if len(languages()) == 1 else _best(accepted)


@lru_cache(maxsize=256)
def _best(accepted: str) -> str:
    return parse_accept_header(accepted, LanguageAccept).best_match(languages(), DEFAULT) or DEFAULT


def _selected() -> str:
    """The visitor's best language; mail and commands speak the default."""
    return language(request.headers.get("Accept-Language", "")) if has_request_context() else DEFAULT


def _say_that_language_matters(response: Response) -> Response:
    if len(languages()) > 1 and response.mimetype == "text/html":
        response.vary.add("Accept-Language")
    return response
