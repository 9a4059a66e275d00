"""Sign-ins kept in the database, so that ending one ends every copy of its cookie, on every host.

The idle limit is not kept here: the time of the last request stands in the signed cookie, which is sent anew every few
minutes. So reading a page writes nothing, and a copy of a cookie goes stale while its owner goes on working.
"""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Row, delete, select, update
from sqlalchemy.orm import Session

from eventreg.organizers.models import Organizer, SignIn

LONGEST = timedelta(days=7)
"""After that one signs in again, however busy the session was."""
HALFWAY = timedelta(minutes=10)
"""For the code that is asked for after the password."""
NOTED_EVERY = timedelta(minutes=5)
"""How exact `changed_at` is, so that most requests that write do not write this as well."""
KEPT = timedelta(days=30)


def begin(session: Session, *, organizer_id: int, user_agent: str, now: datetime, is_halfway: bool = False) -> str:
    """A new sign-in; the token that the session cookie holds from now on."""
    token = secrets.token_urlsafe(24)
    session.add(
        SignIn(
            organizer_id=organizer_id,
            token_hash=_hashed(token),
            is_halfway=is_halfway,
            user_agent=user_agent[:200],
            created_at=now,
            changed_at=now,
        )
    )
    session.flush()
    return token


def account_of(session: Session, *, uniquifier: str, token: str, now: datetime) -> Row[Organizer, datetime] | None:
    """(account, when it last changed something) of a sign-in that is whole and not ended; one statement."""
    return session.execute(
        select(Organizer, SignIn.changed_at)
        .join(SignIn, SignIn.organizer_id == Organizer.id)
        .where(
            SignIn.token_hash == _hashed(token),
            SignIn.ended_at.is_(None),
            SignIn.is_halfway.is_(False),
            SignIn.created_at > now - LONGEST,
            Organizer.fs_uniquifier == uniquifier,
            Organizer.active,
        )
    ).one_or_none()


def is_halfway(session: Session, *, uniquifier: str, token: str, now: datetime) -> bool:
    """Whether the password was given under that token a moment ago and the code was not yet."""
    mine = (Organizer.fs_uniquifier == uniquifier, Organizer.active)
    found = select(SignIn.id).join(Organizer, Organizer.id == SignIn.organizer_id)
    return session.scalar(found.where(*_open_halfway(token, now), *mine)) is not None


def finish_halfway(session: Session, *, token: str, now: datetime) -> bool:
    """Uses it up; False when another request was first."""
    done = session.execute(update(SignIn).where(*_open_halfway(token, now)).values(ended_at=now).returning(SignIn.id))
    return done.first() is not None


def end(session: Session, *, token: str, now: datetime) -> None:
    """Signs out."""
    session.execute(update(SignIn).where(SignIn.token_hash == _hashed(token), _still_open()).values(ended_at=now))


def end_one(session: Session, *, organizer_id: int, sign_in_id: int, now: datetime) -> bool:
    """Ends one of the account's own; False when there is none such."""
    mine = (SignIn.id == sign_in_id, SignIn.organizer_id == organizer_id, _still_open())
    return session.execute(update(SignIn).where(*mine).values(ended_at=now).returning(SignIn.id)).first() is not None


def end_all(session: Session, *, organizer_id: int, now: datetime, but: str | None = None) -> None:
    """Ends all of the account's, unfinished ones too; `but` is the token of the one that goes on."""
    ended = update(SignIn).where(SignIn.organizer_id == organizer_id, _still_open())
    if but is not None:
        ended = ended.where(SignIn.token_hash != _hashed(but))
    session.execute(ended.values(ended_at=now))


def open_ones(session: Session, *, organizer_id: int, now: datetime) -> Sequence[SignIn]:
    """Where the account is signed in, latest first."""
    mine = (SignIn.organizer_id == organizer_id, _still_open(), SignIn.is_halfway.is_(False))
    query = select(SignIn).where(*mine, SignIn.created_at > now - LONGEST)
    return session.scalars(query.order_by(SignIn.changed_at.desc(), SignIn.id.desc()).limit(50)).all()


def is_of(sign_in: SignIn, token: str) -> bool:
    """Whether that token is this sign-in's."""
    return sign_in.token_hash == _hashed(token)


def note_change(session: Session, *, token: str, now: datetime) -> None:
    """Moves `changed_at`."""
    session.execute(update(SignIn).where(SignIn.token_hash == _hashed(token)).values(changed_at=now))


def are_old(session: Session, *, now: datetime) -> bool:
    """Whether there are sign-ins to delete."""
    return session.scalar(select(SignIn.id).where(SignIn.created_at < now - KEPT).limit(1)) is not None


def delete_old(session: Session, *, now: datetime, limit: int) -> int:
    """Deletes up to `limit` of those that ended long ago; the audit trail keeps that they were."""
    old = session.scalars(select(SignIn.id).where(SignIn.created_at < now - KEPT).limit(limit)).all()
    session.execute(delete(SignIn).where(SignIn.id.in_(old)))
    return len(old)


def _open_halfway(token: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        SignIn.token_hash == _hashed(token),
        SignIn.is_halfway.is_(True),
        SignIn.ended_at.is_(None),
        SignIn.created_at > now - HALFWAY,
    )


def _still_open() -> ColumnElement[bool]:
    return SignIn.ended_at.is_(None)


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
