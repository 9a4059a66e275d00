"""Making accounts and changing their secrets. Needs an app context: the hashing is set up by `accounts`."""

import secrets
import uuid
from datetime import datetime

from flask_babel import gettext as _
from flask_security.utils import hash_password
from sqlalchemy import select
from sqlalchemy.orm import Session

from eventreg import addresses, audit, text
from eventreg.errors import InvalidField, NotFound
from eventreg.organizers import passwords, sign_ins, trail
from eventreg.organizers.models import ROLES, Organizer, Role

LONGEST_NAME = 200
FIRST_GENERATIONS = 2**30
"""A feed begins with any of them: SQLite may give the id of a removed account to a new one, and links are for good."""


def find(session: Session, email: str) -> Organizer | None:
    """The account with that address, however it is written."""
    return session.scalar(select(Organizer).where(Organizer.email == addresses.identity(email)))


def by_uniquifier(session: Session, uniquifier: str) -> Organizer | None:
    """The account that sessions and reset links name so."""
    return session.scalar(select(Organizer).where(Organizer.fs_uniquifier == uniquifier))


def named(session: Session, name: str) -> Organizer | None:
    """The account of an address or a uniquifier."""
    return find(session, name) if "@" in name else by_uniquifier(session, name)


def known(session: Session, email: str) -> Organizer:
    """As `find`. Raises: NotFound."""
    organizer = find(session, email)
    if organizer is None:
        raise NotFound(_("There is no account for %(email)s.", email=addresses.identity(email)))
    return organizer


def everybody(session: Session) -> list[Organizer]:
    """Every account, by address."""
    return list(session.scalars(select(Organizer).order_by(Organizer.email)))


def add(
    session: Session,
    *,
    email: str,
    name: str = "",
    role: str = "organizer",
    password: str | None,
    now: datetime,
    actor: audit.Actor | None = None,
) -> Organizer:
    """A new account. Without a password it is opened by “forgot your password” alone.

    Raises: InvalidField for `email` (bad or taken), `role` or `password` (weak).
    """
    address = addresses.normalised(email).lower()
    given = role_named(session, role)
    if find(session, address) is not None:
        raise InvalidField("email", _("There is already an account for %(email)s.", email=address))
    organizer = Organizer(
        email=address,
        name=text.beginning(name, most=LONGEST_NAME),
        password=_hashed(password if password is not None else secrets.token_urlsafe(32), email=address),
        active=True,
        fs_uniquifier=uuid.uuid4().hex,
        created_at=now,
        roles=[given],
        feed_generation=1 + secrets.randbelow(FIRST_GENERATIONS),
    )
    session.add(organizer)
    session.flush()
    by = actor or audit.Actor.system()
    trail.note(session, action="organizer.added", account=organizer, now=now, actor=by, changes={"role": (None, role)})
    return organizer


def set_password(
    session: Session, *, email: str, password: str, now: datetime, forget_two_factor: bool = False
) -> Organizer:
    """A new password, which signs the account out everywhere.

    `forget_two_factor` is for somebody who lost their phone and their recovery codes.
    Raises: NotFound; InvalidField for `password`.
    """
    organizer = known(session, email)
    organizer.password = _hashed(password, email=organizer.email)
    revoke(session, organizer, now=now)
    if forget_two_factor:
        organizer.tf_primary_method = None
        organizer.tf_totp_secret = None
        organizer.tf_last_counter = None
        organizer.mf_recovery_codes = None
    session.flush()
    trail.note(
        session,
        action=trail.PASSWORD_SET,
        account=organizer,
        now=now,
        actor=audit.Actor.system(),
        changes={"two_factor_forgotten": (None, forget_two_factor)},
    )
    return organizer


def revoke(session: Session, organizer: Organizer, *, now: datetime) -> None:
    """Ends every sign-in of the account, its pending reset links, and the address of its feed."""
    organizer.fs_uniquifier = uuid.uuid4().hex
    revoke_others(session, organizer, now=now, but=None)


def revoke_others(session: Session, organizer: Organizer, *, now: datetime, but: str | None) -> None:
    """Ends its sign-ins but the one of that token, and the address of its feed, which a signed-in visitor reads."""
    sign_ins.end_all(session, organizer_id=organizer.id, now=now, but=but)
    organizer.feed_generation += 1
    session.flush()


def reset_feed(session: Session, *, organizer_id: int, actor: audit.Actor, now: datetime) -> int:
    """Raises the generation of the organizer's own feed, so that its old address is unknown; returns the new one."""
    organizer = session.get_one(Organizer, organizer_id, with_for_update=True)
    old = organizer.feed_generation
    organizer.feed_generation = old + 1
    session.flush()
    changes = {"feed_generation": (old, old + 1)}
    trail.note(session, action="organizer.feed_reset", account=organizer, now=now, actor=actor, changes=changes)
    return organizer.feed_generation


def _roles(role: str) -> dict[str, str]:
    return {"role": role, "roles": ", ".join(ROLES)}


def role_named(session: Session, name: str) -> Role:
    """The role. Raises: InvalidField."""
    if name not in ROLES:
        raise InvalidField("role", _("There is no role called “%(role)s”. Choose %(roles)s.", **_roles(name)))
    role = session.scalar(select(Role).where(Role.name == name))
    if role is None:
        role = Role(name=name, description="")
        session.add(role)
    return role


def _hashed(password: str, *, email: str) -> str:
    normal = passwords.normalize(password)
    fault = passwords.fault(normal, email=email)
    if fault is not None:
        raise InvalidField("password", fault)
    return str(hash_password(normal))
