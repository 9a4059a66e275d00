"""The generation of a person's private feed."""

from sqlalchemy.orm import Session

from eventreg.registrations.models import FeedReset


def reset(session: Session, email_key: str) -> int:
    """Raises the generation, so that every feed address made before is unknown from now on; returns the new one."""
    row = session.get(FeedReset, email_key, with_for_update=True)
    if row is None:
        row = FeedReset(email_key=email_key, generation=1)
        session.add(row)
    row.generation += 1
    session.flush()
    return row.generation
