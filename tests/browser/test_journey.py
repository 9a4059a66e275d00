"""The acceptance journey in a real browser, with a real mail server: with scripts and without."""

import csv
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import CELEBRATION


def manage_link(mail: Any) -> str:
    """“My registration” as the HTML part links it."""
    html = mail.get_body(("html",)).get_content()
    found = re.search(r'href="([^"]+/r/[^"./]+\.?[^"]*)"', html)
    assert found, html
    return found[1]


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_person_finds_the_celebration_comes_changes_and_cancels_and_olga_sees_it(
    scripts: bool, open_page, demo_site, sign_in
) -> None:
    email = f"amira.{'with' if scripts else 'without'}@example.org"
    page = open_page(scripts=scripts)

    page.goto("/")
    page.get_by_role("searchbox").fill("anniversary celebrate")
    page.get_by_role("searchbox").press("Enter")
    page.get_by_role("link", name="Diversity Initiative Anniversary").first.click()
    page.get_by_role("link", name="RSVP").first.click()
    page.get_by_role("radio", name=re.compile("^Yes")).check()
    page.get_by_label("Your name").fill("Zoë Haddad")
    page.get_by_label("Your e-mail address").fill(email)
    page.get_by_label("How many people").fill("2")
    page.get_by_label("Dietary or access needs").fill("No nuts; one of us is vegan")
    if scripts:
        assert page.locator("form button[type=submit]").inner_text() == "RSVP for 2"
    page.locator("form button[type=submit]").click()
    assert page.get_by_role("heading", level=1).inner_text() == "You are coming, with one guest."

    mail = demo_site.mail.wait_for_mail_to(email)
    assert "No nuts; one of us is vegan" in mail.get_body(("plain",)).get_content()
    assert [part.get_content_type() for part in mail.walk() if part.get_content_type() == "text/calendar"] != []
    page.goto(manage_link(mail))
    assert page.get_by_role("heading", level=1).inner_text() == "You are coming, with one guest."
    page.get_by_label("How many people").fill("1")
    page.get_by_role("button", name="Save my answer").click()
    assert page.get_by_role("heading", level=1).inner_text() == "You are coming."
    demo_site.mail.wait_for_mail_to(email, count=2)
    page.get_by_role("button", name="Cancel my registration").click()
    assert "You are not attending." in page.get_by_role("heading", level=1).inner_text()
    last = demo_site.mail.wait_for_mail_to(email, count=3)
    assert "METHOD:" in _calendar(last)

    desk = open_page(scripts=scripts)
    sign_in(desk)
    desk.get_by_role("link", name="Diversity Initiative Anniversary").first.click()
    desk.goto(f"/organize/events/{CELEBRATION}/attendees?q={email}&status=cancelled")
    row = desk.get_by_role("row").filter(has_text=email)
    assert ("Zoë Haddad" in row.inner_text(), "Cancelled" in row.inner_text()) == (True, True)
    with desk.expect_download() as downloading:
        desk.get_by_role("link", name="CSV").first.click()
    content = Path(downloading.value.path()).read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    (exported,) = csv.DictReader(StringIO(content.decode("utf-8-sig")))
    assert {"Zoë Haddad", email, "No nuts; one of us is vegan"} <= set(exported.values())


def _calendar(mail: Any) -> str:
    parts = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
    return str(parts[0].get_content()) if parts else ""


def test_rsvp_by_keyboard_alone_with_an_error_on_the_way(page, demo_site) -> None:
    keyboard = page.keyboard
    page.goto(f"/events/{CELEBRATION}")

    def focused() -> dict[str, str]:
        return dict(
            page.evaluate(
                """() => { const e = document.activeElement; return {tag: e.tagName, text: e.innerText || '',
                name: e.name || '', value: e.value || '', role: e.getAttribute('role') || '',
                outline: getComputedStyle(e).outlineStyle}; }"""
            )
        )

    def tab_to(wanted: Any, limit: int = 40) -> dict[str, str]:
        for _ in range(limit):
            keyboard.press("Tab")
            at = focused()
            if wanted(at):
                assert at["outline"] != "none", at
                return at
        raise AssertionError("the keyboard never got there")

    tab_to(lambda at: "Skip to" in at["text"], 1)
    tab_to(lambda at: at["tag"] == "A" and "RSVP" in at["text"])
    keyboard.press("Enter")
    page.wait_for_url("**/rsvp")
    tab_to(lambda at: at["tag"] == "BUTTON" and "RSVP" in at["text"])
    keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    # The summary of what is wrong has the focus.
    page.wait_for_function("document.activeElement.getAttribute('role') === 'alert'")

    tab_to(lambda at: at["tag"] == "A" and at["text"] != "")  # its first link
    keyboard.press("Enter")
    assert page.evaluate("document.activeElement.name") == "rsvp"
    keyboard.press("Space")
    assert page.evaluate("document.activeElement.checked")
    tab_to(lambda at: at["name"] == "name")
    keyboard.type("Wim de Vries")
    tab_to(lambda at: at["name"] == "email")
    keyboard.type("wim.keyboard@example.org")
    tab_to(lambda at: at["tag"] == "BUTTON")
    keyboard.press("Enter")
    page.wait_for_url("**/rsvp/*")
    assert page.get_by_role("heading", level=1).inner_text() == "You are coming."
    demo_site.mail.wait_for_mail_to("wim.keyboard@example.org")


def test_time_of_a_visitor_elsewhere_is_added_to_the_events_own(open_page) -> None:
    here = open_page(timezone_id="America/New_York")
    here.goto(f"/events/{CELEBRATION}")
    there = open_page(timezone_id="Europe/Amsterdam")
    there.goto(f"/events/{CELEBRATION}")
    assert re.search(r"your time", here.locator("main").inner_text(), re.IGNORECASE) is None
    shown = there.locator("main").inner_text()
    assert re.search(r"your time", shown, re.IGNORECASE)
    assert "3:00" in shown
