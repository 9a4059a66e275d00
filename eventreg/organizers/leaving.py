"""Disabling, enabling and removing accounts, and their role. There is always an administrator who can sign in."""

from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from eventreg import audit
from eventreg.errors import AccountNeeded
from eventreg.organizers import access, service, trail
from eventreg.organizers.models import Organizer, Role


def disable(session: Session, *, email: str, actor: audit.Actor, now: datetime) -> Organizer:
    """Signs the account out everywhere and lets nobody in again; reset links and the feed's address end too.

    Raises: NotFound; AccountNeeded for the last administrator.
    """
    organizer = service.known(session, email)
    _refuse_last_admin(session, organizer)
    organizer.active = False
    service.revoke(session, organizer, now=now)
    trail.note(session, action="organizer.disabled", account=organizer, now=now, actor=actor)
    return organizer


def enable(session: Session, *, email: str, actor: audit.Actor, now: datetime) -> Organizer:
    """Lets the account sign in again, with the password it had. Raises: NotFound."""
    organizer = service.known(session, email)
    organizer.active = True
    session.flush()
    trail.note(session, action="organizer.enabled", account=organizer, now=now, actor=actor)
    return organizer


def set_role(session: Session, *, email: str, role: str, actor: audit.Actor, now: datetime) -> Organizer:
    """One of ROLES in the place of what the account had; its sessions go on with it from their next request.

    Raises: NotFound; InvalidField for `role`; AccountNeeded for the last administrator.
    """
    organizer = service.known(session, email)
    before = access.role_of(organizer)
    if role != "admin":
        _refuse_last_admin(session, organizer)
    organizer.roles = [service.role_named(session, role)]
    session.flush()
    changes = {"role": (before, role)}
    trail.note(session, action="organizer.role_changed", account=organizer, now=now, actor=actor, changes=changes)
    return organizer


def remove(session: Session, *, organizer: Organizer, actor: audit.Actor, now: datetime) -> None:
    """Deletes an account that owns nothing any more; its audit entries stay.

    Raises: AccountNeeded for the last administrator.
    """
    _refuse_last_admin(session, organizer)
    trail.note(session, action="organizer.removed", account=organizer, now=now, actor=actor)
    session.delete(organizer)
    session.flush()


def mailed_about(session: Session, *, contact: str, organizer_id: int) -> str:
    """Who is mailed about an event: its contact, or its organizer, or an administrator; never a disabled account.

    Empty when there is none.
    """
    if contact:
        account = service.find(session, contact)
        if account is None or account.active:
            return contact
    owner = session.get_one(Organizer, organizer_id)
    if owner.active:
        return owner.email
    return session.scalar(_admins().with_only_columns(Organizer.email).limit(1)) or ""


def _refuse_last_admin(session: Session, organizer: Organizer) -> None:
    if not access.is_admin(organizer) or not organizer.active:
        return
    session.execute(select(Role.id).where(Role.name == "admin").with_for_update())  # one at a time
    if session.scalar(_admins().with_only_columns(Organizer.id).where(Organizer.id != organizer.id).limit(1)) is None:
        raise AccountNeeded(
            _(
                "%(email)s is the only administrator who can sign in. Make another one first: "
                "eventreg organizer role EMAIL admin",
                email=organizer.email,
            )
        )


def _admins():  # type: ignore[no-untyped-def]  # noqa: ANN202 - SQLAlchemy's generic names nothing here
    return select(Organizer).join(Organizer.roles).where(Role.name == "admin", Organizer.active).order_by(Organizer.id)
