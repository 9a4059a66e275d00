"""Queueing what must be mailed. The row is written in the transaction that owes the mail."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from eventreg.outbox.models import Message


def add(
    session: Session,
    *,
    kind: str,
    recipient: str,
    recipient_name: str = "",
    event_id: int | None = None,
    registration_id: int | None = None,
    payload: Mapping[str, Any] | None = None,
    now: datetime,
    stamp_at: datetime | None = None,
) -> None:
    """Owes one mail. `kind` names a folder of `templates/mail/`.

    `stamp_at` is the DTSTAMP of its calendar part (default `now`). Costs one statement.
    """
    session.execute(
        insert(Message).values(
            kind=kind,
            recipient=recipient,
            recipient_name=recipient_name,
            event_id=event_id,
            registration_id=registration_id,
            payload=dict(payload or {}),
            message_key=secrets.token_hex(16),
            stamp_at=stamp_at or now,
            state="queued",
            due_at=now,
            created_at=now,
        )
    )
