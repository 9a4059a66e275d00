"""Accounts of the people who run events, in the shape Flask-Security-Too asks for."""

from datetime import datetime

from flask_security import AsaList, RoleMixin, UserMixin
from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, ForeignKey, Index, String, Table
from sqlalchemy.ext.mutable import MutableList
from sqlalchemy.orm import Mapped, mapped_column, relationship

from eventreg.db import Base

ROLES = ("admin", "organizer", "door")
"""admin: every event and account. organizer: their own events. door: names and party sizes, no more."""

organizers_roles = Table(
    "organizers_roles",
    Base.metadata,
    Column("organizer_id", ForeignKey("organizers.id", ondelete="CASCADE"), primary_key=True),
    Column("role_id", ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True),
)


class Codes(AsaList):
    """Flask-Security's list in one text column, with what SQLAlchemy wants to be told about it."""

    cache_ok = True


class Role(Base, RoleMixin):
    """One of ROLES; rows are made by the first migration."""

    __tablename__ = "roles"
    __table_args__ = (CheckConstraint("name IN ('admin', 'organizer', 'door')", name="name_known"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(20), unique=True)
    description: Mapped[str] = mapped_column(String(200), default="")


class Organizer(Base, UserMixin):
    """One account. `email` is kept normalised and lower-case.

    `fs_uniquifier` names the account in sessions and reset links; a new password gives a new one, which ends both.
    `tf_totp_secret` and `mf_recovery_codes` are encrypted with keys derived from SECRET_KEY.
    """

    __tablename__ = "organizers"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(200), default="")
    password: Mapped[str | None] = mapped_column(String(255))
    active: Mapped[bool] = mapped_column(Boolean, default=True)
    fs_uniquifier: Mapped[str] = mapped_column(String(64), unique=True)
    tf_primary_method: Mapped[str | None] = mapped_column(String(64))
    tf_totp_secret: Mapped[str | None] = mapped_column(String(255))
    tf_last_counter: Mapped[int | None] = mapped_column(BigInteger)
    """Time step of the last accepted authenticator code: a code works once."""
    mf_recovery_codes: Mapped[list[str] | None] = mapped_column(MutableList.as_mutable(Codes()))
    feed_generation: Mapped[int] = mapped_column(default=1, server_default="1")
    """Raised when the address of their own feed must die."""
    created_at: Mapped[datetime]

    roles: Mapped[list[Role]] = relationship(  # type: ignore[assignment]  # Flask-Security says RoleMixin
        secondary=organizers_roles, lazy="selectin"
    )


class SignIn(Base):
    """One sign-in in one browser. The session cookie holds its token, the table only the token's SHA-256."""

    __tablename__ = "sign_ins"
    __table_args__ = (
        Index("ix_sign_ins_organizer_id", "organizer_id", "id"),  # the account's own list
        Index("ix_sign_ins_created_at", "created_at"),  # those that are old enough to be deleted
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    organizer_id: Mapped[int] = mapped_column(ForeignKey("organizers.id", ondelete="CASCADE"))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    is_halfway: Mapped[bool] = mapped_column(Boolean)
    """The password was given and a code is asked for. Opens nothing, and can be finished once."""
    user_agent: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    """When something was last sent from it, to within minutes. Reading a page writes nothing."""
    ended_at: Mapped[datetime | None]


class FailureCount(Base):
    """How often signing in failed in the present hour, a row for each account and kind; see `trail`."""

    __tablename__ = "failure_counts"

    account_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """0 for addresses without an account: no row is made for what strangers type."""
    action: Mapped[str] = mapped_column(String(60), primary_key=True)
    hour: Mapped[int]
    """Hours since 1970, UTC."""
    count: Mapped[int]
