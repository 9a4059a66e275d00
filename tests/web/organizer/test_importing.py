"""A calendar file uploaded at the desk."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from eventreg.calendar import reading
from eventreg.events.models import Event
from tests.support.html import Page


def upload(client: Any, content: bytes, **fields: str) -> Any:
    """Sends the form as bytes: werkzeug would leave the temporary file of a large one open."""
    form = Page.of(client.get("/organize/import")).form("past")
    head = "".join(
        f'--part\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in {**dict(form.data()), **fields}.items()
    )
    head += '--part\r\nContent-Disposition: form-data; name="file"; filename="talks.ics"\r\n\r\n'
    body = head.encode() + content + b"\r\n--part--\r\n"
    return client.post("/organize/import", data=body, content_type="multipart/form-data; boundary=part")


def calendar(now: datetime, *titles: str) -> bytes:
    events = "".join(
        f"BEGIN:VEVENT\nUID:{number}@x\nSUMMARY:{title}\nDTSTART:{now + timedelta(days=number):%Y%m%dT%H%M%SZ}\n"
        "DURATION:PT1H\nEND:VEVENT\n"
        for number, title in enumerate(titles)
    )
    return f"BEGIN:VCALENDAR\nX-WR-CALNAME:Talks <b>\n{events}END:VCALENDAR\n".encode()


def test_upload_makes_drafts_and_says_what_became_of_each(olga, session, now) -> None:
    content = calendar(now - timedelta(days=1), "Over <i>", "One <script>", "Two")
    response = upload(olga, content)
    page = Page.of(response)
    assert response.status_code == 200
    assert "2 events are drafts now" in page.text
    assert "From the calendar “Talks <b>”" in page.text
    assert "Over <i> (line 3) It is over." in page.text
    assert (page.link("One <script>"), page.link("Two")) == ("/organize/events/one-script", "/organize/events/two")
    assert session.execute(sa.select(Event.title, Event.status).order_by(Event.id)).all() == [
        ("One <script>", "draft"),
        ("Two", "draft"),
    ]
    again = Page.of(upload(olga, content)).text
    assert "Nothing new was taken" in again
    assert "2 Unchanged" in again


def test_upload_with_past_takes_what_is_over(olga, session, now) -> None:
    upload(olga, calendar(now - timedelta(days=9), "Over"), past="y")
    assert session.scalars(sa.select(Event.title)).all() == ["Over"]


def test_large_file_of_nobody_is_not_read(client) -> None:
    content = b"x" * (300 * 1024)
    for path in ("/organize/import", "/organize/events/talk/picture"):
        response = client.post(path, data=content, content_type="multipart/form-data; boundary=part")
        assert (response.status_code, response.headers["Location"].partition("?")[0]) == (302, "/auth/login")


def test_upload_of_something_else_says_so_at_the_field(olga, session) -> None:
    faults = {
        b"<html></html>": "This is no calendar file.",
        b"BEGIN:VCALENDAR\r\nEND:VCALENDAR": "This calendar file holds no event.",
        b"BEGIN:VCALENDAR\r\n" + b" " * reading.MOST_BYTES: "This file is larger than 2 MB.",
    }
    for content, words in faults.items():
        response = upload(olga, content)
        assert (response.status_code, words in Page.of(response).text) == (422, True)
    assert session.scalar(sa.select(sa.func.count()).select_from(Event)) == 0
    nothing = Page.of(olga.get("/organize/import"))
    assert "Choose a calendar file." in Page.of(nothing.submit(olga, nothing.form("past"))).text


def test_hostile_titles_break_no_page_feed_mail_or_export(olga, session, now, client, post) -> None:
    every_kind = "".join(map(chr, [*range(1, 0x300), 0x2028, 0xFEFF, 0xFFFE, 0x1F3B6, 0xE000, 0x202E, 0x10FFFF]))
    titles = ["x" * 10_000, every_kind.replace("\r", "").replace("\n", ""), "\\N;,:\"'<>&", "\u200b\ufe0f"]
    content = calendar(now + timedelta(days=1), *titles).replace(b"SUMMARY:\\N", b"SUMMARY:\xed\xa0\x80\\\\N")
    assert upload(olga, content).status_code == 200
    events = session.scalars(sa.select(Event).order_by(Event.starts_at)).all()
    assert len(events) == len(titles)
    for event in events:
        desk = Page.of(olga.get(f"/organize/events/{event.slug}"))
        assert desk.submit(olga, desk.form(action="/publish")).status_code == 302
    paths = ["/", "/calendar.ics", "/feed.atom", "/organize/", f"/calendar/{events[0].starts_at:%Y/%m}"]
    paths += [f"/events/{event.slug}{end}" for event in events for end in ("", ".ics", "/rsvp")]
    assert {path: olga.get(path).status_code for path in paths} == dict.fromkeys(paths, 200)
    for event in events:
        form = Page.of(client.get(f"/events/{event.slug}/rsvp"))
        filled = form.form("rsvp").set(name="Amira", email="amira@example.org", rsvp="yes")
        assert form.submit(client, filled).status_code == 303
        exports = [f"/organize/events/{event.slug}/attendees.{kind}" for kind in ("csv", "xlsx", "json")]
        assert [olga.get(path).status_code for path in exports] == [200] * 3
    mails = post()
    assert [str(mail["To"]) for mail in mails] == ["amira@example.org"] * len(events)
    assert {"\n" in str(mail["Subject"]) for mail in mails} == {False}
    found = reading.read(client.get("/calendar.ics").data, now=now, default_timezone="America/New_York")
    assert [item.uid for item in found.items] == [event.uid for event in events]
