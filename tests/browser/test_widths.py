"""On a phone, at a desk and on paper: what matters stands in view, early, and nothing hides beyond the edge."""

from typing import Any

import pytest

from tests.browser.conftest import CELEBRATION
from tests.browser.test_pages import DRAFT, answered

DESK = "/organize/"
PEOPLE = f"/organize/events/{CELEBRATION}/attendees"
PHONE = {"width": 360, "height": 740}


def beyond_the_edge(page: Any) -> list[str]:
    """The cells of the page's table that are not wholly in the window."""
    return list(
        page.evaluate(
            """() => [...document.querySelectorAll('.table-scroll tbody :is(th, td)')]
                .filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth)
                .map(e => e.innerText)"""
        )
    )


@pytest.mark.parametrize("address", [DESK, PEOPLE])
def test_rows_of_the_desk_are_read_without_scrolling_sideways(open_page, be_signed_in, address) -> None:
    page = open_page(**PHONE)
    be_signed_in(page)
    page.goto(address)
    assert beyond_the_edge(page) == []


def test_row_of_a_person_says_on_a_phone_what_its_columns_say(open_page, be_signed_in) -> None:
    page = open_page(**PHONE)
    be_signed_in(page)
    page.goto(f"{PEOPLE}?q=wim.de.vries")
    row = page.get_by_role("row").filter(has_text="Wim de Vries")
    lines = [line for line in row.inner_text().splitlines() if line.strip()]
    assert lines[:3] == ["Wim de Vries", "wim.de.vries@example.org", "Attending"]
    label = "getComputedStyle(document.querySelector('tbody td.number'), '::before').content"
    assert page.evaluate(label) == '"People "'
    page.get_by_role("link", name="Name").click()  # the headings still sort
    page.wait_for_url("**sort=name**")


def test_people_with_their_mail_fit_a_desk(open_page, be_signed_in, demo_site) -> None:
    page = open_page(width=1280)
    email = "somebody.with.rather.a.long.address@mail.example.org"
    answered("yes", email)(page, demo_site)
    demo_site.mail.wait_for_mail_to(email)
    be_signed_in(page)
    page.goto(f"{PEOPLE}?q={email}")
    page.get_by_role("row").filter(has_text=email).wait_for()
    assert beyond_the_edge(page) == []


def test_people_are_printed_whole_and_without_what_cannot_be_pressed(open_page, be_signed_in) -> None:
    page = open_page(width=700)  # A4 between its margins
    be_signed_in(page)
    page.goto(PEOPLE)
    page.emulate_media(media="print")
    assert beyond_the_edge(page) == []
    assert page.get_by_text("wim.de.vries@example.org").is_visible()
    assert [one.is_visible() for one in page.get_by_role("button", include_hidden=True).all()].count(True) == 0


def test_draft_is_published_without_reading_all_its_facts_first(open_page, be_signed_in) -> None:
    page = open_page(**PHONE)
    be_signed_in(page)
    page.goto(f"/organize/events/{DRAFT}")
    tops = [
        page.get_by_role(role, name=name, exact=True).bounding_box()["y"]
        for role, name in (("button", "Publish"), ("heading", "Facts"))
    ]
    assert tops == sorted(tops)


@pytest.mark.parametrize(("width", "is_shown"), [(360, False), (1280, True)])
def test_code_for_a_phones_camera_is_not_shown_on_the_phone(open_page, width, is_shown) -> None:
    page = open_page(width=width)
    page.goto("/subscribe")
    assert page.get_by_role("img", name="QR code of the calendar's address").is_visible() is is_shown


def test_preview_keeps_the_lines_of_the_directions(page, be_signed_in) -> None:
    be_signed_in(page)
    page.goto("/organize/events/new")
    for label, value in (("Title", "One chair"), ("Starts", "2030-03-14T15:00"), ("Ends", "2030-03-14T16:00")):
        page.get_by_label(label).fill(value)
    page.get_by_label("Directions").fill("By the door.\nThen left.")
    page.get_by_role("button", name="Preview").click()
    said = page.get_by_role("heading", name="In the confirmation mail").locator("xpath=following-sibling::p")
    assert said.inner_text() == "By the door.\nThen left."
