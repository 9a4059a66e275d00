"""Removes an account, and hands its events and followed calendars over to another.

Here, because this is the lowest package that knows accounts, events and followed calendars.
"""

from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from eventreg import audit
from eventreg.errors import AccountNeeded
from eventreg.events import ownership
from eventreg.following.models import FollowedCalendar
from eventreg.organizers import access, leaving, service
from eventreg.organizers.models import Organizer


@dataclass(frozen=True, slots=True)
class HandedOver:
    """What went to the other account."""

    events: int
    calendars: int


def remove_account(session: Session, *, email: str, to: str | None, actor: audit.Actor, now: datetime) -> HandedOver:
    """Removes the account; `to` takes over what it has.

    Raises: NotFound for either address; AccountNeeded for the last administrator, when nobody takes over what the
    account has, or when `to` cannot.
    """
    leaver = service.known(session, email)
    events, calendars = ownership.count_of(session, leaver.id), _calendars_of(session, leaver.id)
    if to is not None:
        heir = _heir(session, to, leaver)
        mine = FollowedCalendar.organizer_id == leaver.id
        session.execute(update(FollowedCalendar).where(mine).values(organizer_id=heir.id))
        ownership.hand_over(session, organizer_id=leaver.id, email=leaver.email, to_id=heir.id, actor=actor, now=now)
    elif events or calendars:
        raise AccountNeeded(
            _(
                "%(email)s has %(events)s events and %(calendars)s followed calendars. Name the account that takes "
                "them over with --to EMAIL, or disable the account instead.",
                email=leaver.email,
                events=events,
                calendars=calendars,
            )
        )
    leaving.remove(session, organizer=leaver, actor=actor, now=now)
    return HandedOver(events, calendars)


def _calendars_of(session: Session, organizer_id: int) -> int:
    return session.scalar(select(func.count()).where(FollowedCalendar.organizer_id == organizer_id)) or 0


def _heir(session: Session, email: str, leaver: Organizer) -> Organizer:
    heir = service.known(session, email)
    if heir.id == leaver.id or not heir.active or not access.can_organize(heir):
        raise AccountNeeded(
            _(
                "%(email)s cannot take over events: name another account that is enabled and organizes.",
                email=heir.email,
            )
        )
    return heir
