"""Sign-in codes: set up, asked for, usable once, replaced by recovery codes when the phone is lost."""

import time
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from eventreg.organizers.models import Organizer
from tests.support.codes import code, sign_in_halfway
from tests.support.factories import PASSWORD
from tests.support.html import Page


def test_codes_are_asked_for_after_the_password_and_work_once(
    client: Any, make_client: Any, key: str, session: Session
) -> None:
    page = sign_in_halfway(client)
    assert client.get("/organize/").status_code == 302, "the password alone opens nothing"
    wrong = page.submit(client, page.form("code").set(code="000000"))
    assert "That code is not right, or was used already." in Page.of(wrong).text
    right = code(key)
    response = page.submit(client, page.form("code").set(code=right))
    assert response.location == "/auth/account"
    assert client.get("/organize/").status_code == 200
    other = make_client()
    page = sign_in_halfway(other)
    again = page.submit(other, page.form("code").set(code=right))
    assert "That code is not right, or was used already." in Page.of(again).text
    stored = session.scalars(select(Organizer)).one()
    assert key not in (stored.tf_totp_secret or "")


def test_wrong_code_does_not_switch_codes_on(olga: Any, session: Session) -> None:
    page = Page.of(olga.get("/auth/tf-setup"))
    shown = Page.of(page.submit(olga, page.form("setup"), button="authenticator"))
    response = shown.submit(olga, shown.form("code").set(code="123"))
    assert response.status_code == 302
    assert session.scalars(select(Organizer.tf_primary_method)).one() is None


def test_recovery_code_signs_in_once(olga: Any, client: Any, make_client: Any, key: str, session: Session) -> None:
    page = Page.of(olga.get("/auth/mf-recovery-codes"))
    shown = page.submit(olga, page.form("generate_new_codes")).get_data(as_text=True)
    codes = [part.split("<")[0] for part in shown.split("<li><code>")[1:]]
    assert len(codes) == 8
    assert "8 unused" in Page.of(olga.get("/auth/account")).text
    assert codes[0] not in repr(session.scalars(select(Organizer.mf_recovery_codes)).one())
    sign_in_halfway(client)
    page = Page.of(client.get("/auth/mf-recovery"))
    bad = page.submit(client, page.form("code").set(code="1234-1234-1234"))
    assert "That is not one of your unused recovery codes." in Page.of(bad).text
    assert page.submit(client, page.form("code").set(code=codes[0])).status_code == 302
    assert client.get("/organize/").status_code == 200
    other = make_client()
    sign_in_halfway(other)
    page = Page.of(other.get("/auth/mf-recovery"))
    assert "not one of your unused" in Page.of(page.submit(other, page.form("code").set(code=codes[0]))).text


def test_codes_are_switched_off_again(olga: Any, key: str, session: Session) -> None:
    page = Page.of(olga.get("/auth/tf-setup"))
    page.submit(olga, page.form("setup"), button="disable")
    assert "Sign-in codes are off." in Page.of(olga.get("/auth/account")).text
    assert session.scalars(select(Organizer.tf_totp_secret)).one() is None


def test_changing_codes_long_after_signing_in_asks_for_the_password_again(olga: Any) -> None:
    with olga.session_transaction() as kept:
        kept["fs_paa"] = time.time() - 3600
        kept.pop("fs_gexp", None)
    asked = olga.get("/auth/tf-setup")
    assert asked.location.startswith("/auth/verify")
    page = Page.of(olga.get(asked.location))
    response = page.submit(olga, page.form("password").set(password=PASSWORD))
    assert response.location == "/auth/tf-setup"
    assert olga.get("/auth/tf-setup").status_code == 200


def test_half_signed_in_person_cannot_ask_for_mail_instead(client: Any, key: str) -> None:
    page = sign_in_halfway(client)
    token = dict(page.form("code").data())["csrf_token"]
    for way in ("email", "help", "sms"):
        client.post("/auth/tf-rescue", data={"csrf_token": token, "help_setup": way})
    assert client.get("/organize/").status_code == 302
