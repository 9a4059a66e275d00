"""What the desk says about statuses, answers, mail and history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext
from wtforms import SelectChoice

from eventreg.audit import AuditEntry
from eventreg.events import wording
from eventreg.events.models import Event
from eventreg.registrations import answered
from eventreg.registrations.queries import GROUPS
from eventreg.registrations.replies import BY_CALENDAR
from eventreg.registrations.wording import group_name


def status_of_event(event: Event, now: datetime) -> tuple[str, str]:
    """(badge colour, word) of an event."""
    if event.status == "cancelled":
        return "stop", _("Cancelled")
    if event.status == "draft":
        return "warn", _("Draft")
    if event.ends_at <= now:
        return "", _("Over")
    return "ok", _("Published")


def published(promoted: int) -> str:
    """What publishing did."""
    done = _("Published. People can open the event and answer.")
    return f"{done} {moved_up(promoted)}" if promoted else done


def moved_up(parties: int) -> str:
    """How many have left the waitlist for a place, or for the offer of one."""
    return ngettext(
        "%(num)s registration moved up from the waitlist.",
        "%(num)s registrations moved up from the waitlist.",
        parties,
    )


def groups() -> dict[str, str]:
    """The groups of the attendee list, in words."""
    return {name: group_name(name) for name in GROUPS}


def visibilities() -> dict[str, str]:
    """Who can find an event."""
    return {
        "public": _("Everybody: it is on the list and in the feeds"),
        "unlisted": _("Whoever has its address"),
        "private": _("Only organizers, and people already registered"),
    }


def waitlist_rules() -> dict[str, str]:
    """What happens to a party too large for the places that came free."""
    return {
        "skip": _("the next party that fits moves up"),
        "hold": _("the places are kept until the first party fits"),
    }


def choices(named: Mapping[str, str]) -> list[SelectChoice]:
    """The names as a field offers them."""
    return [SelectChoice(value, label) for value, label in named.items()]


def kinds_of_question() -> dict[str, str]:
    """How a question is answered."""
    return {
        "text": _("One line"),
        "paragraph": _("Several lines"),
        "choice": _("One of several choices"),
        "checkbox": _("A box to tick"),
    }


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One thing somebody did, in words."""

    id: int
    at: datetime
    who: str
    what: str
    details: Sequence[str]
    registration_id: int | None


def history(
    entries: Sequence[AuditEntry], event: Event, names: Mapping[int, str], labels: Mapping[int, str] | None = None
) -> list[HistoryLine]:
    """Audit entries as sentences; `names` maps registration ids to people, `labels` question ids to their words."""
    return [
        HistoryLine(
            entry.id,
            entry.at,
            _who(entry),
            _what(entry, names),
            changes_in_words(entry.changes, event, skip=_SAID.get(entry.action, frozenset()), labels=labels or {}),
            entry.registration_id,
        )
        for entry in entries
    ]


_SAID = {
    "event.published": frozenset({"status", "published_at"}),
    "event.cancelled": frozenset({"status", "cancelled_at"}),
    "event.unfollowed": frozenset({"status", "published_at"}),
    "event.followed": frozenset({"published_at", "source_id", "reminder_hours"}),
    "registration.cancelled": frozenset({"status"}),
    "registration.promoted": frozenset({"status"}),
    "registration.not_approved": frozenset({"status"}),
    "offer.accepted": frozenset({"status"}),
    "offer.expired": frozenset({"status", "offer_expires_at"}),
    "question.added": frozenset({"label"}),
    "question.retired": frozenset({"label"}),
    "question.restored": frozenset({"label"}),
}
"""Changes that the sentence itself has told."""


def _who(entry: AuditEntry) -> str:
    if entry.actor_name == BY_CALENDAR.name:
        return _("The attendee, by calendar reply,")
    if entry.actor_kind == "attendee":
        return _("The attendee")
    if entry.actor_name == "waitlist":
        return _("The waitlist")
    if entry.actor_kind == "system":
        return _("The system")
    return entry.actor_name or _("Somebody")


def _what(entry: AuditEntry, names: Mapping[int, str]) -> str:
    name = names.get(entry.registration_id or 0, _("a registration"))
    asked = str((entry.changes.get("label") or ["", ""])[1])
    sentences = {
        "event.created": _("made this draft"),
        "event.changed": _("changed the event"),
        "event.published": _("published the event"),
        "event.cancelled": _("cancelled the event"),
        "event.duplicated": _("made this draft as a copy"),
        "event.picture_changed": _("changed the picture"),
        "event.picture_removed": _("removed the picture"),
        "event.imported": _("imported the event"),
        "event.imported_again": _("imported news of the event"),
        "event.followed": _("took the event over from a followed calendar"),
        "event.unfollowed": _("gave the followed calendar up"),
        "registration.added": _("added %(name)s by hand", name=name),
        "registration.changed": _("changed the registration of %(name)s", name=name),
        "registration.cancelled": _("cancelled the registration of %(name)s", name=name),
        "registration.approved": _("approved %(name)s", name=name),
        "registration.not_approved": _("did not approve %(name)s", name=name),
        "offer.made": _("offered a place to %(name)s", name=name),
        "offer.accepted": _("accepted the offered place"),
        "offer.expired": _("took back the place offered to %(name)s, who did not accept in time", name=name),
        "registration.promoted": _("moved %(name)s up from the waitlist", name=name),
        "registration.address_corrected": _("corrected the address of %(name)s", name=name),
        "registration.noted": _("wrote a note about %(name)s", name=name),
        "registration.mail_resent": _("sent %(name)s their mail again", name=name),
        "reply.commented": _("wrote a comment"),
        "reply.outdated": _("answered an earlier version of the event and was asked again"),
        "reply.accepted": _("took over a mailed answer for %(name)s", name=name),
        "reply.dismissed": _("dismissed a mailed answer for %(name)s", name=name),
        "question.added": _("added the question “%(label)s”", label=asked),
        "question.changed": _("changed the question “%(label)s”", label=asked),
        "question.moved": _("changed the order of the questions"),
        "question.retired": _("took the question “%(label)s” off the form", label=asked),
        "question.restored": _("put the question “%(label)s” back on the form", label=asked),
    }
    return sentences.get(entry.action, entry.action)


def changes_in_words(
    changes: Mapping[str, Sequence[Any]],
    event: Event,
    *,
    skip: frozenset[str] = frozenset(),
    labels: Mapping[int, str] = MappingProxyType({}),
) -> list[str]:
    """“Starts: Monday … → Tuesday …”, one line a field."""
    lines = []
    for name, (old, new) in changes.items():
        if name in skip or old == new:
            continue
        lines.append(
            _(
                "%(field)s: %(old)s → %(new)s",
                field=label(name, labels),
                old=value(old, event),
                new=value(new, event),
            )
        )
    return lines


def value(value: Any, event: Event) -> str:
    """A stored value in words."""
    if value is None or value == "":
        return _("empty")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, str) and len(value) >= len("2026-10-19T19:00:00+00:00") and value[10:11] == "T":
        try:
            return wording.instant(datetime.fromisoformat(value), event.timezone)
        except ValueError:
            return value
    text = str(value)
    known = {**{key: word for key, word in groups().items() if key == text}, "confirmed": _("confirmed")}
    text = known.get(text, text)
    return text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN].rstrip() + "…"


LONGEST_SHOWN = 120


def label(name: str, labels: Mapping[int, str] = MappingProxyType({})) -> str:
    """What a column is called on pages."""
    question = answered.label(name, labels)
    if question is not None:
        return question or _("An answer")
    return _event_labels().get(name) or _other_labels().get(name, name)


def _event_labels() -> dict[str, str]:
    return {
        "title": _("Title"),
        "summary": _("Summary"),
        "description": _("Description"),
        "starts_at": _("Starts"),
        "ends_at": _("Ends"),
        "timezone": _("Time zone"),
        "all_day": _("All day"),
        "location_name": _("Place"),
        "location_address": _("Address"),
        "directions": _("Directions"),
        "online_url": _("Join link"),
        "contact_email": _("Contact e-mail"),
        "category": _("Category"),
        "audience": _("Who it is for"),
        "visibility": _("Who can find it"),
        "capacity": _("Places"),
        "max_party_size": _("People on one registration"),
        "waitlist_open": _("Waitlist"),
        "waitlist_rule": _("Waitlist rule"),
        "registration_opens_at": _("Registration opens"),
        "registration_closes_at": _("Registration closes"),
        "offer_hours": _("Hours to accept an offered place"),
        "needs_approval": _("Approval by an organizer"),
        "confirm_address": _("Confirmation of the e-mail address"),
        "reminder_hours": _("Reminder, hours before"),
        "status": _("Status"),
    }


def _other_labels() -> dict[str, str]:
    return {
        "offer_expires_at": _("Offered until"),
        "rsvp": _("Answer"),
        "party_size": _("People"),
        "name": _("Name"),
        "email": _("E-mail"),
        "note": _("Note"),
        "comment": _("Comment"),
        "label": _("Question"),
        "hint": _("Hint"),
        "choices": _("Choices"),
        "required": _("Required"),
        "position": _("Position"),
        "copied_from": _("Copied from"),
        "source_url": _("Its own page"),
    }


def mails_queued(count: int, *, is_sent: bool) -> str:
    """What a page may promise: only that mails wait, and where they go when there is no mail server."""
    if count == 0:
        return _("Nobody was mailed.")
    if is_sent:
        return ngettext("%(num)s mail is on its way.", "%(num)s mails are on their way.", count)
    return ngettext(
        "%(num)s mail was written and kept on the server: no mail server is set up.",
        "%(num)s mails were written and kept on the server: no mail server is set up.",
        count,
    )
