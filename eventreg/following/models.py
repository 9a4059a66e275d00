"""A calendar somewhere else that is read every hour."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from eventreg.db import Base


class FollowedCalendar(Base):
    """An https address of an iCalendar feed, what it answered last, and when it is asked again."""

    __tablename__ = "followed_calendars"
    __table_args__ = (
        CheckConstraint("visibility IN ('public', 'unlisted', 'private')", name="visibility_known"),
        Index("ix_followed_calendars_next_fetch_at", "next_fetch_at"),  # the clock: which are due
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    url: Mapped[str] = mapped_column(String(2000), unique=True)
    title: Mapped[str] = mapped_column(String(200), default="")
    organizer_id: Mapped[int] = mapped_column(ForeignKey("organizers.id"))
    """Whose events its events are."""
    category: Mapped[str] = mapped_column(String(60), default="")
    """Given to its events that name none."""
    visibility: Mapped[str] = mapped_column(String(20), default="public")
    etag: Mapped[str] = mapped_column(String(500), default="")
    last_modified: Mapped[str] = mapped_column(String(100), default="")
    """Sent back as If-None-Match and If-Modified-Since."""
    fetched_at: Mapped[datetime | None]
    """When it last answered, with events or with “nothing new”."""
    next_fetch_at: Mapped[datetime | None]
    """When it is asked again; None while it is paused."""
    failures: Mapped[int] = mapped_column(default=0)
    """How often in a row it could not be read."""
    report: Mapped[str] = mapped_column(Text, default="")
    """What the last reading took, changed and skipped, or why it failed, in words."""
    created_at: Mapped[datetime]
