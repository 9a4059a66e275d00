"""Decides whether a mail may still leave, and has it written."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import Flask
from flask_babel import get_translations
from flask_babel import gettext as _
from jinja2 import Environment, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from eventreg.calendar.stencil import Stencils
from eventreg.errors import EventRegError
from eventreg.events import reminders as event_reminders
from eventreg.events.models import Event
from eventreg.mail import compose, contents
from eventreg.mail.compose import Subject
from eventreg.mail.contents import Site
from eventreg.mail.material import Material
from eventreg.mail.mime import Letter
from eventreg.outbox.models import Message
from eventreg.registrations import confirming, reminders
from eventreg.registrations.models import Registration

PLAIN = frozenset({"auth", "test"})


class PointlessError(EventRegError):
    """The mail must not leave any more; the message says why."""


def site_of(app: Flask) -> Site:
    """The settings that mails need."""
    config = app.config
    return Site(
        name=config["SITE_NAME"],
        sender=config["MAIL_DEFAULT_SENDER"],
        contact=config["CONTACT_EMAIL"],
        reply_address=config["REPLY_ADDRESS"],
        links=app.extensions["eventreg.links"],
    )


def templates_of(app: Flask) -> Environment:
    """The app's templates, where a name that no one has set is an error and not a gap in somebody's mail."""
    made: Environment | None = app.extensions.get("eventreg.mail.templates")
    if made is None:
        made = app.jinja_env.overlay(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
        made.globals = made.globals | _in_the_sites_language(get_translations())
        app.extensions["eventreg.mail.templates"] = made
    return made


def _in_the_sites_language(translations: Any) -> dict[str, Any]:
    """Words for mail templates. The pages' own ask anew, at every word, for the language of who reads."""

    def shown(context: Context, words: str, variables: dict[str, Any]) -> str:
        return (Markup(words) if context.eval_ctx.autoescape else words) % variables  # noqa: S704 - from our own catalogue

    @pass_context
    def gettext(context: Context, words: str, **variables: Any) -> str:
        return shown(context, translations.ugettext(words), variables)

    @pass_context
    def ngettext(context: Context, one: str, many: str, num: int, **variables: Any) -> str:
        return shown(context, translations.ungettext(one, many, num), {"num": num} | variables)

    return {"_": gettext, "gettext": gettext, "ngettext": ngettext}


def stencils_of(app: Flask) -> Stencils:
    """The invitations this process has made lately."""
    made: Stencils = app.extensions.setdefault("eventreg.mail.stencils", Stencils())
    return made


def write(message: Message, material: Material, app: Flask, *, now: datetime) -> Letter:
    """The mail of that row. Raises: PointlessError; anything else means that it cannot be written."""
    options: dict[str, Any] = {"site": site_of(app), "templates": templates_of(app)}
    if message.kind in PLAIN:
        return compose.plain(message, **options)
    if message.kind == "forwarded":
        return compose.forwarded(message, **options)
    if message.kind == "link":
        own = material.links_of(message)
        if not own:
            raise PointlessError(_("The address was corrected before this mail left."))
        return compose.about_links(message, own, **options)
    if message.kind == confirming.KIND:
        event = material.events.get(message.event_id or 0)
        if event is None or not confirming.is_open(message, event, now):
            raise PointlessError(_("There was nothing left to confirm when this mail could leave."))
        return compose.about_address(message, event, **options)
    return compose.about_registration(message, _subject(message, material, now), stencils=stencils_of(app), **options)


def _subject(message: Message, material: Material, now: datetime) -> Subject:
    found = material.about.get(message.registration_id or 0)
    if found is None:
        raise PointlessError(_("The registration is gone."))
    event, registration = found
    if registration.email_key != message.recipient.lower():
        # Its links would open the registration to whoever has the old address.
        raise PointlessError(_("The address was corrected before this mail left."))
    if registration.id in material.came_back:
        # It would arrive after the new registration's mail, and its CANCEL would take the new entry out.
        raise PointlessError(_("They have registered again before this mail left."))
    if event.status == "cancelled" and message.kind not in {"event_cancelled", "withdrawn"}:
        raise PointlessError(_("The event was cancelled before this mail left."))
    if message.kind == reminders.KIND:
        _refuse_late_reminder(message, registration, event, now)
    return Subject(
        event=event,
        registration=registration,
        answers=material.answers(registration),
        is_in_calendar=_is_in_calendar(message, material.sent_before(message)),
    )


def _refuse_late_reminder(message: Message, registration: Registration, event: Event, now: datetime) -> None:
    """Raises: PointlessError for a reminder that would be untrue by now, or come too late to be of use."""
    payload = message.payload
    if (registration.status, registration.rsvp) != (payload["status"], payload["rsvp"]):
        raise PointlessError(_("The answer was changed or withdrawn before this reminder left."))
    if event.starts_at != datetime.fromisoformat(payload["starts_at"]):
        raise PointlessError(_("The event was moved before this reminder left."))
    if event_reminders.is_missed(event, due_at=message.created_at, now=now):
        raise PointlessError(_("This reminder could not leave in time."))


def _is_in_calendar(message: Message, sent: Sequence[Any]) -> bool:
    """Whether the last of the mails that say where the person stands left an entry in their calendar.

    A mail sent again carries again what it carried, so those that say the same as it do not count.
    """
    standing = [earlier for earlier in sent if "rsvp" in earlier.payload and earlier.kind not in contents.WITHOUT_ENTRY]
    if message.payload.get("again"):
        while standing and _says_the_same(standing[-1], message):
            standing.pop()
    return bool(standing) and compose.holds_entry(standing[-1])


def _says_the_same(earlier: Any, message: Message) -> bool:
    named = ("rsvp", "status")
    if earlier.payload.get(compose.DECLINED_THERE):
        return False
    same = [earlier.payload.get(name) for name in named] == [message.payload.get(name) for name in named]
    return same and not compose.holds_entry(earlier)
