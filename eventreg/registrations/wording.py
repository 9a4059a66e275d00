"""Where a person stands, in the one sentence that the page and the mail begin with."""

from flask_babel import gettext as _
from flask_babel import ngettext

from eventreg.events.models import Event


def standing(*, rsvp: str, status: str, party_size: int, position: int | None = None) -> str:
    """The sentence for an answer and what became of it.

    >>> standing(rsvp="yes", status="confirmed", party_size=2)
    'You are coming, with one guest.'
    """
    if status == "cancelled":
        return _("Your registration is cancelled. You are not attending.")
    if status == "pending":
        return _("Your registration is requested, not yet confirmed.")
    if status == "waitlisted":
        return _waiting(party_size, position)
    if rsvp == "yes":
        if party_size == 1:
            return _("You are coming.")
        return ngettext("You are coming, with one guest.", "You are coming, with %(num)d guests.", party_size - 1)
    if rsvp == "maybe":
        return _("You said maybe. No place is held for you yet.")
    return _("You are not attending.")


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
        "pending": _("Waiting for approval"),
        "cancelled": _("Cancelled"),
    }.get(group, group)


def waitlist_rule(event: Event) -> str:
    """How the line moves, as the form and the mails promise it."""
    if event.waitlist_rule == "hold":
        return _("Places go to whoever has waited longest; they are held until that party fits.")
    return _(
        "Places go to whoever has waited longest; a party too large for the free places is passed over until it fits."
    )
