"""A sign of life of the mail worker, for `/readyz` and `eventreg doctor`. Any worker's will do."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from eventreg.events.models import SiteState

KEY = "mail-worker"


def beat(session: Session, *, now: datetime) -> None:
    """Records that a worker was alive then."""
    value = {"seen_at": now.isoformat()}
    changed = session.scalars(
        update(SiteState).where(SiteState.key == KEY).values(value=value).returning(SiteState.key)
    ).all()
    if not changed:
        session.add(SiteState(key=KEY, value=value))
        session.flush()


def last_seen(session: Session) -> datetime | None:
    """When a worker last was alive; None when none ever was."""
    value = session.scalar(select(SiteState.value).where(SiteState.key == KEY))
    return None if value is None else datetime.fromisoformat(value["seen_at"])
