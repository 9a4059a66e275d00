"""Followed calendars at the desk, and on the pages of their events."""

from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa

from eventreg.events.models import Event
from eventreg.following.models import FollowedCalendar
from eventreg.registrations.models import Registration
from tests.support.html import Page

PAGE = "/organize/calendars"


@pytest.fixture
def calendar(session, make_organizer, now: datetime) -> FollowedCalendar:
    made = FollowedCalendar(
        url="https://uni.example/secret-token.ics",
        title="University",
        organizer_id=make_organizer().id,
        next_fetch_at=now,
        created_at=now,
    )
    session.add(made)
    session.commit()
    return made


@pytest.fixture
def followed(calendar, make_event) -> Event:
    return make_event(title="Lecture", source_id=calendar.id, source_url="https://uni.example/lecture", questions=[])


def press(client: Any, page: Page, action: str) -> Page:
    return Page.of(page.submit(client, page.form(action=action), follow_redirects=True))


def test_calendar_is_followed_from_its_webcal_address(olga, session, now) -> None:
    page = Page.of(olga.get(PAGE))
    form = page.form("url").set(
        url="webcal://uni.example/cal.ics", title="Uni", category="Campus", visibility="unlisted"
    )
    answered = Page.of(page.submit(olga, form, follow_redirects=True))
    assert "The calendar is followed." in answered.text
    assert "Waiting for its first reading" in answered.text
    made = session.scalars(sa.select(FollowedCalendar)).one()
    assert (made.url, made.title, made.category, made.visibility, made.next_fetch_at) == (
        "https://uni.example/cal.ics",
        "Uni",
        "Campus",
        "unlisted",
        now,
    )


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "Write the calendar’s address.".replace("’", "'")),
        ("http://uni.example/cal.ics", "must begin with https://"),
        ("https://events.example.org/calendar.ics", "This is an address of this site."),
    ],
)
def test_address_that_cannot_be_followed_is_said_at_the_field(olga, session, url: str, words: str) -> None:
    page = Page.of(olga.get(PAGE))
    response = page.submit(olga, page.form("url").set(url=url))
    assert (response.status_code, words in Page.of(response).text) == (422, True)
    assert session.scalar(sa.select(sa.func.count()).select_from(FollowedCalendar)) == 0


def test_calendar_is_paused_read_and_given_up(olga, session, calendar, followed) -> None:
    page = Page.of(olga.get(PAGE))
    assert "1 coming event" in page.text
    page = press(olga, page, "/pause")
    assert "Paused" in page.text
    assert session.get(FollowedCalendar, calendar.id).next_fetch_at is None
    page = press(olga, page, "/read")
    assert "The calendar is read within a minute or two." in page.text
    asked = Page.of(olga.get(page.link("Stop following")))
    assert "Its 1 coming event leaves the list and the feeds." in asked.text
    page = press(olga, asked, "/remove")
    assert "Events that are drafts of its organizer now: 1." in page.text
    session.expire_all()
    assert (session.scalars(sa.select(FollowedCalendar)).all(), session.get(Event, followed.id).status) == ([], "draft")


def test_calendar_without_events_is_given_up_without_a_word_of_drafts(olga, session, calendar, followed) -> None:
    session.execute(sa.update(Event).values(status="cancelled"))
    session.commit()
    asked = Page.of(olga.get(f"{PAGE}/{calendar.id}/remove"))
    assert "It is not read any more. Those that are over or cancelled stay as they are." in asked.text


def test_calendar_of_another_organizer_is_unknown(session, calendar, make_organizer, make_client, sign_in) -> None:
    make_organizer("other@example.org")
    other = make_client()
    sign_in(other, "other@example.org")
    assert "University" not in Page.of(other.get(PAGE)).text
    token = dict(Page.of(other.get(PAGE)).form("url").data())["csrf_token"]
    for action in ("pause", "read", "remove"):
        assert other.post(f"{PAGE}/{calendar.id}/{action}", data={"csrf_token": token}).status_code == 404
    assert other.get(f"{PAGE}/{calendar.id}/remove").status_code == 404


def test_calendar_with_a_number_beyond_all_numbers_is_unknown(olga) -> None:
    assert olga.get(f"{PAGE}/99999999999/remove").status_code == 404


def test_what_went_wrong_stands_at_the_desk(olga, session, calendar) -> None:
    calendar.failures, calendar.report = 3, "Its server answers with an error (500)."
    assert "It could not be read 3 times in a row: Its server answers" in Page.of(olga.get(PAGE)).text


def test_event_names_where_it_comes_from_and_takes_no_answers(client, followed, calendar) -> None:
    page = Page.of(client.get(f"/events/{followed.slug}"))
    assert (page.link("University"), page.link("Its own page")) == ("https://uni.example/lecture",) * 2
    assert "There is no registration for it here.".lower() in page.text.lower()
    assert "secret-token" not in page.html
    assert "No registration here" in Page.of(client.get("/")).text
    form = Page.of(client.get(f"/events/{followed.slug}/rsvp"))
    assert ("run elsewhere" in form.text, [one for one in form.forms if "rsvp" in one.names]) == (True, [])


def test_followed_event_is_listed_and_fed_like_others(client, followed) -> None:
    assert "Lecture" in Page.of(client.get("/")).text
    assert b"SUMMARY:Lecture" in client.get("/calendar.ics").data


def test_desk_adds_nobody_to_a_followed_event(olga, session, followed) -> None:
    people = f"/organize/events/{followed.slug}/attendees"
    assert "Add a person" not in {words for _address, words in Page.of(olga.get(people)).links}
    page = Page.of(olga.get(f"{people}/new"))
    refused = page.submit(olga, page.form("rsvp").set(name="Amira", email="amira@example.org"))
    assert (refused.status_code, session.scalars(sa.select(Registration)).all()) == (422, [])
    assert "This event comes from a followed calendar" in Page.of(refused).text


def test_desk_offers_no_change_of_a_followed_event_and_refuses_one(olga, session, followed) -> None:
    page = Page.of(olga.get(f"/organize/events/{followed.slug}"))
    assert "This event comes from a followed calendar." in page.text
    words = {words for _address, words in page.links}
    assert words & {"Edit", "Questions", "Cancel the event", "Add a person"} == set()
    edit = Page.of(olga.get(f"/organize/events/{followed.slug}/edit"))
    refused = edit.submit(olga, edit.form("title").set(title="Mine"))
    assert (refused.status_code, "comes from a followed calendar" in Page.of(refused).text) == (422, True)
    ask = Page.of(olga.get(f"/organize/events/{followed.slug}/cancel"))
    assert "comes from a followed calendar" in press(olga, ask, "/cancel").text
    session.expire_all()
    assert (followed.title, followed.status) == ("Lecture", "published")
