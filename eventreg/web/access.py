"""Who may open a page of the desk: one decorator on each view, and a mark that a test looks for.

`tests/architecture/test_access_rules.py` walks the URL map and fails any /organize/ or /api/ address whose
view carries no rule.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from flask import abort, current_app, request
from flask_babel import gettext as _
from flask_security import current_user

from eventreg.db import db
from eventreg.errors import NotFound
from eventreg.events import queries
from eventreg.events.models import Event
from eventreg.organizers import access
from eventreg.organizers.models import Organizer

Params = ParamSpec("Params")
Result = TypeVar("Result")

RULE = "access_rule"
"""The attribute that names a view's rule."""


def rule_of(view: Callable[..., Any]) -> str | None:
    """The name of the rule a view carries, None when it carries none."""
    name: str | None = getattr(view, RULE, None)
    return name


def _marked(view: Callable[..., Any], rule: str) -> Callable[..., Any]:
    setattr(view, RULE, rule)
    return view


def me() -> Organizer:
    """Whoever is signed in; ask only behind one of the rules below."""
    return cast(Organizer, current_user._get_current_object())  # noqa: SLF001 - werkzeug's public way to unwrap


def take_large_body(most: int) -> None:
    """Before anything reads the form: lets those who are signed in send so many bytes. Others sign in first, unread."""
    if me().is_authenticated:
        request.max_content_length = most
    elif (request.content_length or 0) > current_app.config["MAX_CONTENT_LENGTH"]:
        abort(_to_sign_in())


def signed_in(view: Callable[Params, Result]) -> Callable[Params, Any]:
    """Anybody with an account; others are asked to sign in and then brought back."""

    @wraps(view)
    def guarded(*args: Params.args, **kwargs: Params.kwargs) -> Any:
        return _sign_in_first() or view(*args, **kwargs)

    return _marked(guarded, "signed in")


def organizers_only(view: Callable[Params, Result]) -> Callable[Params, Any]:
    """Accounts that run events; a door helper is refused."""

    @wraps(view)
    def guarded(*args: Params.args, **kwargs: Params.kwargs) -> Any:
        stop = _sign_in_first()
        if stop is not None:
            return stop
        if not access.can_organize(me()):
            abort(403)
        return view(*args, **kwargs)

    return _marked(guarded, "organizers")


def event_editor(view: Callable[Concatenate[Event, Params], Result]) -> Callable[Concatenate[str, Params], Any]:
    """Whoever may change the event named by `slug` in the address; the view gets the event in its place.

    An event of somebody else is as unknown as one that never was. A door helper, who may know that events
    exist, is refused.
    """

    @wraps(view)
    def guarded(slug: str, *args: Params.args, **kwargs: Params.kwargs) -> Any:
        stop = _sign_in_first()
        if stop is not None:
            return stop
        event = _event_in_view(slug)
        if not access.can_edit(me(), event):
            abort(403)
        return view(event, *args, **kwargs)

    return _marked(guarded, "event editor")


def event_door(view: Callable[Concatenate[Event, Params], Result]) -> Callable[Concatenate[str, Params], Any]:
    """Like `event_editor`, and open to door helpers: the view shows names and party sizes, no more."""

    @wraps(view)
    def guarded(slug: str, *args: Params.args, **kwargs: Params.kwargs) -> Any:
        stop = _sign_in_first()
        if stop is not None:
            return stop
        return view(_event_in_view(slug), *args, **kwargs)

    return _marked(guarded, "event door")


def _sign_in_first() -> Any:
    """None for somebody with an account, otherwise the way to the sign-in page and back.

    A form that was sent is not thrown away: `web.errors` answers 401 with a page that keeps what was typed.
    """
    if me().is_authenticated:
        return None
    if request.method == "POST":
        abort(401)
    return _to_sign_in()


def _to_sign_in() -> Any:
    return current_app.extensions["security"]._unauthn_handler()  # noqa: SLF001 - there is no public name for it


def _event_in_view(slug: str) -> Event:
    event = queries.by_slug(db.session(), slug)
    if event is None or not access.can_view(me(), event):
        raise NotFound(_("There is no such event at your desk."))
    return event
