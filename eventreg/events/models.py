"""Events, their pictures and their questions."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, LargeBinary, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from eventreg.db import Base
from eventreg.indexes import index_of_some

STATUSES = ("draft", "published", "cancelled")
VISIBILITIES = ("public", "unlisted", "private")
"""public: listed everywhere. unlisted: only by its address. private: its organizers and the people on its list."""
WAITLIST_RULES = ("skip", "hold")
"""What happens to a waiting party larger than the free seats: it is skipped, or the seats are held for it."""
LONG_SQLITE = "julianday(events.ends_at) - julianday(events.starts_at) > 6.9"
LONG_POSTGRESQL = "events.ends_at - events.starts_at > interval '6.9 days'"
"""What lasts longer than a week, or nearly; see `events.spans`."""
LISTED = "visibility = 'public' AND status <> 'draft'"
"""Of whom everybody hears; the condition of the indexes of lists and feeds."""
QUESTION_KINDS = ("text", "paragraph", "choice", "checkbox")


class Event(Base):
    """One date on which something happens. A series is several events.

    `starts_at`/`ends_at` are instants; an all-day event runs from the first local midnight to the one after
    its last day. `seats_taken` counts heads of confirmed "yes" answers and is changed only by
    `registrations.seats`. `sequence` rises on every change of time, place, title, text or status
    (RFC 5545 section 3.8.7.4); `significant_sequence` is its value at the last change of time, place or status.
    """

    __tablename__ = "events"
    __table_args__ = (
        CheckConstraint("seats_taken >= 0", name="seats_taken_not_negative"),
        CheckConstraint(
            "capacity IS NULL OR (capacity >= 1 AND seats_taken <= capacity)", name="seats_within_capacity"
        ),
        CheckConstraint("max_party_size BETWEEN 1 AND 100", name="max_party_size_sane"),
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        CheckConstraint("status IN ('draft', 'published', 'cancelled')", name="status_known"),
        CheckConstraint("visibility IN ('public', 'unlisted', 'private')", name="visibility_known"),
        CheckConstraint("waitlist_rule IN ('skip', 'hold')", name="waitlist_rule_known"),
        CheckConstraint(
            "registration_opens_at IS NULL OR registration_closes_at IS NULL"
            " OR registration_closes_at > registration_opens_at",
            name="window_in_order",
        ),
        # The lists and feeds: public events that are not drafts, by time; a feed's state is read from it alone.
        index_of_some(
            "ix_events_listed",
            "starts_at",
            "id",
            "ends_at",
            "status",
            "updated_at",
            "ics_digest",
            where=LISTED,
        ),
        # The same of one category, read from the index alone.
        index_of_some(
            "ix_events_listed_category",
            "category_key",
            "starts_at",
            "id",
            "ends_at",
            "status",
            where=LISTED,
        ),
        # What began long ago and is still under way, which an index by beginning cannot tell. All of it is public:
        # a column to be equal to is what makes SQLite, which knows no numbers of rows, prefer this index.
        index_of_some(
            "ix_events_long",
            "visibility",
            "ends_at",
            "starts_at",
            "id",
            "status",
            sqlite=f"{LISTED} AND {LONG_SQLITE.replace('events.', '')}",
            postgresql=f"{LISTED} AND {LONG_POSTGRESQL.replace('events.', '')}",
        ),
        # When the next event ends: so long is a list good.
        index_of_some(
            "ix_events_ends_at",
            "ends_at",
            where=LISTED,
        ),
        # What there is to filter by, each once, with when its first and last event end.
        index_of_some(
            "ix_events_categories",
            "category_key",
            "ends_at",
            where=LISTED,
        ),
        index_of_some(
            "ix_events_audiences",
            "audience",
            "ends_at",
            where=LISTED,
        ),
        Index("ix_events_updated_at", "updated_at"),  # Last-Modified of every feed
        Index("ix_events_organizer_id", "organizer_id", "starts_at"),  # the desk: my events
        Index("ix_events_category_key", "category_key", "starts_at"),  # a category's list and feed
        # The clock: whose reminders are due.
        index_of_some(
            "ix_events_remind_at",
            "remind_at",
            where="remind_at IS NOT NULL",
        ),
        Index("ix_events_source_id", "source_id", "starts_at"),  # what a followed calendar brought
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(255), unique=True)
    slug: Mapped[str] = mapped_column(String(100), unique=True)
    organizer_id: Mapped[int] = mapped_column(ForeignKey("organizers.id"))

    title: Mapped[str] = mapped_column(String(200))
    summary: Mapped[str] = mapped_column(String(400), default="")
    description: Mapped[str] = mapped_column(Text, default="")
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    timezone: Mapped[str] = mapped_column(String(64))
    all_day: Mapped[bool] = mapped_column(default=False)
    location_name: Mapped[str] = mapped_column(String(200), default="")
    location_address: Mapped[str] = mapped_column(String(400), default="")
    directions: Mapped[str] = mapped_column(Text, default="")
    online_url: Mapped[str] = mapped_column(String(1000), default="")
    contact_email: Mapped[str] = mapped_column(String(254), default="")
    category: Mapped[str] = mapped_column(String(60), default="")
    category_key: Mapped[str] = mapped_column(String(60), default="")
    audience: Mapped[str] = mapped_column(String(400), default="")
    """Names as typed, separated by ", "."""
    audience_keys: Mapped[str] = mapped_column(String(400), default="")
    """Keys between bars, like `|alumni|faculty|`, so that one LIKE finds one of them."""
    search_text: Mapped[str] = mapped_column(Text, default="")
    """What the search looks through, folded by `events.search.fold`."""

    status: Mapped[str] = mapped_column(String(20), default="draft")
    visibility: Mapped[str] = mapped_column(String(20), default="public")
    capacity: Mapped[int | None]
    seats_taken: Mapped[int] = mapped_column(default=0)
    max_party_size: Mapped[int] = mapped_column(default=1)
    waitlist_open: Mapped[bool] = mapped_column(default=True)
    waitlist_rule: Mapped[str] = mapped_column(String(10), default="skip")
    offer_hours: Mapped[int | None]
    """How long somebody who moves up has to accept the offered place; None gives it to them at once."""
    needs_approval: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether a "yes" is `pending`, without seats, until an organizer approves it."""
    confirm_address: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether an answer counts only once the link mailed to its address was used."""
    registration_opens_at: Mapped[datetime | None]
    registration_closes_at: Mapped[datetime | None]
    # Or SQLAlchemy would take a None that was chosen for one that was left out, and write the default.
    reminder_hours: Mapped[int | None] = mapped_column(Integer().evaluates_none(), default=24, server_default="24")
    """How long before it begins those who come are reminded; None never."""
    remind_at: Mapped[datetime | None]
    """When the reminders fall due; None once they are queued, or when there are none to send."""
    reminded_at: Mapped[datetime | None]
    """When they were queued; None again when the event has moved so that its people are to be reminded anew."""

    source_id: Mapped[int | None] = mapped_column(ForeignKey("followed_calendars.id"))
    """The followed calendar it came from; such an event is changed there and not here."""
    source_sequence: Mapped[int] = mapped_column(default=0, server_default="0")
    """SEQUENCE in the source, as last taken over."""
    source_stamp_at: Mapped[datetime | None]
    """LAST-MODIFIED or DTSTAMP in the source, as last taken over."""
    source_url: Mapped[str] = mapped_column(String(1000), default="", server_default="")
    """The event's own page there, where it names one."""
    source_missing_at: Mapped[datetime | None]
    """Since when the source no longer names it."""

    revision: Mapped[int] = mapped_column(default=0, server_default="0")
    """Rises on every change of anything its page shows, questions and picture included, except its seats."""
    sequence: Mapped[int] = mapped_column(default=0)
    significant_sequence: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]

    ics_block: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    """The event's VEVENT as every public feed shows it, written in the transaction that changed the event."""
    ics_digest: Mapped[int] = mapped_column(BigInteger, default=0)
    """40 bits of SHA-256 of `ics_block`; a feed's ETag is made of their sum, before any block is read."""


class Picture(Base):
    """An event's picture, re-encoded at upload. Kept in the database: web hosts share no files."""

    __tablename__ = "event_pictures"

    event_id: Mapped[int] = mapped_column(ForeignKey("events.id", ondelete="CASCADE"), primary_key=True)
    digest: Mapped[str] = mapped_column(String(16))
    alt_text: Mapped[str] = mapped_column(String(200), default="")
    width: Mapped[int]
    height: Mapped[int]
    webp: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)


class Question(Base):
    """Something an event asks the people who register. A retired question keeps its answers and export column."""

    __tablename__ = "questions"
    __table_args__ = (
        CheckConstraint("kind IN ('text', 'paragraph', 'choice', 'checkbox')", name="kind_known"),
        Index("ix_questions_event_id", "event_id", "position"),  # an event's form and export columns
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id", ondelete="CASCADE"))
    position: Mapped[int]
    label: Mapped[str] = mapped_column(String(200))
    hint: Mapped[str] = mapped_column(String(300), default="")
    kind: Mapped[str] = mapped_column(String(20), default="text")
    choices: Mapped[str] = mapped_column(Text, default="")
    """One choice a line, for kind "choice"."""
    required: Mapped[bool] = mapped_column(default=False)
    retired_at: Mapped[datetime | None]


class SiteState(Base):
    """Small facts about the database itself, like what the stored calendar blocks were made with."""

    __tablename__ = "site_state"

    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[dict[str, Any]]


class Counter(Base):
    """A number that only rises; "events" with every change of any event, so that a list knows it is still true.

    "job:..." counts the turns of a job of the clock, and goes back when the clock does.
    """

    __tablename__ = "counters"

    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger)
