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
from eventreg.mail.form_letter import Bodies, FormLetter
from eventreg.mail.mime import Head, Letter, method_of
from eventreg.outbox.models import Message
from eventreg.registrations import messages
from eventreg.registrations.models import Registration

DECLINED_THERE = "declined_in_calendar"
"""Payload key of a mail that follows somebody's own DECLINED from their calendar program."""


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
    given = [(label, value) for label, value in subject.answers if value.strip()]
    short = contents.short_answers(given)
    has_more = len(short) < len(given)
    own, asked = _own_words(message, subject, site, short), tuple(one_line(label) for label, _value in short)
    method, takes_answers = method_of(ics), rules.availability(subject.event, message.created_at).takes_answers

    def render(own: Sequence[str]) -> Bodies:
        values = _words(subject.event, site) | _standing(message, subject.event, own, asked, has_more=has_more)
        values["takes_answers"] = takes_answers
        values["calendar_note"] = contents.calendar_note(method, has_mailbox=bool(site.reply_address))
        return _rendered(message.kind, values, site=site, templates=templates)

    alike = (message.kind, repr(message.payload), method, takes_answers, asked, has_more, tuple(map(bool, own)))
    bodies = made.remember(subject.event, alike, lambda: FormLetter(render, own)).filled(own)
    reply_to = _reply_to(subject, site)
    # A server that cannot deliver it tells the mailbox for answers, and by the address whose mail it was.
    sender = reply_to if site.reply_address else ""
    return _written(message, bodies, site=site, reply_to=reply_to, sender=sender, ics=ics)


def about_links(
    message: Message, own: Sequence[tuple[Event, Registration]], *, site: Site, templates: Environment
) -> Letter:
    """The mail that holds the links of one person's registrations."""
    values = {"own": [_own(event, registration, site) for event, registration in own]}
    reply_to = _contact(own[0][0] if len(own) == 1 else None, site)
    bodies = _rendered(message.kind, values, site=site, templates=templates)
    return _written(message, bodies, site=site, reply_to=reply_to)


def about_address(message: Message, event: Event, *, site: Site, templates: Environment) -> Letter:
    """The mail whose link sends the answer kept with it. It holds nothing that was typed, except its address."""
    nothing = {"map_url": "", "join_url": "", "directions": "", "answers": []}
    values = _words(event, site) | nothing | {"confirm_url": site.links.confirm(event.id, message.message_key)}
    bodies = _rendered(message.kind, values, site=site, templates=templates)
    return _written(message, bodies, site=site, reply_to=_contact(event, site))


def plain(message: Message, *, site: Site, templates: Environment) -> Letter:
    """A mail that says what its payload says: accounts, and the test of the mail server."""
    values = {"payload": message.payload, "html": contents.given_html(message.payload)}
    bodies = _rendered(message.kind, values, site=site, templates=templates)
    return _written(message, bodies, site=site, reply_to=_contact(None, site))


def forwarded(message: Message, *, site: Site, templates: Environment) -> Letter:
    """What somebody wrote to the reply mailbox, for the organizer, who can answer them directly."""
    values, writer = contents.forwarded(message.payload), contents.writer(message.payload)
    reply_to = _address_or(writer, _contact(None, site))
    bodies = _rendered(message.kind, values, site=site, templates=templates)
    return _written(message, bodies, site=site, reply_to=reply_to)


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
        "has_page": rules.has_page(event),
        "contact": one_line(event.contact_email or bare_address(site.contact)),
    }


def _own_words(message: Message, subject: Subject, site: Site, answers: Sequence[tuple[str, str]]) -> list[str]:
    """What in the mail is this person's own, in the order in which `_standing` takes it."""
    registration = subject.registration
    return [
        site.links.manage(registration.id, registration.link_generation),
        invitation.page_of(subject.event, registration, links=site.links),
        _undo_url(message, subject, site),
        contents.short_name(registration.name),
        *(_close_together(contents.harmless(value)) for _label, value in answers),
    ]


def _standing(
    message: Message, event: Event, own: Sequence[str], asked: Sequence[str], *, has_more: bool
) -> dict[str, Any]:
    """What the mail says of where the person stands."""
    payload = message.payload
    manage_url, page_url, undo_url, name, *given = own
    off = message.kind in contents.ENDINGS
    told = zip(asked, given, strict=True)
    coming = not off and invitation.is_coming(event, payload["rsvp"], payload["status"])
    has_answers = not off and message.kind != "reminder"
    return {
        "sentence": contents.sentence(message.kind, payload, event),
        "standing": contents.standing(payload, event),
        "offered_until": contents.offered_until(payload, event),
        "map_url": "" if off else event_words.map_address(event),
        "join_url": one_line(event.online_url) if coming else "",
        "directions": clean(event.directions) if coming else "",
        "answers": contents.answers(payload, name, told, has_more=has_more) if has_answers else [],
        "changes": contents.changes(payload, event, is_coming=coming) if message.kind == "update" else [],
        "plans": contents.plans(message.kind, payload, event),
        "rsvp": payload["rsvp"],
        "status": payload["status"],
        "answered": contents.answered(payload),
        "reason": payload.get("reason", ""),
        "manage_url": manage_url,
        "page_url": page_url,
        "undo_url": undo_url,
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


def _rendered(kind: str, values: Mapping[str, Any], *, site: Site, templates: Environment) -> Bodies:
    """What the kind's folder of templates makes of the values."""
    shared = {
        "site_name": one_line(site.name),
        "site_url": site.links.absolute("/"),
        "contact": bare_address(site.contact),
    }
    subject, text, html = (
        templates.get_template(f"mail/{kind}/{name}").render({**shared, **values})
        for name in ("subject.txt", "body.txt", "body.html")
    )
    return Bodies(one_line(subject) or _("A message from %(site)s", site=shared["site_name"]), _body(text), _body(html))


def _written(
    message: Message, bodies: Bodies, *, site: Site, reply_to: str, sender: str = "", ics: bytes | None = None
) -> Letter:
    """The bodies under their header. From is the site's own address always.

    An organizer's or attendee's would fail SPF and DMARC.
    """
    head = Head(
        subject=bodies.subject,
        sender=mime.sender_header(one_line(site.name), bare_address(site.sender)),
        recipient=message.recipient,
        reply_to=reply_to,
        date=message.created_at,
        message_id=f"<{message.message_key}@{host_of(site.sender)}>",
        key=message.message_key,
    )
    content = mime.assemble(head, text=bodies.text, html=bodies.html, ics=ics)
    return Letter(head.subject, sender or bare_address(site.sender), content)


def _body(text: str) -> str:
    """Without what is not text, and without the empty lines that templates leave behind."""
    return _close_together(clean(text)) + "\n"


def _close_together(text: str) -> str:
    """With one empty line where there are more."""
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    return text
