"""What is typed at the desk outlasts the sign-in: it comes back in its form and is saved by a press."""

import io
from typing import Any

import pytest

from tests.support import site
from tests.support.html import Page


def with_button(page: Page, words: str) -> Any:
    """The page's form whose button says this."""
    return next(form for form in page.forms if any(words in one.value for one in form.controls if one.tag == "button"))


OF_SIGNING_IN = {"audit_entries", "failure_counts", "sign_ins"}


def contents(session: Any) -> dict[str, list[str]]:
    """Everything in the database but what signing in and out leaves there by itself."""
    return {table: rows for table, rows in site.everything(session).items() if table not in OF_SIGNING_IN}


def sign_out(client: Any) -> None:
    page = Page.of(client.get("/organize/"))
    page.submit(client, page.form(action="/auth/logout"))
    assert client.get("/organize/").status_code == 302


FORMS = {
    "event": (
        "/organize/events/new",
        "title",
        {"title": "A new lecture", "description": "Long <b>words</b>\nand more"},
    ),
    "edit": ("/organize/events/anniversary/edit", "title", {"title": "Another title"}),
    "add": ("/organize/events/anniversary/attendees/new", "rsvp", {"name": "Zoë", "email": "zoe@example.org"}),
    "person": ("/organize/events/anniversary/attendees/1", "rsvp", {"note": "She rang & asked"}),
    "ask": ("/organize/events/anniversary/questions", "label", {"label": "Which bus?", "hint": "There are two"}),
    "question": ("/organize/events/anniversary/questions/1", "label", {"label": "Needs?"}),
    "follow": ("/organize/calendars", "url", {"url": "https://93.184.216.34/c.ics", "title": "Theirs"}),
    "picture": ("/organize/events/anniversary/picture", "picture_alt", {"picture_alt": "Three students"}),
}


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("way", ["signed out", "token gone"])
def test_text_comes_back_in_its_form_after_sign_in_and_waits_for_a_press(
    way, name, app, factory, session, olga, sign_in
) -> None:
    site.build(app, factory)
    address, field, typed = FORMS[name]
    opened = Page.of(olga.get(address))
    form = opened.form(field).set(**typed)
    data = dict(form.data())
    before = contents(session)
    if way == "signed out":
        sign_out(olga)
        kept = olga.post(address, data=data)
        page = Page.of(kept)
        assert (kept.status_code, "csrf_token" in with_button(page, "go on").names) == (400, False)
        assert "X-Robots-Tag" in kept.headers or "noindex" in kept.get_data(as_text=True)
        too_early = page.submit(olga, with_button(page, "go on"))
        assert (too_early.status_code, "You were signed out" in Page.of(too_early).text) == (400, True)
        sign_in(olga)
        back = page.submit(olga, with_button(page, "go on"))
    else:
        back = olga.post(address, data=data | {"csrf_token": "gone"})
    filled = Page.of(back)
    assert back.status_code == 400
    sent = dict(filled.form(field).data())
    assert {key: sent[key] for key in typed} == {key: value.replace("\n", "\r\n") for key, value in typed.items()} or {
        key: sent[key] for key in typed
    } == typed
    assert contents(session) == before  # nothing is saved by itself
    if name not in {"follow", "picture"}:
        saved = filled.submit(olga, filled.form(field))
        assert saved.status_code == 302
        assert contents(session) != before


def test_nothing_is_saved_at_the_desk_without_a_valid_token(app, factory, session, olga) -> None:
    built = site.build(app, factory)
    before = contents(session)
    statuses = {}
    for rule, address in built.addresses("POST", of=lambda rule: rule.rule.startswith("/organize")):
        field = {
            "title": "x",
            "label": "x",
            "name": "x",
            "email": "x@example.org",
            "url": "https://93.184.216.34/c.ics",
        }
        field |= {"starts_at": "2026-12-01T10:00", "ends_at": "2026-12-01T11:00", "rsvp": "yes", "registration": "1"}
        for action in ("save", "publish"):
            statuses[rule.rule, action] = olga.post(address, data=field | {"action": action}).status_code
    assert contents(session) == before
    assert set(statuses.values()) == {400}


def test_text_of_one_account_is_not_shown_to_another(app, factory, session, olga, sign_in, make_organizer) -> None:
    site.build(app, factory)
    make_organizer("pat@example.org", "admin", name="Pat")
    address, field, typed = FORMS["person"]
    data = dict(Page.of(olga.get(address)).form(field).set(**typed).data())
    sign_out(olga)
    page = Page.of(olga.post(address, data=data))
    sign_in(olga, "pat@example.org")
    back = page.submit(olga, with_button(page, "go on"))
    assert (back.status_code, "She rang" in back.get_data(as_text=True)) == (409, False)
    sign_out(olga)
    sign_in(olga)
    assert "She rang" in page.submit(olga, with_button(page, "go on")).get_data(as_text=True)


def test_button_pressed_when_signed_out_says_so_and_a_file_is_said_to_be_lost(
    app, factory, session, client, olga
) -> None:
    built = site.build(app, factory)
    pressed = client.post(f"/organize/events/{built.event.slug}/publish")
    assert (pressed.status_code, "Sign in and do it again." in Page.of(pressed).text) == (400, True)
    picture = {"picture": (io.BytesIO(b"GIF89a"), "a.gif"), "picture_alt": "Three students"}
    kept = client.post(f"/organize/events/{built.event.slug}/picture", data=picture)
    assert "The file is not kept." in Page.of(kept).text
    assert dict(with_button(Page.of(kept), "go on").data())["picture_alt"] == "Three students"


def test_program_is_answered_as_a_program(client, app, factory) -> None:
    built = site.build(app, factory)
    refused = client.post(f"/organize/events/{built.event.slug}/edit", headers={"Accept": "application/json"})
    assert (refused.status_code, refused.mimetype) == (401, "application/problem+json")
