"""What a mail about a registration says, as plain values for its templates. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup

from eventreg.calendar.text import clean, one_line
from eventreg.events import rules
from eventreg.events import wording as event_words
from eventreg.events.models import Event
from eventreg.links import Links
from eventreg.registrations import wording

_LINKABLE = re.compile(r"(?<=\w)(?=\.[^\W\d_]|@)|(?<=:)(?=//)")
"""Where an address of the web or of mail would be told from plain words."""
_JOINER = "\u2060"
LONGEST_WORDS = 80
"""Characters of a name or an answer that are mailed."""
MOST_WORDS = 300
"""Characters of all answers together."""
ENDINGS = frozenset({"withdrawn", "event_cancelled", "offer_expired", "not_approved"})
"""Kinds after which nothing is left of the registration that could be changed."""
WITHOUT_ENTRY = frozenset({"reminder"})
"""Kinds that leave the calendar alone: whoever has taken the entry out of theirs is not to find it there again."""


@dataclass(frozen=True, slots=True)
class Site:
    """The settings that mails need."""

    name: str
    sender: str
    contact: str
    reply_address: str | None
    links: Links


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not as it was, in words."""

    label: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Own:
    """One registration in a mail of links."""

    title: str
    when: str
    sentence: str
    url: str


def harmless(text: str) -> str:
    r"""What a stranger typed, so that no mail program makes a link of it: it looks the same and is not one.

    >>> harmless("see http://evil.example/x") == "see http:\u2060//evil\u2060.example/x"
    True
    >>> harmless("2.5 portions, no nuts.")
    '2.5 portions, no nuts.'
    """
    return _LINKABLE.sub(_JOINER, clean(text))


def short_name(name: str) -> str:
    """A name as mails carry it, harmless and at most LONGEST_WORDS long.

    >>> short_name("Amira Haddad"), len(short_name("a" * 200))
    ('Amira Haddad', 80)
    """
    line = one_line(name)
    return harmless(line if len(line) <= LONGEST_WORDS else f"{line[: LONGEST_WORDS - 1]}…")


def short_answers(given: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The answers that mails carry: a form mails them to whatever address is typed, so it must carry no letters.

    The rest stands behind the link.

    >>> short_answers([("Needs", "No nuts"), ("Words", "buy " * 30)])
    [('Needs', 'No nuts')]
    """
    kept, room = [], MOST_WORDS
    for label, value in given:
        if len(value) <= min(LONGEST_WORDS, room):
            kept.append((label, value))
            room -= len(value)
    return kept


def sentence(kind: str, payload: Mapping[str, Any], event: Event) -> str:
    """The first sentence: where the person stands, or what happened to the event."""
    if kind == "event_cancelled":
        return _("%(title)s is cancelled.", title=one_line(event.title))
    if kind == "update":
        return _("%(title)s has changed.", title=one_line(event.title))
    if kind == "reminder":
        return _("%(title)s begins %(when)s.", title=one_line(event.title), when=_beginning(event))
    if kind == "offer_expired":
        return _("You did not accept the offered place in time.")
    if kind == "not_approved":
        return _("Your request to come was not approved.")
    return standing(payload, event)


def _beginning(event: Event) -> str:
    if event.all_day:
        return _("on %(day)s", day=event_words.full_day(event_words.first_day(event)))
    return _("on %(instant)s", instant=event_words.instant(event.starts_at, event.timezone))


def standing(payload: Mapping[str, Any], event: Event) -> str:
    """Where the person stood when the mail was queued, as the page says it."""
    return wording.standing(
        rsvp=payload["rsvp"],
        status=payload["status"],
        party_size=payload["party_size"],
        position=payload.get("position"),
        offered_until=offered_until(payload, event) or None,
    )


def offered_until(payload: Mapping[str, Any], event: Event) -> str:
    """Until when offered places can be, or could have been, accepted; in words, empty without an offer."""
    moment = payload.get("offer_expires_at") or payload.get("offer_expired_at")
    return event_words.instant(datetime.fromisoformat(moment), event.timezone) if moment else ""


def answers(
    payload: Mapping[str, Any], name: str, given: Iterable[tuple[str, str]], *, has_more: bool
) -> list[tuple[str, str]]:
    """What the person told us, label and value; name and values are harmless already."""
    more = [(_("Longer answers"), _("on the page of your registration"))] if has_more else []
    party = [(_("Party"), ngettext("%(num)d person", "%(num)d people", payload["party_size"]))]
    return [(_("Name"), name), *(party if payload["rsvp"] == "yes" else []), *given, *more]


def changes(payload: Mapping[str, Any], event: Event, *, is_coming: bool) -> list[Change]:
    """Old and new of what changed, in the words the page uses. The join link itself is for those who are coming."""
    changed, before = payload["changes"], _as_it_was(payload)
    rows = []
    if changed.keys() & {"title"}:
        rows.append(Change(_("Title"), one_line(before.title), one_line(event.title)))
    if changed.keys() & {"starts_at", "ends_at", "all_day", "timezone"}:
        rows.append(Change(_("When"), event_words.event_time(before), event_words.event_time(event)))
    if changed.keys() & {"location_name", "location_address"}:
        rows.append(Change(_("Where"), one_line(event_words.place(before)), one_line(event_words.place(event))))
    if changed.keys() & {"online_url"}:
        rows.append(_changed_link(before.online_url, event.online_url, is_coming=is_coming))
    if changed.keys() & {"summary"}:
        rows.append(Change(_("Summary"), one_line(before.summary) or _("none"), one_line(event.summary) or _("none")))
    if changed.keys() & {"description"}:
        rows.append(Change(_("Description"), _("as you may have read it"), _changed_text(event)))
    if changed.keys() & {"directions"}:
        now = _("changed; you find them below") if is_coming and event.directions else _("changed")
        rows.append(Change(_("How to get there"), _("as you may have read it"), now))
    return rows


def _changed_text(event: Event) -> str:
    return _("changed; the event's page has it") if rules.has_page(event) else _("changed; your own page has it")


def _changed_link(old: str, new: str, *, is_coming: bool) -> Change:
    none = _("none")
    if is_coming:
        return Change(_("Join link"), old or none, new or none)
    return Change(_("Join link"), _("another") if old else none, _("changed") if new else none)


def _as_it_was(payload: Mapping[str, Any]) -> Event:
    """The event before, as far as mails speak of it; never part of a session."""
    previous = dict(payload["previous_event"])
    for name in ("starts_at", "ends_at"):
        previous[name] = datetime.fromisoformat(previous[name])
    return Event(**previous)


def answered(payload: Mapping[str, Any]) -> str:
    """What the person's calendar program said, in a word; empty where it said nothing."""
    words = {"yes": _("yes"), "no": _("no"), "maybe": _("maybe")}
    return words.get(payload.get("answered", ""), "")


def writer(payload: Mapping[str, Any]) -> str:
    """Whom the organizer answers: the sender, or the registered address where none is named."""
    return str(payload["sender"] or payload["email"])


def forwarded(payload: Mapping[str, Any]) -> dict[str, Any]:
    """What somebody wrote, made harmless, and who they are as far as that is known."""
    return {
        "event_title": one_line(payload["event"]),
        "name": harmless(one_line(payload["name"])),
        "email": payload["email"],
        "sender": payload["sender"],
        "is_registered_sender": payload["sender"] == payload["email"].lower(),
        "subject_line": harmless(one_line(payload["subject"])),
        "text": harmless(payload["text"]),
        "is_cut": payload["is_cut"],
        "method": payload["method"],
    }


def plans(kind: str, payload: Mapping[str, Any], event: Event) -> str:
    """What to do when plans change."""
    if kind in ENDINGS:
        return ""
    if payload.get("outgrown") is not None:
        why = wording.outgrown(payload["outgrown"], payload["party_size"])
        return f"{why} {wording.ways_out(payload['status'])}"
    if payload["status"] == "pending":
        return _("You get a mail when an organizer has decided. To change or withdraw what you asked, use the link.")
    if payload.get("offer_expires_at"):
        return _("If you cannot come after all, say so with the link, so that the next in line is asked at once.")
    if payload["status"] == "waitlisted" and event.offer_hours is not None:
        return _(
            "As soon as your party fits you get a mail, and have %(time)s to accept. "
            "To leave the waitlist, use the link.",
            time=wording.hours(event.offer_hours),
        )
    if payload["status"] == "waitlisted":
        return _(
            "You move up as soon as your party fits, and you get a mail when you do. "
            "To leave the waitlist, use the link."
        )
    if kind == "reminder" and payload["rsvp"] == "maybe":
        return _("If you know by now whether you come, use the link to say so.")
    if payload["rsvp"] == "yes":
        return _(
            "If your plans change, use the link to change your answer or to cancel, so that somebody else can come."
        )
    return _("If you change your mind, use the link to change your answer.")


def calendar_note(method: str | None, *, has_mailbox: bool) -> str:
    """How the attached calendar entry and an answer given to it are treated."""
    if method is None:
        return ""
    if method == "CANCEL":
        return _("The attached calendar message takes the event out of your calendar.")
    if has_mailbox:
        return _("The event is attached for your calendar. Answering it there reaches us, too.")
    return _(
        "The event is attached for your calendar. "
        "Accepting or declining it there does not change your RSVP; use the link."
    )


def given_html(payload: Mapping[str, Any]) -> Markup:
    """The HTML of a mail that came ready, as Flask-Security's do from our own templates; else paragraphs of text."""
    if payload.get("html"):
        return Markup(payload["html"])  # noqa: S704 - rendered, and escaped, before it was queued
    paragraphs = re.split(r"\n\s*\n", clean(payload.get("text", "")))
    return Markup("").join(Markup("<p>{}</p>").format(paragraph) for paragraph in paragraphs if paragraph)
