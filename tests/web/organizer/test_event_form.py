"""An organizer writes an event: the contract's fields, every fault at its field, nothing typed lost."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from eventreg.events.models import Event
from eventreg.outbox.models import Message
from tests.support.html import Page, csrf

CONTRACT = {
    "title": "Anniversary",
    "summary": "Looking back",
    "description": "**Welcome**",
    "starts_at": "2026-10-19T15:00",
    "ends_at": "2026-10-19T18:00",
    "timezone": "America/New_York",
    "location_name": "TMEC Amphitheater",
    "location_address": "260 Longwood Ave, Boston MA",
    "online_url": "https://meet.example.org/x",
    "category": "Activities",
    "audience": ["alumni, faculty", "staff"],
    "visibility": "unlisted",
    "capacity": "240",
    "max_party_size": "4",
    "registration_opens_at": "2026-10-06T09:00",
    "registration_closes_at": "2026-10-18T09:00",
}


def post(client: Any, address: str, **values: Any) -> Any:
    token = csrf(client.get("/organize/events/new").get_data(as_text=True))
    return client.post(address, data={"csrf_token": token, **values})


def stored(session: Session) -> Event:
    return session.scalars(select(Event)).one()


def test_new_event_with_the_contracts_fields_is_a_draft_as_written(olga: Any, session: Session) -> None:
    response = post(olga, "/organize/events/new", **CONTRACT)
    assert (response.status_code, response.location) == (302, "/organize/events/anniversary")
    event = stored(session)
    assert {name: getattr(event, name) for name in ("title", "summary", "description", "status", "visibility")} == {
        "title": "Anniversary",
        "summary": "Looking back",
        "description": "**Welcome**",
        "status": "draft",
        "visibility": "unlisted",
    }
    assert (event.starts_at, event.ends_at) == (
        datetime(2026, 10, 19, 19, tzinfo=UTC),
        datetime(2026, 10, 19, 22, tzinfo=UTC),
    )
    assert (event.registration_opens_at, event.registration_closes_at) == (
        datetime(2026, 10, 6, 13, tzinfo=UTC),
        datetime(2026, 10, 18, 13, tzinfo=UTC),
    )
    assert (event.audience, event.capacity, event.max_party_size) == ("alumni, faculty, staff", 240, 4)
    assert (event.all_day, event.waitlist_open, event.category_key) == (False, True, "activities")


def test_new_event_with_title_and_times_alone_gets_the_defaults(olga: Any, session: Session) -> None:
    post(olga, "/organize/events/new", title="Tea", starts_at="2026-10-19T15:00", ends_at="2026-10-19T16:00")
    event = stored(session)
    assert (event.timezone, event.visibility, event.capacity, event.max_party_size, event.waitlist_open) == (
        "America/New_York",
        "public",
        None,
        1,
        True,
    )


def test_new_event_over_whole_days_counts_both(olga: Any, session: Session) -> None:
    post(olga, "/organize/events/new", title="Fair", starts_at="2026-10-19", ends_at="2026-10-20", all_day="y")
    event = stored(session)
    assert event.all_day
    assert (event.starts_at, event.ends_at) == (
        datetime(2026, 10, 19, 4, tzinfo=UTC),
        datetime(2026, 10, 21, 4, tzinfo=UTC),
    )


def test_new_event_unticking_the_waitlist_on_the_page_is_heeded(olga: Any, session: Session) -> None:
    page = Page.of(olga.get("/organize/events/new"))
    form = page.form("title", "starts_at").set(title="Tea", waitlist_open=[])
    assert page.submit(olga, form, button="save").status_code == 302
    assert not stored(session).waitlist_open


def test_publish_button_makes_it_public(olga: Any, client: Any, session: Session) -> None:
    page = Page.of(olga.get("/organize/events/new"))
    page.submit(olga, page.form("title", "starts_at").set(title="Tea"), button="publish")
    assert stored(session).status == "published"
    assert client.get("/events/tea").status_code == 200


FAULTS = [
    ({"title": ""}, "title", "Give the event a title."),
    ({"title": "x" * 201}, "title", "This has 201 characters. Shorten it to 200."),
    ({"starts_at": ""}, "starts_at", "Say when it starts."),
    ({"starts_at": "tomorrow"}, "starts_at", "Write date and time like 2026-10-19T15:00."),
    ({"starts_at": "0000-00-00T00:00"}, "starts_at", "Write date and time like 2026-10-19T15:00."),
    ({"ends_at": "9999-12-31T23:59"}, "ends_at", "Choose a year from 1970 to 2200."),
    ({"ends_at": "2026-10-19T14:00"}, "ends_at", "The end must come after the start."),
    ({"timezone": "Mars/Olympus"}, "timezone", "There is no time zone called “Mars/Olympus”."),
    ({"timezone": ""}, "timezone", "There is no time zone called “”."),
    ({"capacity": "0"}, "capacity", "Write a number from 1 to 1,000,000."),
    ({"capacity": "9" * 40}, "capacity", "Write a whole number, like 2."),
    ({"capacity": "many"}, "capacity", "Write a whole number, like 2."),
    ({"max_party_size": "101"}, "max_party_size", "A party is between 1 and 100 people."),
    ({"online_url": "javascript:alert(1)"}, "online_url", "Write a web address that begins with https:// or http://."),
    ({"online_url": "https://["}, "online_url", "Write a web address that begins with https:// or http://."),
    ({"contact_email": "nobody"}, "contact_email", "“nobody” is not an e-mail address"),
    ({"visibility": "secret"}, "visibility", "Choose public, unlisted or private."),
    ({"registration_closes_at": "2026-10-05T09:00"}, "registration_closes_at", "must close after it opens"),
    ({"registration_opens_at": "2026-11-01T01:30", "registration_closes_at": ""}, "registration_opens_at", "before"),
    ({"category": "ﷺ" * 60}, "category", "That name is too long."),
    ({"audience": "x" * 500}, "audience", "These names together are too long."),
    (
        {"starts_at": "2027-03-14T02:30", "ends_at": "2027-03-14T05:00"},
        "starts_at",
        "02:30 does not exist on March 14, 2027 in America/New_York: the clocks go forward and skip it.",
    ),
    ({"registration_opens_at": "2026-03-08T02:30"}, "registration_opens_at", "02:30 does not exist on March 8, 2026"),
]


@pytest.mark.sqlite_only
@pytest.mark.parametrize(("values", "field", "message"), FAULTS)
def test_new_event_fault_is_named_at_its_field_and_in_the_summary(
    olga: Any, session: Session, values: dict[str, str], field: str, message: str
) -> None:
    response = post(olga, "/organize/events/new", **CONTRACT | values)
    html = response.get_data(as_text=True)
    assert response.status_code == 422
    assert f'id="{field}-error"' in html
    assert f'href="#{field}"' in html
    assert message in Page(html).text
    assert session.scalar(select(func.count()).select_from(Event)) == 0
    form = Page(html).form("title", "starts_at")
    typed = dict(form.data())
    kept = {name: text for name, text in (CONTRACT | values).items() if name not in {"visibility", "timezone"}}
    kept["audience"] = "alumni, faculty, staff" if isinstance(kept["audience"], list) else kept["audience"]
    if field == "audience":
        del kept["audience"]
    assert {name: typed[name] for name in kept} == kept


def test_hostile_text_is_stored_without_its_controls(olga: Any, session: Session) -> None:
    post(
        olga,
        "/organize/events/new",
        **CONTRACT
        | {"title": "A\x00B\r\nC", "description": "one\x00\r\ntwo\x1b", "category": "\x00", "audience": "\x00,"},
    )
    event = stored(session)
    assert (event.title, event.description, event.category, event.audience) == ("A B C", "one \ntwo", "", "")


def test_preview_shows_the_page_saves_nothing_and_loses_nothing(
    olga: Any, session: Session, table_contents: Callable[[], Any]
) -> None:
    page = Page.of(olga.get("/organize/events/new"))
    form = page.form("title", "starts_at").set(
        title="Tea & <cake>", description="A **fine** hour\n\nand more", audience="alumni, staff", capacity="7"
    )
    before = table_contents()
    shown = page.submit(olga, form, button="preview")
    html = shown.get_data(as_text=True)
    assert shown.status_code == 200
    assert "Tea &amp; &lt;cake&gt;" in html
    assert "A <strong>fine</strong> hour" in html
    assert "7 of 7 places left" in Page(html).text
    assert table_contents() == before
    back = Page.of(Page(html, "/organize/events/new").submit(olga, Page(html).form("title"), button="edit"))
    again = dict(back.form("title", "starts_at").data())
    assert (again["title"], again["description"], again["audience"], again["capacity"]) == (
        "Tea & <cake>",
        "A **fine** hour\n\nand more",
        "alumni, staff",
        "7",
    )
    assert Page(html, "/organize/events/new").submit(olga, Page(html).form("title"), button="save").status_code == 302
    assert stored(session).title == "Tea & <cake>"


def test_edit_with_the_contracts_fields_keeps_what_scripts_do_not_know(
    olga: Any, make_event: Any, session: Session
) -> None:
    event = make_event(directions="Back door", contact_email="olga@example.org", waitlist_open=False)
    response = post(olga, f"/organize/events/{event.slug}/edit", **CONTRACT)
    assert response.status_code == 302
    session.refresh(event)
    assert (event.title, event.directions, event.contact_email, event.waitlist_open) == (
        "Anniversary",
        "Back door",
        "olga@example.org",
        False,
    )


def test_edit_below_the_seats_taken_says_how_many_are(olga: Any, make_event: Any, make_registration: Any) -> None:
    event = make_event(capacity=5)
    make_registration(event, party_size=3)
    page = Page.of(olga.get(f"/organize/events/{event.slug}/edit"))
    response = page.submit(olga, page.form("title").set(capacity="2"), button="save")
    assert response.status_code == 422
    assert "3 places are taken already" in Page.of(response).text
    assert 'id="capacity-error"' in response.get_data(as_text=True)


def test_edit_of_time_with_notify_owes_one_mail_and_a_typo_owes_none(
    olga: Any, make_event: Any, make_registration: Any, session: Session
) -> None:
    event = make_event()
    make_registration(event)
    make_registration(event, name="Wim", email="wim@example.org", rsvp="no")
    page = Page.of(olga.get(f"/organize/events/{event.slug}/edit"))
    assert "Tell 1 person about changes" in page.text
    page.submit(olga, page.form("title").set(summary="A typo put right", notify=[]), button="save")
    assert session.scalar(select(func.count()).select_from(Message)) == 0
    page = Page.of(olga.get(f"/organize/events/{event.slug}/edit"))
    page.submit(olga, page.form("title").set(location_name="Room 2", notify=[]), button="save")
    assert session.scalar(select(func.count()).select_from(Message)) == 0
    page = Page.of(olga.get(f"/organize/events/{event.slug}/edit"))
    response = page.submit(olga, page.form("title").set(location_name="Room 3"), button="save")
    (message,) = session.scalars(select(Message)).all()
    assert (message.kind, message.recipient, message.payload["changes"]) == (
        "update",
        "amira@example.org",
        {"location_name": ["Room 2", "Room 3"]},
    )
    said = Page.of(olga.get(response.location)).text
    assert "1 mail was written and kept on the server: no mail server is set up." in said
    assert " sent" not in said


@pytest.mark.parametrize(
    ("sent", "mails"),
    [({}, 1), ({"notify": "y"}, 1), ({"notify": "false"}, 0), ({"notify": "0"}, 0), ({"notify_shown": "1"}, 0)],
)
def test_edit_of_time_by_a_script_mails_unless_it_says_not_to(
    olga: Any, make_event: Any, make_registration: Any, session: Session, sent: dict[str, str], mails: int
) -> None:
    event = make_event()
    make_registration(event)
    values = CONTRACT | {"starts_at": "2026-11-04T15:00", "ends_at": "2026-11-04T18:00"}
    assert post(olga, f"/organize/events/{event.slug}/edit", **values, **sent).status_code == 302
    assert session.scalar(select(func.count()).select_from(Message)) == mails


def test_edit_of_a_word_by_a_script_mails_nobody(
    olga: Any, make_event: Any, make_registration: Any, session: Session
) -> None:
    event = make_event()
    make_registration(event)
    page = Page.of(olga.get(f"/organize/events/{event.slug}/edit"))
    data = [pair for pair in page.form("title").set(title="Renamed").data("save") if not pair[0].startswith("notify")]
    assert olga.post(f"/organize/events/{event.slug}/edit", data=dict(data)).status_code == 302
    assert session.get_one(Event, event.id).title == "Renamed"
    assert session.scalar(select(func.count()).select_from(Message)) == 0


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"location_name": "Room 2"}, "1 mail is written and kept on the server: no mail server is set up."),
        ({"location_name": "Room 2", "notify": []}, "Nobody is mailed about it."),
        ({"capacity": "40"}, "Nobody is mailed about it."),
    ],
)
def test_preview_of_a_published_event_says_what_changes_and_who_is_told(
    olga: Any, make_event: Any, make_registration: Any, session: Session, values: dict[str, Any], said: str
) -> None:
    event = make_event()
    make_registration(event)
    page = Page.of(olga.get(f"/organize/events/{event.slug}/edit"))
    shown = Page.of(page.submit(olga, page.form("title").set(**values), button="preview"))
    expected = "Place: TMEC Amphitheater → Room 2" if "location_name" in values else "Places: empty → 40"
    assert f"What changes {expected} {said}" in shown.text
    assert shown.submit(olga, shown.form("title"), button="save").status_code == 302
    assert session.scalar(select(func.count()).select_from(Message)) == (said[0] == "1")


@pytest.mark.sqlite_only
def test_preview_says_how_many_are_mailed_where_mail_is_sent(
    make_app: Any, make_client: Any, make_organizer: Any, make_event: Any, make_registration: Any, sign_in: Any
) -> None:
    make_organizer()
    event = make_event()
    make_registration(event)
    olga = make_client(make_app(MAIL_SERVER="mail.example.org"))
    sign_in(olga)
    page = Page.of(olga.get(f"/organize/events/{event.slug}/edit"))
    shown = Page.of(page.submit(olga, page.form("title").set(location_name="Room 2"), button="preview"))
    assert "1 person is mailed what it was and what it is." in shown.text


def test_edit_after_somebody_elses_is_refused_with_what_changed_and_saved_the_second_time(
    olga: Any, make_event: Any, session: Session, clock: Any
) -> None:
    event = make_event()
    mine = Page.of(olga.get(f"/organize/events/{event.slug}/edit"))
    clock.now = datetime(2026, 10, 5, 16, 1, tzinfo=UTC)
    theirs = Page.of(olga.get(f"/organize/events/{event.slug}/edit"))
    theirs.submit(olga, theirs.form("title").set(location_name="Room 9"), button="save")
    clock.now = datetime(2026, 10, 5, 16, 2, tzinfo=UTC)
    refused = mine.submit(olga, mine.form("title").set(summary="Mine"), button="save")
    page = Page.of(refused)
    assert refused.status_code == 409
    assert "Somebody changed this event while you were writing." in page.text
    assert "Place: TMEC Amphitheater → Room 9" in page.text
    session.refresh(event)
    assert (event.location_name, event.summary) == ("Room 9", "Looking back, looking forward")
    assert page.submit(olga, page.form("title", "summary"), button="save").status_code == 302
    session.refresh(event)
    assert (event.location_name, event.summary) == ("TMEC Amphitheater", "Mine")


def test_form_without_its_csrf_token_is_refused(olga: Any, make_event: Any, table_contents: Callable[[], Any]) -> None:
    event = make_event()
    before = table_contents()
    for address in (
        "new",
        f"{event.slug}/edit",
        f"{event.slug}/publish",
        f"{event.slug}/cancel",
        f"{event.slug}/duplicate",
    ):
        assert olga.post(f"/organize/events/{address}", data=CONTRACT).status_code == 400
    assert table_contents() == before
