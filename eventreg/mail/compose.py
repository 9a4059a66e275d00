"""Writes one mail: the outbox row and what it is about become an EmailMessage. Pure: the same input, the same bytes.

The calendar part stands inside multipart/alternative, where Outlook looks for it, and once more as an attachment.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.errors import HeaderParseError, MessageDefect
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr
from typing import Any

from flask_babel import gettext as _
from jinja2 import Environment

from eventreg.addresses import bare_address, host_of
from eventreg.calendar import invitation
from eventreg.calendar.text import clean, one_line
from eventreg.events import rules
from eventreg.events import wording as event_words
from eventreg.events.models import Event
from eventreg.mail import contents
from eventreg.mail.contents import Site
from eventreg.outbox.models import Message
from eventreg.registrations import messages
from eventreg.registrations.models import Registration

POLICY = SMTP.clone(cte_type="7bit")
"""Every server takes seven bits; what has more is encoded."""
DECLINED_THERE = "declined_in_calendar"
"""Payload key of a mail that follows somebody's own DECLINED from their calendar program."""
_METHOD = re.compile(rb"^METHOD:([A-Z]+)\r?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Subject:
    """The registration a mail is about, and what was mailed before."""

    event: Event
    registration: Registration
    answers: Sequence[tuple[str, str]]
    """Question and answer, in the order of the form."""
    is_in_calendar: bool
    """Whether earlier mails have put the event into the person's calendar."""


def about_registration(message: Message, subject: Subject, *, site: Site, templates: Environment) -> EmailMessage:
    """The mail of any kind that is about one registration and where it stands."""
    ics = calendar_part(message, subject, site)
    values = _values(message, subject, site) | {
        "answered": contents.answered(message.payload),
        "reason": message.payload.get("reason", ""),
        "undo_url": _undo_url(message, subject, site),
        "calendar_note": contents.calendar_note(method_of(ics), has_mailbox=bool(site.reply_address)),
    }
    mail = _written(message, values, site=site, templates=templates)
    mail["Reply-To"] = _reply_to(subject, site)
    if ics is not None:
        _add_calendar(mail, ics)
    return _sealed(mail, message)


def about_links(
    message: Message, own: Sequence[tuple[Event, Registration]], *, site: Site, templates: Environment
) -> EmailMessage:
    """The mail that holds the links of one person's registrations."""
    values = {"own": [_own(event, registration, site) for event, registration in own]}
    mail = _written(message, values, site=site, templates=templates)
    mail["Reply-To"] = _contact(own[0][0] if len(own) == 1 else None, site)
    return _sealed(mail, message)


def plain(message: Message, *, site: Site, templates: Environment) -> EmailMessage:
    """A mail that says what its payload says: accounts, and the test of the mail server."""
    values = {"payload": message.payload, "html": contents.given_html(message.payload)}
    mail = _written(message, values, site=site, templates=templates)
    mail["Reply-To"] = _contact(None, site)
    return _sealed(mail, message)


def forwarded(message: Message, *, site: Site, templates: Environment) -> EmailMessage:
    """What somebody wrote to the reply mailbox, for the organizer, who can answer them directly."""
    mail = _written(message, contents.forwarded(message.payload), site=site, templates=templates)
    writer = contents.writer(message.payload)
    try:
        mail["Reply-To"] = Address(addr_spec=writer)
    except (HeaderParseError, MessageDefect, ValueError, IndexError):
        mail["Reply-To"] = _contact(None, site)
    return _sealed(mail, message)


def calendar_part(message: Message, subject: Subject, site: Site) -> bytes | None:
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
        return invitation.request(subject.event, subject.registration, rsvp=rsvp, status=status, **options)
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


def method_of(ics: bytes | None) -> str | None:
    """METHOD of a calendar part, read from its bytes so that MIME can never say another."""
    found = _METHOD.search(ics) if ics is not None else None
    return found[1].decode() if found else None


def _values(message: Message, subject: Subject, site: Site) -> dict[str, Any]:
    event, registration, payload = subject.event, subject.registration, message.payload
    off = message.kind in contents.ENDINGS
    coming = not off and invitation.is_coming(event, payload["rsvp"], payload["status"])
    return {
        "sentence": contents.sentence(message.kind, payload, event),
        "standing": contents.standing(payload, event),
        "offered_until": contents.offered_until(payload, event),
        "title": one_line(event.title),
        "when": event_words.event_time(event),
        "where": one_line(event_words.place(event)),
        "map_url": "" if off else event_words.map_address(event),
        "join_url": one_line(event.online_url) if coming else "",
        "directions": clean(event.directions) if coming else "",
        "answers": []
        if off or message.kind == "reminder"
        else contents.answers(registration, payload, subject.answers),
        "changes": contents.changes(payload, event, is_coming=coming) if message.kind == "update" else [],
        "plans": contents.plans(message.kind, payload),
        "rsvp": payload["rsvp"],
        "status": payload["status"],
        "manage_url": site.links.manage(registration.id, registration.link_generation),
        "page_url": invitation.page_of(event, registration, links=site.links),
        "has_page": rules.has_page(event),
        "contact": one_line(event.contact_email or bare_address(site.contact)),
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


def _reply_to(subject: Subject, site: Site) -> Address:
    if site.reply_address:
        return Address(
            addr_spec=invitation.organizer_address(
                subject.registration, links=site.links, reply_address=site.reply_address
            )
        )
    return _contact(subject.event, site)


def _contact(event: Event | None, site: Site) -> Address:
    """Who answers questions: the event's contact, or the site's where the event names none that is an address."""
    try:
        return Address(addr_spec=event.contact_email if event is not None else "")
    except (HeaderParseError, MessageDefect, ValueError, IndexError):
        return Address(addr_spec=bare_address(site.contact))


def _written(message: Message, values: dict[str, Any], *, site: Site, templates: Environment) -> EmailMessage:
    """Headers, text and HTML from the kind's folder of templates."""
    shared = {
        "site_name": one_line(site.name),
        "site_url": site.links.absolute("/"),
        "contact": bare_address(site.contact),
    }
    subject, text, html = (
        templates.get_template(f"mail/{message.kind}/{name}").render(shared | values)
        for name in ("subject.txt", "body.txt", "body.html")
    )
    mail = EmailMessage(policy=POLICY if message.recipient.isascii() else POLICY.clone(utf8=True))
    words = one_line(subject) or _("A message from %(site)s", site=shared["site_name"])
    mail.set_raw("Subject", _encoded(words, header="Subject"))
    mail.set_raw("From", _from(site))
    mail["To"] = Address(addr_spec=message.recipient)
    mail["Date"] = format_datetime(message.created_at)
    mail["Message-ID"] = f"<{message.message_key}@{host_of(site.sender)}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(_body(text))
    mail.add_alternative(_body(html), subtype="html")
    return mail


def _from(site: Site) -> str:
    """The site's own address, never an organizer's or attendee's, or the mail would fail SPF and DMARC."""
    name, address = one_line(site.name), bare_address(site.sender)
    if name.isascii():
        return formataddr((name, address))
    return f"{_encoded(name, header='From')}\r\n <{address}>"


def _encoded(text: str, *, header: str) -> str:
    """Text as a header holds it, on lines short enough for EmailMessage to leave alone.

    Its own folding (Python 3.11) loses blanks between encoded words and the quotes that keep an address apart.
    """
    if text.isascii() and "=?" not in text:
        return Header(text, "us-ascii", header_name=header).encode(linesep="\r\n")
    return Header(text, "utf-8", header_name=header).encode(linesep="\r\n")


def _body(text: str) -> str:
    """Without what is not text, and without the empty lines that templates leave behind."""
    return re.sub(r"\n{3,}", "\n\n", clean(text)) + "\n"


def _add_calendar(mail: EmailMessage, ics: bytes) -> None:
    method = method_of(ics) or ""
    mail.add_alternative(
        ics,
        maintype="text",
        subtype="calendar",
        params={"charset": "UTF-8", "method": method, "component": "VEVENT"},
    )
    mail.add_attachment(
        ics, maintype="application", subtype="ics", filename="invite.ics", params={"name": "invite.ics"}
    )


def _sealed(mail: EmailMessage, message: Message) -> EmailMessage:
    """The boundaries between its parts made of its key, so that it has the same bytes at every try."""
    for number, part in enumerate(part for part in mail.walk() if part.is_multipart()):
        part.set_boundary(f"=_{message.message_key}_{number}")
    return mail
