"""A person's answer to an event, what became of it, and what they were asked."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from eventreg.db import Base
from eventreg.indexes import index_of_some

RSVPS = ("yes", "no", "maybe")
"""iCalendar PARTSTAT ACCEPTED, DECLINED, TENTATIVE (RFC 5545 section 3.2.12)."""
STATUSES = ("pending", "confirmed", "waitlisted", "cancelled")
LIVE = text("status <> 'cancelled'")
LONGEST_SEARCH_TEXT = 500


class Registration(Base):
    """One answer. `rsvp` is what the person said, `status` what became of it; the two are never mixed.

    Seats are held by `rsvp = 'yes' AND status = 'confirmed'`, `party_size` of them, and as many by a waiting party
    with an open offer (`offer_expires_at`). A "no" or "maybe" is confirmed as given and holds none, a `pending`
    "yes" none until it is approved. `link_generation` is raised when its mailed links must die.
    """

    __tablename__ = "registrations"
    __table_args__ = (
        CheckConstraint("rsvp IN ('yes', 'no', 'maybe')", name="rsvp_known"),
        CheckConstraint("status IN ('pending', 'confirmed', 'waitlisted', 'cancelled')", name="status_known"),
        CheckConstraint("party_size >= 1", name="party_size_positive"),
        CheckConstraint("status <> 'waitlisted' OR (rsvp = 'yes' AND waitlisted_at IS NOT NULL)", name="waits_for_yes"),
        CheckConstraint("email_key = lower(email_key)", name="email_key_lower"),
        # One live registration per event and address.
        index_of_some(
            "uq_registrations_live",
            "event_id",
            "email_key",
            unique=True,
            where=LIVE.text,
        ),
        # Next in line.
        index_of_some(
            "ix_registrations_waiting",
            "event_id",
            "waitlisted_at",
            "id",
            where="status = 'waitlisted'",
        ),
        # The clock: whose offer has run out.
        index_of_some(
            "ix_registrations_offers",
            "offer_expires_at",
            where="offer_expires_at IS NOT NULL",
        ),
        # One answer per opening of the form.
        index_of_some(
            "uq_registrations_opening",
            "opening",
            unique=True,
            where="opening IS NOT NULL",
        ),
        Index("ix_registrations_event_id", "event_id", "id"),  # attendee list and exports, in order of arrival
        Index("ix_registrations_email_key", "email_key"),  # lost link; personal feed
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str] = mapped_column(String(254))
    """As given, for writing to."""
    email_key: Mapped[str] = mapped_column(String(254))
    """Lower case, for telling people apart."""
    search_text: Mapped[str] = mapped_column(String(LONGEST_SEARCH_TEXT), default="")
    """Name and address folded by `events.search.fold`, for the attendee list's search."""
    rsvp: Mapped[str] = mapped_column(String(10))
    status: Mapped[str] = mapped_column(String(20))
    party_size: Mapped[int] = mapped_column(default=1)
    waitlisted_at: Mapped[datetime | None]
    offer_expires_at: Mapped[datetime | None]
    """Until when a waiting party may accept the seats that are held for it; None without an offer."""
    entry_id: Mapped[int | None]
    """The first registration of this address for this event, None when this is it: their calendar knows one entry."""
    reply_sequence: Mapped[int | None]
    """SEQUENCE that the last answer taken over belonged to, from a calendar or from the web."""
    reply_stamp_at: Mapped[datetime | None]
    """DTSTAMP of the last answer taken over; an older one is not believed any more."""
    source: Mapped[str] = mapped_column(String(20), default="form")
    """form, organizer, calendar or import: how the answer came in."""
    opening: Mapped[str | None] = mapped_column(String(32))
    """Which opening of the form its answer came from last; see `service.register`. None where no form was opened."""
    note: Mapped[str] = mapped_column(Text, default="")
    """The organizers' own words about it; never shown to the attendee."""
    link_generation: Mapped[int] = mapped_column(default=1)
    calendar_stamp_at: Mapped[datetime]
    """DTSTAMP of the last calendar part made for it; the next must be later."""
    checked_in_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    cancelled_at: Mapped[datetime | None]

    @property
    def reply_id(self) -> int:
        """What their calendar knows it by, the same when they cancel and register again; see `Links.reply_token`."""
        return self.entry_id or self.id

    @property
    def is_offered(self) -> bool:
        """Whether it waits and places are held for it to accept."""
        return self.status == "waitlisted" and self.offer_expires_at is not None

    @property
    def seats_held(self) -> int:
        """Seats counted for it on its event; `seats.HELD` is the same rule in SQL."""
        return self.party_size if self.rsvp == "yes" and (self.status == "confirmed" or self.is_offered) else 0


class Answer(Base):
    """What one registration answered to one question."""

    __tablename__ = "answers"

    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id", ondelete="CASCADE"), primary_key=True)
    question_id: Mapped[int] = mapped_column(ForeignKey("questions.id"), primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class FeedReset(Base):
    """How often a person has reset the address of their personal feed; no row means never."""

    __tablename__ = "feed_resets"

    email_key: Mapped[str] = mapped_column(String(254), primary_key=True)
    generation: Mapped[int]
