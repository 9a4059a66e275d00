"""Sessions are rows: a copy of a cookie opens nothing once its sign-in has ended, on any host."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from eventreg.db import write_transaction
from eventreg.organizers import service
from eventreg.organizers.models import Organizer, SignIn
from tests.conftest import Clock
from tests.support.codes import code, sign_in_halfway
from tests.support.factories import PASSWORD
from tests.support.html import Page
from tests.support.queries import query_counter

NEW = "a longer sentence than before"


@pytest.fixture
def copy_of(make_client: Callable[..., Any]) -> Callable[..., Any]:
    """Makes a visitor who holds a copy of another's cookie, at another host if one is given."""

    def make(client: Any, host: Flask | None = None) -> Any:
        thief = make_client(host)
        thief.set_cookie("session", client.get_cookie("session").value)
        return thief

    return make


def is_signed_in(client: Any) -> bool:
    return bool(client.get("/organize/").status_code == 200)


def press(client: Any, address: str, action: str, **fields: str) -> Any:
    page = Page.of(client.get(address))
    form = page.form(action=action)
    return page.submit(client, form.set(**fields) if fields else form)


def sign_out(olga: Any, _session: Session, _now: Any) -> None:
    press(olga, "/organize/", "/auth/logout")


def sign_out_everywhere(olga: Any, _session: Session, _now: Any) -> None:
    assert press(olga, "/auth/account", "/auth/sign-ins/end").location == "/auth/login"
    assert "signed out everywhere" in Page.of(olga.get("/auth/login")).text


def change_password(olga: Any, _session: Session, _now: Any) -> None:
    press(olga, "/auth/change", "/auth/change", password=PASSWORD, new_password=NEW, new_password_confirm=NEW)
    assert is_signed_in(olga), "whoever changed it stays signed in"


def have_it_set(_olga: Any, session: Session, now: Any) -> None:
    with write_transaction(session):
        service.set_password(session, email="olga@example.org", password=NEW, now=now)


WAYS_TO_END = (sign_out, sign_out_everywhere, change_password, have_it_set)


@pytest.mark.parametrize("end", WAYS_TO_END, ids=lambda end: end.__name__)
def test_copied_cookie_opens_nothing_after_the_sign_in_has_ended(
    olga: Any, copy_of: Any, make_app: Any, session: Session, now: Any, end: Any
) -> None:
    here, elsewhere = copy_of(olga), copy_of(olga, make_app())
    assert [is_signed_in(thief) for thief in (here, elsewhere)] == [True, True]
    end(olga, session, now)
    assert [is_signed_in(thief) for thief in (here, elsewhere)] == [False, False]
    for method, address in (("GET", "/auth/account"), ("POST", "/organize/feed"), ("GET", "/organize/import")):
        assert here.open(address, method=method).status_code in (302, 400), address


@pytest.mark.parametrize("end", [sign_out_everywhere, change_password, have_it_set], ids=lambda end: end.__name__)
def test_other_browsers_and_the_feed_end_with_the_password(
    olga: Any, make_client: Any, sign_in: Any, app: Flask, session: Session, now: Any, end: Any
) -> None:
    other = make_client()
    sign_in(other)
    account = session.scalars(select(Organizer)).one()
    feed = app.extensions["eventreg.links"].desk_feed(account.id, account.feed_generation)
    path = feed.removeprefix("https://events.example.org")
    assert other.get(path).status_code == 200
    end(olga, session, now)
    assert not is_signed_in(other)
    assert other.get(path).status_code == 404


def test_signing_out_leaves_other_browsers_signed_in(olga: Any, make_client: Any, sign_in: Any) -> None:
    other = make_client()
    sign_in(other)
    sign_out(olga, None, None)  # type: ignore[arg-type]
    assert is_signed_in(other)


def test_account_page_names_the_browsers_and_ends_one(olga: Any, make_client: Any, sign_in: Any) -> None:
    phone = make_client()
    phone.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0 (Android 14; Mobile; rv:130.0) Gecko/130.0 Firefox/130.0"
    sign_in(phone)
    page = Page.of(olga.get("/auth/account"))
    assert "Firefox on Android" in page.text
    assert page.text.count("This browser") == 1
    [form] = [one for one in page.forms if one.action.startswith("/auth/sign-ins/") and one.action.endswith("/end")][:1]
    assert page.submit(olga, form).status_code == 303
    assert (is_signed_in(phone), is_signed_in(olga)) == (False, True)
    assert page.submit(olga, form).status_code == 404


def test_sign_in_of_another_account_is_not_ended(
    olga: Any, make_client: Any, make_organizer: Any, sign_in: Any, session: Session
) -> None:
    make_organizer(email="sam@example.org")
    sam = make_client()
    sign_in(sam, "sam@example.org")
    token = dict(Page.of(sam.get("/auth/account")).form(action="/auth/sign-ins/end").data())["csrf_token"]
    olgas = session.scalars(select(SignIn.id).order_by(SignIn.id)).first()
    assert sam.post(f"/auth/sign-ins/{olgas}/end", data={"csrf_token": token}).status_code == 404
    assert is_signed_in(olga)


@pytest.mark.parametrize(("hours", "opens"), [(11, True), (13, False)])
def test_idle_session_ends(olga: Any, clock: Clock, hours: int, opens: bool) -> None:
    clock.now += timedelta(hours=hours)
    assert is_signed_in(olga) is opens


def test_busy_session_goes_on_for_a_week_and_its_idle_copy_does_not(olga: Any, copy_of: Any, clock: Clock) -> None:
    copied = copy_of(olga)
    for _ in range(13):
        clock.now += timedelta(hours=11)
        assert is_signed_in(olga)
    assert not is_signed_in(copied)
    for _ in range(3):
        clock.now += timedelta(hours=11)
        last = is_signed_in(olga)
    assert not last, "seven days are the most"


def test_reading_writes_nothing_and_changing_is_noted_every_few_minutes(
    olga: Any, clock: Clock, session: Session
) -> None:
    began = clock.now
    clock.now += timedelta(hours=1)
    with query_counter() as queries:
        assert is_signed_in(olga)
    assert queries.writes == []
    assert session.scalars(select(SignIn.changed_at)).all() == [began]
    press(olga, "/organize/", "/organize/feed")
    assert session.scalars(select(SignIn.changed_at)).all() == [clock.now]
    with query_counter() as queries:
        press(olga, "/organize/", "/organize/feed")
    assert [one for one in queries.writes if "sign_ins" in one] == []


def test_table_holds_no_token_and_a_session_of_the_version_before_signs_in_again(olga: Any, session: Session) -> None:
    with olga.session_transaction() as kept:
        token = kept["sign_in"]
        assert token not in repr(session.execute(select(SignIn.__table__)).all())
        kept.pop("sign_in")
        kept.pop("seen")
    assert not is_signed_in(olga)


def test_half_done_sign_in_is_finished_once(client: Any, copy_of: Any, key: str) -> None:
    page = sign_in_halfway(client)
    copied = copy_of(client)
    page.submit(client, page.form("code").set(code=code(key)))
    assert is_signed_in(client)
    assert copied.get("/auth/tf-validate").location == "/auth/login"
    assert copied.get("/auth/mf-recovery").location == "/auth/login"


def test_half_done_sign_in_ends_after_minutes_and_with_the_password(
    client: Any,
    make_client: Any,
    key: str,
    clock: Clock,
    session: Session,
    now: Any,
) -> None:
    page = sign_in_halfway(client)
    clock.now += timedelta(minutes=11)
    page.submit(client, page.form("code").set(code=code(key)))
    assert not is_signed_in(client)
    other = make_client()
    page = sign_in_halfway(other)
    have_it_set(None, session, now)
    page.submit(other, page.form("code").set(code=code(key, 1)))
    assert not is_signed_in(other)


def test_second_factor_change_ends_other_sessions(olga: Any, client: Any, key: str) -> None:
    page = sign_in_halfway(client)
    page.submit(client, page.form("code").set(code=code(key)))
    press(olga, "/auth/mf-recovery-codes", "/auth/mf-recovery-codes")
    assert (is_signed_in(client), is_signed_in(olga)) == (False, True)


def test_address_of_the_code_form_signs_nobody_out(olga: Any) -> None:
    assert olga.get("/auth/tf-validate").location == "/auth/account"
    assert is_signed_in(olga)
