"""Accounts made and let in again."""

from datetime import datetime

import pytest
from flask_security.utils import verify_password
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from eventreg.audit import AuditEntry
from eventreg.errors import InvalidField, NotFound
from eventreg.organizers import access, service
from eventreg.organizers.models import Organizer

PASSWORD = "correct horse battery"


def test_add_makes_one_account_with_role_and_hashed_password(session: Session, now: datetime) -> None:
    made = service.add(
        session, email=" Olga@Example.ORG", name=" Olga \n Ortega", role="admin", password=PASSWORD, now=now
    )
    session.commit()
    stored = session.scalars(select(Organizer)).one()
    assert (stored.email, stored.name, stored.active, access.role_of(stored), stored.created_at) == (
        "olga@example.org",
        "Olga Ortega",
        True,
        "admin",
        now,
    )
    assert made.password is not None
    assert made.password.startswith("$argon2id$")
    assert verify_password(PASSWORD, made.password)
    assert PASSWORD not in made.password
    entry = session.scalars(select(AuditEntry)).one()
    assert (entry.action, entry.changes) == (
        "organizer.added",
        {"email": [None, "olga@example.org"], "role": [None, "admin"]},
    )


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"email": "OLGA@example.org"}, "email"),
        ({"email": "nobody"}, "email"),
        ({"email": "jürgen@example.org"}, "email"),
        ({"email": "\ufeffolga\uff20example.org"}, "email"),
        ({"email": "\x00@example.org"}, "email"),
        ({"role": "queen"}, "role"),
        ({"password": "short"}, "password"),
        ({"password": "wim@example.org"}, "password"),
        ({"password": "with\x00nul in it"}, "password"),
    ],
)
def test_add_refuses_what_is_wrong_by_its_field(
    session: Session, now: datetime, given: dict[str, str], field: str
) -> None:
    service.add(session, email="olga@example.org", password=PASSWORD, now=now)
    with pytest.raises(InvalidField) as refused:
        service.add(session, **{"email": "wim@example.org", "password": PASSWORD, "now": now, **given})
    assert refused.value.field == field
    assert session.scalar(select(func.count()).select_from(Organizer)) == 1


def test_set_password_ends_sessions_and_can_forget_the_lost_phone(session: Session, now: datetime) -> None:
    organizer = service.add(session, email="olga@example.org", password=PASSWORD, now=now)
    organizer.tf_primary_method, organizer.tf_totp_secret = "authenticator", "secret"
    organizer.mf_recovery_codes = ["a", "b"]
    before = organizer.fs_uniquifier
    service.set_password(session, email="olga@example.org", password="another battery horse", now=now)
    assert organizer.fs_uniquifier != before
    assert (organizer.tf_totp_secret, organizer.mf_recovery_codes) == ("secret", ["a", "b"])
    service.set_password(
        session, email="olga@example.org", password="another battery horse", now=now, forget_two_factor=True
    )
    session.commit()
    session.expire_all()
    assert (organizer.tf_primary_method, organizer.tf_totp_secret) == (None, None)
    assert not organizer.mf_recovery_codes
    with pytest.raises(NotFound):
        service.set_password(session, email="sam@example.org", password=PASSWORD, now=now)


@pytest.mark.parametrize(
    "spelling", ["Zoe@BÜCHER.example", "zoe@xn--bcher-kva.example", "mailto:zoe\uff20bücher.example"]
)
def test_account_is_found_by_every_spelling_of_its_address(session: Session, now: datetime, spelling: str) -> None:
    made = service.add(session, email="zoe@bücher.example", name="Zoë\u202e\n", password=PASSWORD, now=now)
    assert (made.email, made.name) == ("zoe@xn--bcher-kva.example", "Zoë")
    assert service.find(session, spelling) is made
