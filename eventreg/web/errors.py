"""Every error is a page that says what happened and what to do; for programs, a problem document (RFC 9457)."""

import logging
from collections.abc import Sequence

from flask import Flask, Response, current_app, jsonify, make_response, render_template, request
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError, validate_csrf
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from werkzeug.exceptions import HTTPException, InternalServerError, ServiceUnavailable
from werkzeug.wrappers import Response as BaseResponse
from wtforms import ValidationError

from eventreg.db import AWAY, db, let_go
from eventreg.errors import EventRegError, NotFound
from eventreg.web.access import me
from eventreg.web.security import RETURNS_FORM

log = logging.getLogger(__name__)

BAD_REQUEST = 400
UNAUTHORIZED = 401
NOT_FOUND = 404
CONFLICT = 409
NOT_KEPT = frozenset({"csrf_token", "action"})
OWN_LINKS = ("/r/", "/undo/", "/confirm/")
"""Addresses that only a link in somebody's mail leads to."""
COME_BACK_SECONDS = 10
"""What Retry-After names while the database is away."""


def init_app(app: Flask) -> None:
    """Registers the pages."""
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(NotFound, _not_found)
    app.register_error_handler(EventRegError, _refused)
    for away in AWAY:
        app.register_error_handler(away, _away)
    app.register_error_handler(IntegrityError, _collision)


def _http(error: HTTPException) -> BaseResponse:
    if error.response is not None:
        return error.get_response()
    if _is_signed_out(error):
        return _signed_out()
    title, message = _words(error)
    response = _answer(error.code or 500, title, message)
    for name, value in error.get_headers():
        if name not in {"Content-Type", "Content-Length"}:
            response.headers[name] = value
    return response


def _is_signed_out(error: HTTPException) -> bool:
    """A form of the desk, sent by somebody whose sign-in has ended."""
    is_refused = error.code == UNAUTHORIZED or isinstance(error, CSRFError)
    is_desk = request.method == "POST" and request.blueprint == "organizer"
    return is_desk and is_refused and not me().is_authenticated


def _signed_out() -> Response:
    """Keeps what was typed through sign-in: in the page, which sends it back to the form and never saves it by itself.

    The page holds no CSRF token, so that the form comes back filled in and is looked over before it is sent.
    """
    title = _("You were signed out")
    if request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json":
        return _answer(UNAUTHORIZED, title, _("Nothing is saved. Sign in and send it again."))
    is_form = getattr(current_app.view_functions.get(request.endpoint or ""), RETURNS_FORM, False)
    kept = [pair for pair in request.form.items(multi=True) if pair[0] not in NOT_KEPT] if is_form else []
    page = render_template(
        "errors/signed_out.html",
        title=title,
        kept=kept,
        has_file=any(file.filename for file in request.files.values()),
        kept_action=request.path,
        next_page="/organize/signed-in" if kept else None,
    )
    response = make_response(page, UNAUTHORIZED if _has_token() else BAD_REQUEST)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _has_token() -> bool:
    try:
        validate_csrf(request.form.get("csrf_token"))
    except ValidationError:
        return False
    return True


def _not_found(error: NotFound) -> Response:
    return _answer(404, _("There is nothing at this address"), str(error))


def _refused(error: EventRegError) -> Response:
    return _answer(CONFLICT, _("That could not be done"), str(error))


def _away(error: SQLAlchemyError) -> BaseResponse:
    """The database is away, locked or full: nothing is half-written, and the next try may work.

    A connection lost at the commit leaves open whether it took place, so a page for a form never says that it did not.
    """
    log.error("database: %s", getattr(error, "orig", error))
    let_go(db.session())
    title, message = _words(ServiceUnavailable())
    kept = _typed()
    if kept and request.blueprint == "attendee":
        message = _(
            "Your answer may not have been saved. What you typed is kept on this page: wait a moment, then send it "
            "again. Sending it twice does no harm."
        )
    elif request.method == "POST":
        message = _("What you did may not have been saved. Wait a moment and look before you do it again.")
        if kept:
            message += " " + _("What you typed is kept on this page.")
    response = _answer(ServiceUnavailable.code, title, message, kept=kept)
    response.headers["Retry-After"] = str(COME_BACK_SECONDS)
    response.headers["Cache-Control"] = "no-store"
    return response


def _typed() -> list[tuple[str, str]]:
    """What a form held, to be sent once more from the page that says it was not taken; never a password or a file."""
    if request.method != "POST" or request.blueprint not in {"attendee", "organizer"} or request.files:
        return []
    typed = list(request.form.items(multi=True))
    return [] if any("password" in name for name, _value in typed) else typed


def _collision(error: IntegrityError) -> Response:
    """Two people wrote the same at the same moment, and the database let one of them."""
    log.error("database: %s", error.orig)
    let_go(db.session())
    message = _("Somebody else did the same at this very moment. Nothing of yours was saved; go back and look first.")
    return _answer(CONFLICT, _("That could not be done"), message)


def _words(error: HTTPException) -> tuple[str, str]:
    """Title and message for a status; never the words of a library."""
    if special := _special_words(error):
        return special
    table = {
        400: (_("That request was not understood"), _("Go back and try again; nothing has been changed.")),
        401: (_("Please sign in"), _("This page is for the people who run events here.")),
        403: (_("This page is not for you"), _("Your account does not include what you asked for.")),
        404: (
            _("There is nothing at this address"),
            _("The link may be mistyped, or what it led to is no longer shown. All upcoming events are on the list."),
        ),
        405: (_("This address does not work that way"), _("Open it from the page that led you here.")),
        413: (
            _("That was too much at once"),
            _("What you sent is larger than this site takes. Shorten it and send it again."),
        ),
        429: (
            _("That was a lot of tries"),
            _("To keep robots out, this site waits a while now. Please try again in a few minutes."),
        ),
        503: (
            _("This site is not ready just now"),
            _("Nothing was saved. Please try again in a minute."),
        ),
    }
    if error.code in table:
        return table[error.code]
    if error.code is not None and error.code < InternalServerError.code:
        return table[400]
    return (
        _("Something went wrong on our side"),
        _("It has been noted, and nothing was saved by halves. Please try again; if it happens again, write to us."),
    )


def _special_words(error: HTTPException) -> tuple[str, str] | None:
    """Where more is known of the reason than its status."""
    if isinstance(error, CSRFError):
        return (
            _("This form could not be checked"),
            _(
                "It was open for very long, or your browser keeps no cookies for this site. "
                "Go back, reload the page and send it again; nothing has been changed."
            ),
        )
    if error.code == NOT_FOUND and _is_own_link():
        return (
            _("This link does not work"),
            _(
                "Your mail program may have cut it short, or a newer mail brought one that took its place. "
                "We can mail you the one that works."
            ),
        )
    return None


def _answer(code: int, title: str, message: str, *, kept: Sequence[tuple[str, str]] = ()) -> Response:
    if request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json":
        response = jsonify(type="about:blank", status=code, title=title, detail=message)
        response.mimetype = "application/problem+json"
    else:
        action_url, action_label = _way_on(code)
        response = make_response(
            render_template(
                "errors/error.html",
                title=title,
                message=message,
                kept=kept,
                kept_action=request.full_path.rstrip("?"),
                action_url=action_url,
                action_label=action_label,
            )
        )
    response.status_code = code
    return response


def _way_on(code: int) -> tuple[str, str]:
    """Where the page's button leads, and what it says."""
    if request.path.startswith("/organize"):
        return "/organize/", _("To your events")
    if code == NOT_FOUND and _is_own_link():
        return "/lost-link", _("Get your link again")
    return "/events/", _("To all events")


def _is_own_link() -> bool:
    return request.path.startswith(OWN_LINKS)
