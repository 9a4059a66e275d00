"""A quarter of a megabyte of combining marks, in every field of every form and in every other way in.

Sorting such a run takes `unicodedata.normalize` seconds. The limit is of processor time, and the best of three counts.
"""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus

import pytest

from eventreg.cli.importing import run as import_file
from eventreg.cli.mail import mail
from eventreg.cli.organizers import organizer
from eventreg.cli.reply import reply
from tests.support import site
from tests.support.html import Page
from tests.support.mailroom import address_of
from tests.support.replies import bare, calendar, words

SECONDS = 0.3
PAIR = "\u0301\u0316"
ROOM = 240_000
"""Bytes of a body; more than 256 KB are refused unread."""
ENCODINGS = ("urlencoded", "raw urlencoded", "multipart")
NAMES = (
    *("name", "email", "rsvp", "party_size", "q-1", "leave_empty", "password", "next", "code", "title", "label"),
    *("note", "url", "category", "audience", "picture_alt", "starts_at", "timezone", "seen_at", "csrf_token"),
)
"""Fields that are sent where a page offers no form, and by a stranger."""


def marks(length: int, begin: str = "a") -> str:
    """Text of that many bytes."""
    return begin + PAIR * (length // 4)


def body(encoding: str, data: list[tuple[str, str]]) -> dict[str, Any]:
    if encoding == "multipart":
        parts = [f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n' for name, text in data]
        return {"data": f"{''.join(parts)}--x--\r\n".encode(), "content_type": "multipart/form-data; boundary=x"}
    encode = quote_plus if encoding == "urlencoded" else str
    content = "&".join(f"{name}={encode(text)}" for name, text in data)
    return {"data": content.encode(), "content_type": "application/x-www-form-urlencoded"}


def assert_quick(work: Callable[[], Any], what: object, *, limit: float = SECONDS) -> Any:
    used = []
    for _again in range(3):
        begun = time.process_time()
        result = work()
        used.append(time.process_time() - begun)
        if used[-1] < limit:
            break
    assert min(used) < limit, (what, used)
    return result


def post(client: Any, address: str, encoding: str, data: list[tuple[str, str]]) -> None:
    sent = body(encoding, data)
    assert len(sent["data"]) < 256 * 1024
    hashing = 3 if address.startswith("/auth/") else 1  # a password is hashed there, which takes as long for any other
    response = assert_quick(lambda: client.post(address, **sent), (address, encoding), limit=hashing * SECONDS)
    assert response.status_code < 500, (address, response.status_code)


def shared(encoding: str, count: int) -> str:
    """As much for each of so many fields as a body holds."""
    return marks(ROOM // count // (3 if encoding == "urlencoded" else 1))


@pytest.mark.sqlite_only
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_stranger_without_cookie_or_token_costs_little_anywhere(encoding: str, app, factory, make_client) -> None:
    built = site.build(app, factory)
    for _rule, address in built.addresses("POST"):
        post(make_client(), address, encoding, [(name, shared(encoding, len(NAMES))) for name in NAMES])
    for address in (f"/events/{built.event.slug}/rsvp", "/lost-link", "/auth/login"):
        for name in ("name", "email", "next"):
            post(make_client(), address, encoding, [(name, shared(encoding, 1))])


def keeps_the_session(rule: Any) -> bool:
    """Flask-Security signs out whoever asks for the page of a second step that they have not begun."""
    return not {"logout", "tf-validate"} & set(rule.rule.split("/"))


def forms(client: Any, built: site.Site) -> list[tuple[str, list[tuple[str, str]]]]:
    """(address, data) of every form of every page that client sees."""
    found: dict[tuple[str, tuple[str, ...]], tuple[str, list[tuple[str, str]]]] = {}
    for _rule, address in built.addresses("GET", of=keeps_the_session):
        response = client.get(address)
        if response.mimetype != "text/html" or response.status_code != 200:
            continue
        for form in Page.of(response).forms:
            target = form.action or address
            if form.method == "post" and "logout" not in target:
                found[target, tuple(form.names)] = (target, form.data())
    return list(found.values())


@pytest.mark.sqlite_only
@pytest.mark.parametrize("encoding", ENCODINGS[1:])
def test_every_form_costs_little_when_all_its_fields_hold_marks(encoding: str, app, factory, olga) -> None:
    built = site.build(app, factory)
    found = forms(olga, built)
    assert {"/organize/events/new", f"/organize/events/{built.event.slug}/edit"} <= {target for target, _data in found}
    for target, data in found:
        hostile = shared(encoding, max(1, len(data) - 1))
        post(olga, target, encoding, [(name, text if name == "csrf_token" else hostile) for name, text in data])


@pytest.mark.slow
@pytest.mark.sqlite_only
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_field_of_every_form_costs_little(encoding: str, app, factory, olga) -> None:
    """One field at a time, which holds all of it."""
    built = site.build(app, factory)
    for target, data in forms(olga, built):
        for hostile in {name for name, _text in data} - {"csrf_token"}:
            changed = [(name, shared(encoding, 1) if name == hostile else text) for name, text in data]
            post(olga, target, encoding, changed)


@pytest.mark.sqlite_only
def test_every_query_costs_little(app, factory, olga) -> None:
    """As much as a request line holds."""
    built = site.build(app, factory)
    for _rule, address in built.addresses("GET", of=keeps_the_session):
        for name in ("q", "category", "audience", "from", "past", "page", "status", "next"):
            query = f"{name}={marks(8000)}"
            response = assert_quick(lambda at=address, query=query: olga.get(at, query_string=query), (address, name))
            assert response.status_code < 500 or address == "/readyz"


COMMANDS = {
    "account": (organizer, ["add", marks(120_000), "--password-stdin"], "correct horse battery\n"),
    "name of an account": (
        organizer,
        ["add", "zoe@example.org", "--name", marks(120_000), "--password-stdin"],
        "correct horse battery\n",
    ),
    "password": (organizer, ["add", "zoe@example.org", "--password-stdin"], marks(240_000) + "\n"),
    "new password": (organizer, ["password", marks(120_000), "--password-stdin"], "correct horse battery\n"),
    "test mail": (mail, ["test", marks(120_000)], ""),
}


@pytest.mark.sqlite_only
@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_costs_little(name: str, app) -> None:
    command, arguments, given = COMMANDS[name]
    runner = app.test_cli_runner()
    runner.invoke(command, ["--help"])  # what a command loads is loaded
    assert_quick(lambda: runner.invoke(command, arguments, input=given), name)


MAILS = {
    "a comment": lambda to: bare(calendar(f"COMMENT:{marks(150_000)}"), to=to),
    "a parameter": lambda to: bare(calendar(f"X-A;CN={marks(150_000)}:x"), to=to),
    "an attendee": lambda to: bare(
        calendar(ATTENDEE=f"ATTENDEE;PARTSTAT=DECLINED:mailto:{marks(150_000)}@example.org"), to=to
    ),
    "a subject": lambda to: words("x", to=to, subject=marks(150_000)),
    "words": lambda to: words(marks(150_000), to=to),
}


@pytest.mark.sqlite_only
@pytest.mark.parametrize("kind", MAILS)
def test_every_mail_costs_little(kind: str, app, session, make_event, make_registration) -> None:
    amira = make_registration(make_event())
    data = MAILS[kind](address_of(amira))
    session.rollback()
    runner = app.test_cli_runner()
    runner.invoke(reply, ["ingest"], input=b"nothing")
    done = assert_quick(lambda: runner.invoke(reply, ["ingest"], input=data), kind)
    assert done.exception is None or isinstance(done.exception, SystemExit)


PROPERTIES = (
    "SUMMARY",
    "DESCRIPTION",
    "LOCATION",
    "CATEGORIES",
    "URL",
    "UID",
    "STATUS",
    "DTSTART;TZID=",
    "X-WR-CALNAME",
)


@pytest.mark.sqlite_only
@pytest.mark.parametrize("name", PROPERTIES)
def test_every_property_of_an_imported_calendar_costs_little(name: str, app, make_organizer, session, tmp_path) -> None:
    make_organizer()
    session.commit()
    hostile = marks(240_000, "https://a" if name == "URL" else "a")
    line = f"{name}{hostile}:20301001T100000" if name.endswith("=") else f"{name}:{hostile}"
    lines = ["BEGIN:VCALENDAR", "BEGIN:VEVENT", line, "UID:1@x", "SUMMARY:x"]
    lines += ["DTSTART:20301001T100000Z", "DTEND:20301001T110000Z", "END:VEVENT", "END:VCALENDAR"]
    file = tmp_path / "hostile.ics"
    file.write_text("\r\n".join(lines))

    def work() -> None:
        with app.app_context(), file.open("rb") as opened:
            import_file(opened, organizer="", past=False)

    assert_quick(work, name)
