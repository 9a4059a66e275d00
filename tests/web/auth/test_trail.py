"""What happens to accounts stands in the audit trail, in the log without secrets, and where it matters in a mail."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from eventreg.audit import AuditEntry
from eventreg.organizers.models import FailureCount
from eventreg.outbox.models import Message
from tests.conftest import Clock
from tests.support.codes import code, sign_in_halfway
from tests.support.factories import PASSWORD
from tests.support.html import Page

NEW = "a longer sentence than before"


def actions(session: Session) -> list[str]:
    """Everything in the trail, oldest first."""
    return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def subjects(session: Session) -> list[str]:
    return [one["subject"] for one in session.scalars(select(Message.payload).order_by(Message.id))]


def attempt(client: Any, email: str, password: str) -> int:
    page = Page.of(client.get("/auth/login"))
    return int(page.submit(client, page.form("email").set(email=email, password=password)).status_code)


def submit(client: Any, address: str, **fields: str) -> Any:
    page = Page.of(client.get(address))
    return page.submit(client, page.form(*fields).set(**fields))


def test_signing_in_and_out_is_an_entry_and_a_line_without_secrets(
    olga: Any, session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    page = Page.of(olga.get("/organize/"))
    page.submit(olga, page.form(action="/auth/logout"))
    assert actions(session) == ["organizer.signed_in", "organizer.signed_out"]
    entry = session.scalars(select(AuditEntry)).first()
    assert entry is not None
    assert (entry.actor_kind, entry.actor_id, entry.account_id) == ("organizer", entry.account_id, entry.actor_id)
    assert entry.changes["email"] == [None, "olga@example.org"]
    assert caplog.messages == [
        f"organizer.signed_out: account {entry.account_id} (o***@example.org), from 127.0.0.1",
    ]
    stored = repr([one.changes for one in session.scalars(select(AuditEntry))])
    assert PASSWORD not in stored + caplog.text


def test_failures_are_counted_by_account_and_hour(
    client: Any, make_organizer: Any, session: Session, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    olga = make_organizer()
    olga_id = olga.id
    make_organizer(email="old@example.org").active = False
    for number in range(12):
        assert attempt(client, "OLGA@example.org", "not her password") == 200
        if number < 2:
            attempt(client, f"stranger.{number}@example.org", PASSWORD)
    attempt(client, "old@example.org", PASSWORD)
    attempt(client, "", "")
    entries = session.execute(select(AuditEntry.account_id, AuditEntry.changes["in this hour"]).order_by(AuditEntry.id))
    old_id = session.scalar(select(func.max(AuditEntry.account_id)))
    assert [tuple(one) for one in entries] == [
        (olga_id, [None, 1]),
        (None, [None, 1]),
        (olga_id, [None, 10]),
        (old_id, [None, 1]),
    ]
    assert set(actions(session)) == {"organizer.sign_in_failed"}
    assert len(caplog.messages) == 15
    assert "stranger" not in caplog.text
    assert session.scalar(select(func.count()).select_from(FailureCount)) == 3
    clock.now += timedelta(hours=1)
    attempt(client, "olga@example.org", "not her password")
    assert len(actions(session)) == 5
    assert session.scalar(select(func.count()).select_from(FailureCount)) == 3


def test_refusal_is_one_entry_an_hour_and_writes_no_more(
    make_app: Callable[..., Any], make_client: Any, make_organizer: Any, session: Session
) -> None:
    make_organizer()
    client = make_client(make_app(RATELIMIT_ENABLED=True, RATELIMIT_STORAGE_URI="memory://"))
    statuses = [attempt(client, "olga@example.org", "guess") for _ in range(12)]
    assert statuses.count(429) >= 3
    assert actions(session).count("organizer.sign_in_refused") == 1
    counted = session.scalars(select(FailureCount.count).where(FailureCount.action == "organizer.sign_in_refused"))
    assert counted.all() == [1]


def test_password_changes_and_resets_are_entries(olga: Any, client: Any, session: Session) -> None:
    submit(olga, "/auth/change", password="not mine", new_password=NEW, new_password_confirm=NEW)
    submit(olga, "/auth/change", password=PASSWORD, new_password=NEW, new_password_confirm=NEW)
    submit(client, "/auth/reset", email="olga@example.org")
    text = session.scalars(select(Message.payload).order_by(Message.id.desc())).first()["text"]  # type: ignore[index]
    path = "/auth/reset/" + text.split("/auth/reset/")[1].split()[0]
    submit(client, path, password=PASSWORD + "!", password_confirm=PASSWORD + "!")
    assert actions(session)[1:] == [
        "organizer.sign_in_failed",
        "organizer.password_changed",
        "organizer.password_reset_asked",
        "organizer.password_reset",
    ]
    assert PASSWORD not in repr([one.changes for one in session.scalars(select(AuditEntry))])


def test_second_factor_is_an_entry_and_a_mail_each_time(olga: Any, key: str, client: Any, session: Session) -> None:
    page = Page.of(olga.get("/auth/mf-recovery-codes"))
    shown = page.submit(olga, page.form("generate_new_codes")).get_data(as_text=True)
    recovery = shown.split("<li><code>")[1].split("<")[0]
    page = sign_in_halfway(client)
    page.submit(client, page.form("code").set(code="000000"))
    submit(client, "/auth/mf-recovery", code="1111-1111-1111")
    submit(client, "/auth/mf-recovery", code=recovery)
    page = Page.of(olga.get("/auth/tf-setup"))
    page.submit(olga, page.form("setup"), button="disable")
    assert actions(session) == [
        "organizer.signed_in",
        "organizer.codes_on",
        "organizer.recovery_codes_made",
        "organizer.code_failed",
        "organizer.recovery_code_used",
        "organizer.signed_in",
        "organizer.codes_off",
    ]
    assert subjects(session) == [
        "Sign-in codes were switched on",
        "New recovery codes were made",
        "A recovery code was used to sign in",
        "Sign-in codes were switched off",
    ]
    assert set(session.scalars(select(Message.recipient))) == {"olga@example.org"}
    trail = repr([one.changes for one in session.scalars(select(AuditEntry))])
    assert recovery not in trail + repr(subjects(session))
    assert code(key) not in trail
