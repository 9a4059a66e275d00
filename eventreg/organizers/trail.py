"""What happens to accounts, in the audit trail and as one log line each, neither with any secret.

Failures are counted by the hour in a row for each account, and one for all addresses without an account. The trail gets
an entry at the 1st, 10th, 100th, … of an hour, so that trying passwords does not fill it.
"""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import case
from sqlalchemy.orm import Session

from eventreg import audit
from eventreg.db import upsert
from eventreg.organizers.models import FailureCount, Organizer

log = logging.getLogger(__name__)
log.setLevel(logging.INFO)  # sign-ins are news, also where other news is not wanted

SIGNED_IN = "organizer.signed_in"
SIGNED_OUT = "organizer.signed_out"
SIGNED_OUT_EVERYWHERE = "organizer.signed_out_everywhere"
SIGN_IN_ENDED = "organizer.sign_in_ended"
SIGN_IN_FAILED = "organizer.sign_in_failed"
CODE_FAILED = "organizer.code_failed"
REFUSED = "organizer.sign_in_refused"
PASSWORD_CHANGED = "organizer.password_changed"  # noqa: S105 - the name of an action
PASSWORD_SET = "organizer.password_set"  # noqa: S105 - as above
RESET_ASKED = "organizer.password_reset_asked"
PASSWORD_RESET = "organizer.password_reset"  # noqa: S105 - as above
CODES_ON = "organizer.codes_on"
CODES_OFF = "organizer.codes_off"
RECOVERY_CODES_MADE = "organizer.recovery_codes_made"
RECOVERY_CODE_USED = "organizer.recovery_code_used"

_HOUR = 3600
_ENTERED_AT = frozenset(10**power for power in range(9))


def note(
    session: Session,
    *,
    action: str,
    account: Organizer,
    now: datetime,
    actor: audit.Actor | None = None,
    source: str = "",
    changes: Mapping[str, tuple[Any, Any]] | None = None,
) -> None:
    """One entry about the account, in the caller's transaction. By default the account itself did it.

    `source` is the network address; it stands in the log alone.
    """
    by = actor or audit.Actor("organizer", account.id, account.name or account.email)
    about = {"email": (None, account.email), **(changes or {})}
    audit.record(session, actor=by, action=action, now=now, account_id=account.id, changes=about)
    log.info("%s: account %s (%s)%s", action, account.id, masked(account.email), _from(source))


def count_failure(session: Session, *, action: str, account: Organizer | None, now: datetime, source: str = "") -> None:
    """Counts it; the 1st, 10th, 100th, … of the hour are entries."""
    hour, account_id = int(now.timestamp() // _HOUR), account.id if account else 0
    made = upsert(session, FailureCount).values(account_id=account_id, action=action, hour=hour, count=1)
    raised = case((FailureCount.hour == hour, FailureCount.count + 1), else_=1)
    count = session.scalar(
        made.on_conflict_do_update(
            index_elements=["account_id", "action"], set_={"hour": hour, "count": raised}
        ).returning(FailureCount.count)
    )
    if count in _ENTERED_AT:
        about = {"email": (None, account.email if account else None), "in this hour": (None, count)}
        audit.record(
            session, actor=audit.Actor.visitor(), action=action, now=now, account_id=account_id or None, changes=about
        )
    named = f"account {account_id} ({masked(account.email)})" if account else "no account"
    log.warning("%s: %s, number %s in this hour%s", action, named, count, _from(source))


def masked(email: str) -> str:
    """Enough of an address to recognise it.

    >>> masked("olga@example.org")
    'o***@example.org'
    """
    local, _at, domain = email.rpartition("@")
    return f"{local[:1]}***@{domain}"


def _from(source: str) -> str:
    return f", from {source}" if source else ""
