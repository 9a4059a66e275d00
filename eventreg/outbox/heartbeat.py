"""A sign of life of the mail worker, for `/readyz` and `eventreg doctor`. Any worker's will do."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from eventreg.db import upsert
from eventreg.events.models import SiteState

KEY = "mail-worker"
SILENCE = timedelta(minutes=3)
"""A worker says every minute that it lives; after this long without a word it is missed."""


def beat(session: Session, *, now: datetime) -> None:
    """Records that a worker was alive then. Several may say so at once."""
    value = {"seen_at": now.isoformat()}
    session.execute(
        upsert(session, SiteState)
        .values(key=KEY, value=value)
        .on_conflict_do_update(index_elements=["key"], set_={"value": value})
    )


def last_seen(session: Session) -> datetime | None:
    """When a worker last was alive; None when none ever was."""
    value = session.scalar(select(SiteState.value).where(SiteState.key == KEY))
    return None if value is None else datetime.fromisoformat(value["seen_at"])


def is_heard(session: Session, *, now: datetime) -> bool:
    """Whether some worker has been alive lately."""
    seen = last_seen(session)
    return seen is not None and now - seen < SILENCE
