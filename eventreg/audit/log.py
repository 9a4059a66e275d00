"""The one function that writes the audit trail."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Self

from sqlalchemy import insert
from sqlalchemy.orm import Session

from eventreg.audit.models import AuditEntry


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: `kind` is organizer, attendee, visitor (not signed in), command or system."""

    kind: str
    id: int | None = None
    name: str = ""

    @classmethod
    def attendee(cls) -> Self:
        """The person behind a signed link; the registration the entry names says who."""
        return cls("attendee")

    @classmethod
    def visitor(cls) -> Self:
        """A request that is not signed in."""
        return cls("visitor")

    @classmethod
    def system(cls, name: str = "eventreg") -> Self:
        """The service itself, or a command typed on its host."""
        return cls("system", None, name)


def record(
    session: Session,
    *,
    actor: Actor,
    action: str,
    now: datetime,
    event_id: int | None = None,
    registration_id: int | None = None,
    account_id: int | None = None,
    changes: Mapping[str, tuple[Any, Any]] | None = None,
) -> None:
    """Adds one entry to the caller's transaction. `changes` maps a field to (old, new)."""
    about = [(event_id, registration_id)]
    _add(session, actor=actor, action=action, now=now, about=about, account_id=account_id, changes=changes)


def record_all(
    session: Session,
    *,
    actor: Actor,
    action: str,
    now: datetime,
    event_id: int | None,
    registration_ids: Iterable[int | None],
    changes: Mapping[str, tuple[Any, Any]] | None = None,
) -> None:
    """Adds the same entry about each of these registrations, in one statement."""
    about = [(event_id, registration_id) for registration_id in registration_ids]
    _add(session, actor=actor, action=action, now=now, about=about, changes=changes)


def record_events(session: Session, *, actor: Actor, action: str, now: datetime, event_ids: Iterable[int]) -> None:
    """Adds the same entry about each of these events, in one statement."""
    _add(session, actor=actor, action=action, now=now, about=[(event_id, None) for event_id in event_ids])


def _add(
    session: Session,
    *,
    actor: Actor,
    action: str,
    now: datetime,
    about: Iterable[tuple[int | None, int | None]],
    account_id: int | None = None,
    changes: Mapping[str, tuple[Any, Any]] | None = None,
) -> None:
    entry = {
        "at": now,
        "actor_kind": actor.kind,
        "actor_id": actor.id,
        "actor_name": actor.name,
        "action": action,
        "account_id": account_id,
        "changes": {key: [_plain(old), _plain(new)] for key, (old, new) in (changes or {}).items()},
    }
    rows = [{**entry, "event_id": event_id, "registration_id": registration_id} for event_id, registration_id in about]
    if rows:
        session.execute(insert(AuditEntry), rows)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)
