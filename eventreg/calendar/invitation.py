"""What a registered person's calendar receives: invitation, cancellation, file. Source: RFC 5546 section 3.2.

Pure: the same event, registration and stamp give the same bytes. One attendee, the recipient, in every message;
the organizer is an address of this registration alone, so that an answer from a calendar program finds its row.
"""

from datetime import datetime
from email.utils import parseaddr
from functools import lru_cache

from icalendar import Event as VEvent
from icalendar import vCalAddress

from eventreg.calendar.text import common_name, mailto
from eventreg.calendar.vevent import calendar, vevent
from eventreg.events import rules
from eventreg.events.models import Event
from eventreg.links import Links
from eventreg.registrations.models import Registration

PARTSTATS = {"yes": "ACCEPTED", "no": "DECLINED", "maybe": "TENTATIVE"}


def request_method(reply_address: str | None) -> str:
    """METHOD of what `request` makes, and of the MIME part that carries it: without a mailbox for answers, no REQUEST.

    >>> request_method("rsvp@example.org"), request_method(None)
    ('REQUEST', 'PUBLISH')
    """
    return "REQUEST" if reply_address else "PUBLISH"


def request(
    event: Event,
    registration: Registration,
    *,
    stamp_at: datetime,
    links: Links,
    reply_address: str | None,
    site_name: str,
    contact_email: str,
    rsvp: str | None = None,
    status: str | None = None,
) -> bytes:
    """The entry for somebody who is coming or may come: METHOD:REQUEST, or PUBLISH without a `reply_address`.

    `rsvp` and `status` are what was true when the mail was queued, by default what is true now. A waitlisted person
    gets no entry until promoted: do not ask for one. `contact_email` is the site's; the event's own comes first.
    """
    rsvp, status = rsvp or registration.rsvp, status or registration.status
    page = page_of(event, registration, links=links)
    entry = vevent(event, links=links, page=page, stamp_at=stamp_at, joins=is_coming(event, rsvp, status))
    if reply_address:
        entry.add("ATTENDEE", attendee(registration, rsvp))
    entry.add(
        "ORGANIZER",
        organizer(
            event,
            registration,
            links=links,
            reply_address=reply_address,
            site_name=site_name,
            contact_email=contact_email,
        ),
    )
    return _wrapped(request_method(reply_address), entry)


def cancel(
    event: Event,
    registration: Registration,
    *,
    stamp_at: datetime,
    links: Links,
    reply_address: str | None,
    site_name: str,
    contact_email: str,
) -> bytes:
    """METHOD:CANCEL. STATUS:CANCELLED when the event is off; none when only this person leaves (RFC 5546 3.2.5)."""
    status = "CANCELLED" if event.status == "cancelled" else ""
    page = page_of(event, registration, links=links)
    entry = vevent(event, links=links, page=page, status=status, stamp_at=stamp_at)
    if reply_address:
        entry.add("ATTENDEE", _attendee(registration))
    entry.add(
        "ORGANIZER",
        organizer(
            event,
            registration,
            links=links,
            reply_address=reply_address,
            site_name=site_name,
            contact_email=contact_email,
        ),
    )
    return _wrapped("CANCEL", entry)


def own_method(registration: Registration) -> str:
    """METHOD of `own_file`: a person who withdrew or said no gets what takes the entry out of the calendar."""
    return "CANCEL" if registration.status == "cancelled" or registration.rsvp == "no" else "PUBLISH"


def own_file(event: Event, registration: Registration, *, links: Links, site_name: str, contact_email: str) -> bytes:
    """The event for the person of this registration, with the join link once they are coming."""
    method = own_method(registration)
    entry = vevent(
        event,
        links=links,
        page=page_of(event, registration, links=links),
        status=own_status(event, registration) if method == "PUBLISH" else "",
        modified_at=registration.updated_at,
        joins=is_coming(event, registration.rsvp, registration.status),
    )
    entry.add("ORGANIZER", _public_contact(event, site_name, contact_email))
    return _wrapped(method, entry)


def own_status(event: Event, registration: Registration) -> str:
    """STATUS as this person should see it: tentative while they wait or have only said maybe."""
    if event.status == "cancelled":
        return "CANCELLED"
    return "CONFIRMED" if is_coming(event, registration.rsvp, registration.status) else "TENTATIVE"


def is_coming(event: Event, rsvp: str, status: str) -> bool:
    """Whether that answer opens the join link: a confirmed yes to an event that takes place."""
    return rsvp == "yes" and status == "confirmed" and event.status != "cancelled"


def page_of(event: Event, registration: Registration, *, links: Links) -> str:
    """The page their entry and mail name: the event's, or where it has none for everybody, their own."""
    if rules.has_page(event):
        return links.event(event.slug)
    return links.manage(registration.id, registration.link_generation)


def organizer_address(registration: Registration, *, links: Links, reply_address: str) -> str:
    """The site's reply mailbox, plus-addressed; Reply-To and ORGANIZER of every mail of this registration.

    The same again when somebody cancels and registers anew: their calendar holds one entry, and an entry whose
    organizer became another would be a stranger's to it.
    """
    local, host = _mailbox(reply_address)
    return f"{local}+{links.reply_token(registration.reply_id, registration.link_generation)}@{host}"


@lru_cache(maxsize=16)
def _mailbox(address: str) -> tuple[str, str]:
    local, _at, host = parseaddr(address)[1].rpartition("@")
    return local, host


def attendee(registration: Registration, rsvp: str) -> vCalAddress:
    """ATTENDEE of a request: the recipient with the answer given, asked for another."""
    asked = _attendee(registration)
    asked.params.update(PARTSTAT=PARTSTATS[rsvp], RSVP="TRUE")
    return asked


def _attendee(registration: Registration) -> vCalAddress:
    params = {"CUTYPE": "INDIVIDUAL", "ROLE": "REQ-PARTICIPANT"}
    if name := common_name(registration.name):
        params["CN"] = name
    return vCalAddress(mailto(registration.email), params=params)


def organizer(
    event: Event,
    registration: Registration,
    *,
    links: Links,
    reply_address: str | None,
    site_name: str,
    contact_email: str,
) -> vCalAddress:
    """ORGANIZER: where answers go; the public contact where there is no mailbox for them."""
    if reply_address:
        address = organizer_address(registration, links=links, reply_address=reply_address)
        return vCalAddress(mailto(address), params={"CN": common_name(site_name)})
    return _public_contact(event, site_name, contact_email)


def _public_contact(event: Event, site_name: str, contact_email: str) -> vCalAddress:
    return vCalAddress(mailto(event.contact_email or contact_email), params={"CN": common_name(site_name)})


def _wrapped(method: str, entry: VEvent) -> bytes:
    """The whole iCalendar stream."""
    made = calendar(method)
    made.add_component(entry)
    return bytes(made.to_ical())
