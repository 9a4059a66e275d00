"""Where a person stands, in the one sentence that the page and the mail begin with."""

from flask_babel import gettext as _
from flask_babel import ngettext

from eventreg.events import wording as event_words
from eventreg.events.models import Event
from eventreg.registrations.models import Registration
from eventreg.registrations.outcome import Outcome


def standing(
    *, rsvp: str, status: str, party_size: int, position: int | None = None, offered_until: str | None = None
) -> str:
    """The sentence for an answer and what became of it; `offered_until` is a moment in words.

    >>> standing(rsvp="yes", status="confirmed", party_size=2)
    'You are coming, with one guest.'
    >>> standing(rsvp="yes", status="waitlisted", party_size=2, offered_until="Monday, 9:00 AM EDT")
    '2 places are yours if you accept them by Monday, 9:00 AM EDT.'
    """
    if status == "cancelled":
        return _("Your registration is cancelled. You are not attending.")
    if status == "pending":
        return ngettext(
            "You have asked to come. An organizer decides.",
            "You have asked to come, as a party of %(num)d. An organizer decides.",
            party_size,
        )
    if status == "waitlisted":
        return _offered(party_size, offered_until) if offered_until else _waiting(party_size, position)
    if rsvp == "yes":
        if party_size == 1:
            return _("You are coming.")
        return ngettext("You are coming, with one guest.", "You are coming, with %(num)d guests.", party_size - 1)
    if rsvp == "maybe":
        return _("You said maybe. No place is held for you yet.")
    return _("You are not attending.")


def standing_of(outcome: Outcome, event: Event) -> str:
    """The same sentence for an outcome."""
    until = outcome.offer_expires_at
    return standing(
        rsvp=outcome.rsvp,
        status=outcome.status,
        party_size=outcome.party_size,
        position=outcome.position,
        offered_until=event_words.instant(until, event.timezone) if outcome.is_offered and until else None,
    )


def _offered(party_size: int, until: str) -> str:
    return ngettext(
        "A place is yours if you accept it by %(until)s.",
        "%(num)d places are yours if you accept them by %(until)s.",
        party_size,
        until=until,
    )


def _waiting(party_size: int, position: int | None) -> str:
    if position is None:
        return ngettext("You are on the waitlist.", "You are on the waitlist, as a party of %(num)d.", party_size)
    if party_size == 1:
        return _("You are on the waitlist, number %(position)d in line.", position=position)
    return _(
        "You are on the waitlist as a party of %(size)d, number %(position)d in line.",
        size=party_size,
        position=position,
    )


def group_name(group: str) -> str:
    """One of `registrations.queries.GROUPS` in a word, for lists."""
    return {
        "attending": _("Attending"),
        "waitlisted": _("Waitlisted"),
        "maybe": _("Maybe"),
        "no": _("Not attending"),
        "offered": _("Offered a place"),
        "pending": _("Waiting for approval"),
        "cancelled": _("Cancelled"),
    }.get(group, group)


def waitlist_rule(event: Event) -> str:
    """How the line moves, as the form and the mails promise it."""
    if event.waitlist_rule == "hold":
        rule = _("Places go to whoever has waited longest; they are held until that party fits.")
    else:
        rule = _(
            "Places go to whoever has waited longest; a party too large for the free places is passed over until it "
            "fits."
        )
    if event.offer_hours is None:
        return rule
    return rule + " " + _("Whoever is next has %(time)s to accept.", time=hours(event.offer_hours))


def hours(number: int) -> str:
    """A length of time: “36 hours”, “2 days”.

    >>> hours(1), hours(24), hours(48), hours(49)
    ('1 hour', '24 hours', '2 days', '49 hours')
    """
    days, rest = divmod(number, 24)
    if days > 1 and not rest:
        return ngettext("%(num)d day", "%(num)d days", days)
    return ngettext("%(num)d hour", "%(num)d hours", number)


def offer_lapsed(event: Event, registration: Registration) -> str:
    """Why an offer can no longer be accepted."""
    until = registration.offer_expires_at
    return _(
        "The time to accept ended %(when)s, so the place goes to the next in line.",
        when=event_words.instant(until, event.timezone) if until else "",
    )


def outgrown(places: int, party_size: int) -> str:
    """Why a party cannot come as it is, and the ways out."""
    return ngettext(
        "The event has %(num)d place in all now, and your party is %(size)d, so it cannot come as it is.",
        "The event has %(num)d places in all now, and your party is %(size)d, so it cannot come as it is.",
        places,
        size=party_size,
    )


def ways_out(status: str) -> str:
    """What a party larger than the event can do."""
    if status == "pending":
        return _(
            "You can come with fewer people, leave your request as it is in case more places are added, or withdraw it."
        )
    return _(
        "You can come with fewer people and keep your place in line, stay on the waitlist in case more places are "
        "added, or leave it."
    )
