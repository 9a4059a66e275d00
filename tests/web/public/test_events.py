import io
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy.orm import Session

from eventreg.audit import Actor
from eventreg.events import pictures
from eventreg.events.models import Event
from tests.support.html import Page
from tests.support.queries import query_counter

MakeEvent = Callable[..., Event]
START = datetime(2026, 10, 19, 19, 0, tzinfo=UTC)
JOIN = "https://meet.example.org/secret-room"


def structured(response: Any) -> dict[str, Any]:
    block = re.search(r'<script type="application/ld\+json">(.*?)</script>', response.get_data(as_text=True), re.DOTALL)
    assert block is not None
    data: dict[str, Any] = json.loads(block[1])
    return data


def a_picture(session: Session, event: Event, now: datetime) -> str:
    buffer = io.BytesIO()
    Image.new("RGB", (300, 100), "#96152f").save(buffer, "PNG")
    stored = pictures.store(
        session,
        event_id=event.id,
        encoded=pictures.encode(buffer.getvalue()),
        alt_text='A "hall"',
        actor=Actor.system(),
        now=now,
    )
    session.commit()
    return stored.digest


def test_event_page_holds_the_facts_and_one_button(client: FlaskClient, make_event: MakeEvent) -> None:
    make_event(
        title="The anniversary",
        starts_at=START,
        ends_at=START + timedelta(hours=3),
        capacity=80,
        seats_taken=68,
        audience=("Alumni", "Staff"),
        description="Come **early**.",
    )
    response = client.get("/events/the-anniversary")
    page = Page.of(response)
    assert (
        "When Monday, October 19, 2026, 3:00–6:00 PM EDT "
        "Where TMEC Amphitheater, 260 Longwood Ave, Boston MA Show on a map For Alumni, Staff "
        "Places 12 of 80 places left 12 of 80 places left "
        "Registration closes Monday, October 19, 2026, 3:00 PM EDT RSVP"
    ) in page.text
    assert '<meter class="seat-meter" min="0" max="80" value="12"' in page.html
    assert "<p>Come <strong>early</strong>.</p>" in page.html
    assert page.link("RSVP") == "/events/the-anniversary/rsvp"
    assert page.link("Show on a map") == (
        "https://www.openstreetmap.org/search?query=260%20Longwood%20Ave%2C%20Boston%20MA"
    )
    assert "Set-Cookie" not in response.headers


def test_event_page_leads_into_calendars(client: FlaskClient, make_event: MakeEvent) -> None:
    make_event(title="Tea", starts_at=START, location_name="Room 1; é", location_address="")
    page = Page.of(client.get("/events/tea"))
    assert page.link("Calendar file") == "/events/tea.ics"
    assert page.link("kept up to date") == "webcal://events.example.org/events/tea.ics"
    assert page.link("Google") == (
        "https://calendar.google.com/calendar/render?action=TEMPLATE&text=Tea"
        "&dates=20261019T190000Z%2F20261019T210000Z"
        "&details=https%3A%2F%2Fevents.example.org%2Fevents%2Ftea&location=Room%201%3B%20%C3%A9"
    )
    assert "startdt=2026-10-19T19%3A00%3A00Z&enddt=2026-10-19T21%3A00%3A00Z" in page.link("Outlook.com")


def test_all_day_event_goes_into_calendars_with_the_day_after_its_last(
    client: FlaskClient, make_event: MakeEvent
) -> None:
    first = datetime(2026, 10, 21, 4, 0, tzinfo=UTC)
    make_event(title="Festival", starts_at=first, ends_at=first + timedelta(days=2), all_day=True)
    page = Page.of(client.get("/events/festival"))
    assert "dates=20261021%2F20261023" in page.link("Google")
    assert "allday=true&startdt=2026-10-21&enddt=2026-10-23" in page.link("Outlook.com")
    data = structured(client.get("/events/festival"))
    assert (data["startDate"], data["endDate"]) == ("2026-10-21", "2026-10-22")


def test_place_facts_say_what_is_left_while_registration_has_not_opened(
    client: FlaskClient, make_event: MakeEvent
) -> None:
    make_event(title="Tea", capacity=5, registration_opens_at=datetime(2026, 10, 12, 13, tzinfo=UTC))
    page = Page.of(client.get("/events/tea"))
    assert "Places 5 of 5 places left 5 of 5 places left Registration opens Monday, October 12" in page.text
    assert page.text.count("Registration opens") == 1


@pytest.mark.parametrize(("settings", "told"), [({}, False), ({"MAIL_SERVER": "mail.example.org"}, True)])
def test_cancelled_event_says_that_people_were_mailed_only_where_mail_is_sent(
    make_app: Any, make_client: Any, make_event: MakeEvent, settings: dict[str, str], told: bool
) -> None:
    make_event(title="Tea", status="cancelled")
    page = Page.of(make_client(make_app(**settings)).get("/events/tea"))
    assert ("told by e-mail" in page.text) is told


@pytest.mark.parametrize(
    ("given", "button", "said"),
    [
        ({}, "RSVP", "places left"),
        ({"seats_taken": 5}, "Join the waitlist", "Full, waitlist open"),
        (
            {"seats_taken": 5, "waitlist_open": False},
            "Send an answer",
            "Every place is taken, and there is no waitlist",
        ),
        (
            {"registration_opens_at": datetime(2026, 10, 12, 13, tzinfo=UTC)},
            None,
            "Registration opens Monday, October 12, 2026, 9:00 AM EDT.",
        ),
        (
            {"registration_closes_at": datetime(2026, 10, 1, 13, tzinfo=UTC)},
            None,
            "Registration closed Thursday, October 1, 2026, 9:00 AM EDT.",
        ),
        ({"status": "cancelled"}, None, "This event is cancelled It does not take place."),
        ({"starts_at": datetime(2026, 10, 1, 13, tzinfo=UTC)}, None, "This event is over"),
    ],
)
def test_event_page_says_how_to_get_in_or_why_not(
    client: FlaskClient, make_event: MakeEvent, given: dict[str, Any], button: str | None, said: str
) -> None:
    make_event(title="Tea", **{"capacity": 5} | given)
    page = Page.of(client.get("/events/tea"))
    assert [text for href, text in page.links if href.endswith("/rsvp")] == ([button] if button else [])
    assert said in page.text.replace(": ", " ").replace("Problem ", "")


def test_cancelled_is_said_first(client: FlaskClient, make_event: MakeEvent) -> None:
    make_event(title="Tea", status="cancelled")
    response = client.get("/events/tea")
    page = Page.of(response)
    assert page.title.startswith("Cancelled: Tea")
    assert page.text.index("This event is cancelled") < page.text.index("Where")
    assert structured(response)["eventStatus"] == "https://schema.org/EventCancelled"


@pytest.mark.parametrize(
    ("given", "status", "robots"),
    [
        ({}, 200, None),
        ({"visibility": "unlisted"}, 200, "noindex"),
        ({"visibility": "private"}, 404, None),
        ({"status": "draft"}, 404, None),
        ({"status": "cancelled"}, 200, None),
        ({"status": "cancelled", "visibility": "private"}, 404, None),
    ],
)
def test_event_is_shown_to_those_who_may_know_of_it(
    client: FlaskClient,
    session: Session,
    make_event: MakeEvent,
    now: datetime,
    given: dict[str, Any],
    status: int,
    robots: str | None,
) -> None:
    event = make_event(title="Tea", **given)
    digest = a_picture(session, event, now)
    for address in ("/events/tea", "/events/tea/cover.svg", f"/events/tea/picture-{digest}.webp"):
        assert client.get(address).status_code == status
    response = client.get("/events/tea")
    assert response.headers.get("X-Robots-Tag") == robots
    assert ('<meta name="robots" content="noindex">' in response.text) == (robots is not None or status == 404)


@pytest.mark.parametrize("slug", ["nothing", "x" * 3000, "a%00b", "%ff%fe", "..%2f..%2fetc", "tea%0a", "💥"])
def test_unknown_event_is_a_page_with_a_way_back(client: FlaskClient, slug: str) -> None:
    for address in (f"/events/{slug}", f"/events/{slug}/cover.svg", f"/events/{slug}/picture-00.webp"):
        response = client.get(address)
        assert response.status_code == 404
        assert client.get(Page.of(response).link("events")).status_code == 200


def test_join_link_is_nowhere_on_public_pages(client: FlaskClient, make_event: MakeEvent) -> None:
    make_event(title="Tea", online_url=JOIN, location_name="", location_address="", category="Talks")
    pages = ("/", "/events/tea", "/calendar/2026/11", "/subscribe")
    for address in (*pages, "/events/tea.ics", "/calendar.ics", "/feed.atom"):
        assert "secret-room" not in client.get(address).text
    data = structured(client.get("/events/tea"))
    assert data["eventAttendanceMode"] == "https://schema.org/OnlineEventAttendanceMode"
    assert data["location"] == {"@type": "VirtualLocation", "url": "https://events.example.org/events/tea"}
    assert "get the link to join" in Page.of(client.get("/events/tea")).text


def test_structured_data_says_what_the_page_says(client: FlaskClient, make_event: MakeEvent) -> None:
    make_event(
        title="Tea </script><script>alert(1)</script>",
        slug="tea",
        starts_at=START,
        ends_at=START + timedelta(hours=3),
        capacity=80,
        seats_taken=68,
        audience=("Staff",),
        online_url=JOIN,
    )
    assert structured(client.get("/events/tea")) == {
        "@context": "https://schema.org",
        "@type": "Event",
        "@id": "https://events.example.org/events/tea",
        "url": "https://events.example.org/events/tea",
        "name": "Tea </script><script>alert(1)</script>",
        "description": "Looking back, looking forward",
        "startDate": "2026-10-19T15:00:00-04:00",
        "endDate": "2026-10-19T18:00:00-04:00",
        "eventStatus": "https://schema.org/EventScheduled",
        "eventAttendanceMode": "https://schema.org/MixedEventAttendanceMode",
        "location": [
            {"@type": "Place", "name": "TMEC Amphitheater", "address": "260 Longwood Ave, Boston MA"},
            {"@type": "VirtualLocation", "url": "https://events.example.org/events/tea"},
        ],
        "organizer": {
            "@type": "Organization",
            "name": "Community events",
            "url": "https://events.example.org/",
        },
        "audience": {"@type": "Audience", "audienceType": "Staff"},
        "maximumAttendeeCapacity": 80,
        "remainingAttendeeCapacity": 12,
    }


def test_head_says_who_the_page_is_to_machines(client: FlaskClient, make_event: MakeEvent) -> None:
    make_event(title='Tea "and" <more>', slug="tea", starts_at=START)
    html = client.get("/events/tea", headers={"Host": "evil.example"}).text
    assert '<link rel="canonical" href="https://events.example.org/events/tea">' in html
    assert '<meta property="og:title" content="Tea &#34;and&#34; &lt;more&gt;">' in html
    assert '<meta property="og:url" content="https://events.example.org/events/tea">' in html
    assert 'type="text/calendar" title="Community events" href="https://events.example.org/calendar.ics"' in html
    assert 'type="application/atom+xml" title="Community events" href="https://events.example.org/feed.atom"' in html
    assert "evil.example" not in html


def test_picture_takes_the_place_of_the_cover(
    client: FlaskClient, session: Session, make_event: MakeEvent, now: datetime
) -> None:
    event = make_event(title="Tea")
    assert "/events/tea/cover.svg?v=" in client.get("/events/tea").text
    digest = a_picture(session, event, now)
    html = client.get("/events/tea").text
    assert f'src="/events/tea/picture-{digest}.webp" width="300" height="100" alt="A &#34;hall&#34;"' in html
    assert "cover.svg" not in html
    picture = client.get(f"/events/tea/picture-{digest}.webp")
    assert (picture.mimetype, picture.headers["Cache-Control"]) == (
        "image/webp",
        "public, max-age=31536000, immutable",
    )
    assert client.get("/events/tea/picture-0123456789abcdef.webp").status_code == 404


def test_cover_is_drawn_the_same_each_time_and_kept_by_browsers(client: FlaskClient, make_event: MakeEvent) -> None:
    make_event(title="Tea", category="Talks")
    make_event(title="Walk", category="Talks")
    address = re.search(r'src="(/events/tea/cover\.svg\?v=[0-9a-f]+)"', client.get("/events/tea").text)
    assert address is not None
    first, again, other = (client.get(path) for path in (address[1], "/events/tea/cover.svg", "/events/walk/cover.svg"))
    assert first.mimetype == "image/svg+xml"
    assert first.data == again.data != other.data
    assert first.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert again.headers["Cache-Control"] == "public, max-age=86400"
    unchanged = client.get("/events/tea/cover.svg", headers={"If-None-Match": first.headers["ETag"]})
    assert (unchanged.status_code, unchanged.data) == (304, b"")


def test_event_page_costs_two_statements(client: FlaskClient, make_event: MakeEvent) -> None:
    make_event(title="Tea")
    with query_counter() as queries:
        client.get("/events/tea")
    assert queries.count == 2
