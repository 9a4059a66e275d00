"""Writes one mail: the outbox row and what it is about become its bytes. Pure: the same input, the same bytes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.errors import HeaderParseError, MessageDefect
from typing import Any

from flask_babel import gettext as _
from jinja2 import Environment

from eventreg.addresses import bare_address, host_of
from eventreg.calendar import invitation
from eventreg.calendar.stencil import Stencils
from eventreg.calendar.text import clean, one_line
from eventreg.events import rules
from eventreg.events import wording as event_words
from eventreg.events.models import Event
from eventreg.mail import contents, mime
from eventreg.mail.contents import Site
from eventreg.mail.mime import Head, Letter, method_of
from eventreg.outbox.models import Message
from eventreg.registrations import messages
from eventreg.registrations.models import Registration

DECLINED_THERE = "declined_in_calendar"
"""Payload key of a mail that follows somebody's own DECLINED from their calendar program."""
_CLEAN = bytes(range(0x20, 0x7F)) + b"\n"


@dataclass(frozen=True, slots=True)
class Subject:
    """The registration a mail is about, and what was mailed before."""

    event: Event
    registration: Registration
    answers: Sequence[tuple[str, str]]
    """Question and answer, in the order of the form."""
    is_in_calendar: bool
    """Whether earlier mails have put the event into the person's calendar."""


def about_registration(
    message: Message, subject: Subject, *, site: Site, templates: Environment, stencils: Stencils | None = None
) -> Letter:
    """The mail of any kind that is about one registration and where it stands."""
    made = stencils or Stencils()
    ics = calendar_part(message, subject, site, made)
    values = made.remember(subject.event, "words", lambda: _words(subject.event, site))
    values = (
        values
        | _values(message, subject, site, values)
        | {
            "answered": contents.answered(message.payload),
            "reason": message.payload.get("reason", ""),
            "undo_url": _undo_url(message, subject, site),
            "calendar_note": contents.calendar_note(method_of(ics), has_mailbox=bool(site.reply_address)),
        }
    )
    reply_to = _reply_to(subject, site)
    # A server that cannot deliver it tells the mailbox for answers, and by the address whose mail it was.
    sender = reply_to if site.reply_address else ""
    return _written(message, values, site=site, templates=templates, reply_to=reply_to, sender=sender, ics=ics)


def about_links(
    message: Message, own: Sequence[tuple[Event, Registration]], *, site: Site, templates: Environment
) -> Letter:
    """The mail that holds the links of one person's registrations."""
    values = {"own": [_own(event, registration, site) for event, registration in own]}
    reply_to = _contact(own[0][0] if len(own) == 1 else None, site)
    return _written(message, values, site=site, templates=templates, reply_to=reply_to)


def plain(message: Message, *, site: Site, templates: Environment) -> Letter:
    """A mail that says what its payload says: accounts, and the test of the mail server."""
    values = {"payload": message.payload, "html": contents.given_html(message.payload)}
    return _written(message, values, site=site, templates=templates, reply_to=_contact(None, site))


def forwarded(message: Message, *, site: Site, templates: Environment) -> Letter:
    """What somebody wrote to the reply mailbox, for the organizer, who can answer them directly."""
    values, writer = contents.forwarded(message.payload), contents.writer(message.payload)
    reply_to = _address_or(writer, _contact(None, site))
    return _written(message, values, site=site, templates=templates, reply_to=reply_to)


def calendar_part(message: Message, subject: Subject, site: Site, stencils: Stencils) -> bytes | None:
    """The iCalendar bytes this mail carries: an entry for who is or may be coming, its removal for who had one.

    Whoever declined in their calendar program has taken it out themselves and is sent no removal.
    """
    if message.kind in contents.WITHOUT_ENTRY:
        return None
    options: dict[str, Any] = {
        "stamp_at": message.stamp_at,
        "links": site.links,
        "reply_address": site.reply_address,
        "site_name": site.name,
        "contact_email": bare_address(site.contact),
    }
    if holds_entry(message):
        rsvp, status = message.payload["rsvp"], message.payload["status"]
        return stencils.request(subject.event, subject.registration, rsvp=rsvp, status=status, **options)
    if subject.is_in_calendar and not message.payload.get(DECLINED_THERE):
        return invitation.cancel(subject.event, subject.registration, **options)
    return None


def holds_entry(message: Message) -> bool:
    """Whether after this mail the event belongs into the person's calendar: a confirmed yes or maybe."""
    return (
        message.kind not in contents.ENDINGS
        and message.payload.get("status") == "confirmed"
        and message.payload.get("rsvp") in {"yes", "maybe"}
    )


def _words(event: Event, site: Site) -> dict[str, Any]:
    """What every mail about the event says of it, to whomever."""
    return {
        "title": one_line(event.title),
        "when": event_words.event_time(event),
        "where": one_line(event_words.place(event)),
        "map_url": event_words.map_address(event),
        "join_url": one_line(event.online_url),
        "directions": clean(event.directions),
        "has_page": rules.has_page(event),
        "contact": one_line(event.contact_email or bare_address(site.contact)),
    }


def _values(message: Message, subject: Subject, site: Site, words: Mapping[str, Any]) -> dict[str, Any]:
    event, registration, payload = subject.event, subject.registration, message.payload
    off = message.kind in contents.ENDINGS
    coming = not off and invitation.is_coming(event, payload["rsvp"], payload["status"])
    return {
        "sentence": contents.sentence(message.kind, payload, event),
        "standing": contents.standing(payload, event),
        "offered_until": contents.offered_until(payload, event),
        "map_url": "" if off else words["map_url"],
        "join_url": words["join_url"] if coming else "",
        "directions": words["directions"] if coming else "",
        "answers": []
        if off or message.kind == "reminder"
        else contents.answers(registration, payload, subject.answers),
        "changes": contents.changes(payload, event, is_coming=coming) if message.kind == "update" else [],
        "plans": contents.plans(message.kind, payload, event),
        "rsvp": payload["rsvp"],
        "status": payload["status"],
        "manage_url": site.links.manage(registration.id, registration.link_generation),
        "takes_answers": rules.availability(event, message.created_at).takes_answers,
        "page_url": invitation.page_of(event, registration, links=site.links),
    }


def _undo_url(message: Message, subject: Subject, site: Site) -> str:
    """Where the answer can be put back that a DECLINED from the calendar replaced; empty in any other mail."""
    if "undo" not in message.payload:
        return ""
    declined_at, rsvp = message.payload["undo"]
    return site.links.undo(subject.registration.id, subject.registration.link_generation, declined_at, rsvp)


def _own(event: Event, registration: Registration, site: Site) -> contents.Own:
    return contents.Own(
        title=one_line(event.title),
        when=event_words.event_time(event),
        sentence=contents.standing(messages.payload(registration, event), event),
        url=site.links.manage(registration.id, registration.link_generation),
    )


def _reply_to(subject: Subject, site: Site) -> str:
    if site.reply_address:
        return invitation.organizer_address(subject.registration, links=site.links, reply_address=site.reply_address)
    return _contact(subject.event, site)


def _contact(event: Event | None, site: Site) -> str:
    """Who answers questions: the event's contact, or the site's where the event names none that is an address."""
    return _address_or(event.contact_email if event is not None else "", bare_address(site.contact))


def _address_or(given: str, otherwise: str) -> str:
    try:
        return mime.checked(given)
    except (HeaderParseError, MessageDefect, ValueError, IndexError):
        return otherwise


def _written(
    message: Message,
    values: dict[str, Any],
    *,
    site: Site,
    templates: Environment,
    reply_to: str,
    sender: str = "",
    ics: bytes | None = None,
) -> Letter:
    """Headers, text and HTML from the kind's folder of templates. From is the site's own address always.

    An organizer's or attendee's would fail SPF and DMARC.
    """
    shared = {
        "site_name": one_line(site.name),
        "site_url": site.links.absolute("/"),
        "contact": bare_address(site.contact),
    }
    subject, text, html = (
        templates.get_template(f"mail/{message.kind}/{name}").render(shared | values)
        for name in ("subject.txt", "body.txt", "body.html")
    )
    head = Head(
        subject=one_line(subject) or _("A message from %(site)s", site=shared["site_name"]),
        sender=mime.sender_header(shared["site_name"], bare_address(site.sender)),
        recipient=message.recipient,
        reply_to=reply_to,
        date=message.created_at,
        message_id=f"<{message.message_key}@{host_of(site.sender)}>",
        key=message.message_key,
    )
    content = mime.assemble(head, text=_body(text), html=_body(html), ics=ics)
    return Letter(head.subject, sender or bare_address(site.sender), content)


def _body(text: str) -> str:
    """Without what is not text, and without the empty lines that templates leave behind."""
    # Most of it is plain ASCII, which is seen to hold nothing to be cleaned in a fraction of the time cleaning takes.
    is_clean = text.isascii() and not text.encode().translate(None, _CLEAN)
    text = text.strip() if is_clean else clean(text)
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    return text + "\n"
