"""A followed calendar through its life: read, changed, gone wrong, thinned out, given up."""

import contextvars
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from eventreg import jobs
from eventreg.audit import Actor, AuditEntry
from eventreg.db import db, write_transaction
from eventreg.errors import EventStateError, InvalidField, NotFound
from eventreg.events import rules
from eventreg.events import service as events
from eventreg.events.models import Event
from eventreg.events.rules import Door
from eventreg.events.values import values_of
from eventreg.following import rounds, service
from eventreg.following.fetching import Fetcher
from eventreg.following.models import FollowedCalendar
from eventreg.outbox.models import Message
from tests.conftest import Clock
from tests.support.https import HttpsServer, sending
from tests.support.site import everything

ACTOR = Actor("organizer", 1, "Olga")
Show = Callable[..., None]
Look = Callable[..., int]
HOUR = timedelta(hours=1)


def entry(number: int, *, title: str = "", day: int | None = None, lines: str = "", sequence: int = 0) -> str:
    start = f"202611{day or number:02d}T1500"
    return (
        f"BEGIN:VEVENT\nUID:{number}@uni\nSUMMARY:{title or f'Talk {number}'}\nDTSTART:{start}00Z\nDTEND:{start}30Z\n"
        f"SEQUENCE:{sequence}\nDTSTAMP:20261001T000000Z\n{lines}END:VEVENT\n"
    )


def feed(*entries: str, name: str = "University") -> bytes:
    text = f"BEGIN:VCALENDAR\nVERSION:2.0\nX-WR-CALNAME:{name}\n{''.join(entries)}END:VCALENDAR\n"
    return text.replace("\n", "\r\n").encode()


@pytest.fixture
def calendar(session: Session, server: HttpsServer, make_organizer, now: datetime) -> FollowedCalendar:
    made = FollowedCalendar(
        url=server.url("/cal.ics"),
        organizer_id=make_organizer().id,
        category="Campus",
        next_fetch_at=now,
        created_at=now,
    )
    session.add(made)
    session.commit()
    return made


@pytest.fixture
def show(server: HttpsServer) -> Show:
    def put(*entries: str, status: int = 200, etag: str = "", body: bytes | None = None) -> None:
        headers = {"ETag": etag} if etag else {}
        server.pages["/cal.ics"] = sending(feed(*entries) if body is None else body, status, **headers)

    return put


@pytest.fixture
def look(app: Flask, session: Session, clock: Clock, fetcher: Fetcher, calendar: FollowedCalendar) -> Look:
    """Lets that much time pass, and the worker look; how many calendars it read."""

    def after(time: timedelta = timedelta()) -> int:
        clock.now += time
        session.commit()

        def work() -> int:
            with app.app_context():
                return rounds.fetch_due(app, clock.now, fetcher=fetcher)

        done: int = contextvars.Context().run(work)
        session.rollback()
        session.expire_all()
        return done

    return after


def found(session: Session) -> dict[str, tuple[str, str]]:
    """UID -> (status, title)."""
    rows = session.execute(sa.select(Event.uid, Event.status, Event.title).order_by(Event.starts_at))
    return {uid.partition("@")[0]: (status, title) for uid, status, title in rows}


def event(session: Session, number: int) -> Event:
    return session.scalars(sa.select(Event).where(Event.uid == f"{number}@uni")).one()


def test_first_reading_publishes_what_the_calendar_holds(
    show: Show, look: Look, session: Session, calendar, now
) -> None:
    show(
        entry(1, lines="URL:https://uni.example/1\nX-GOOGLE-CONFERENCE:https://meet.example/a\n"),
        entry(2, lines="CATEGORIES:Music\n"),
        entry(3, lines="CLASS:PRIVATE\n"),
        entry(4, lines="STATUS:CANCELLED\n"),
        "BEGIN:VEVENT\nUID:5@uni\nDTSTART:soon\nSUMMARY:Bad\nEND:VEVENT\n",
    )
    assert look() == 1
    assert found(session) == {"1": ("published", "Talk 1"), "2": ("published", "Talk 2")}
    one, two = event(session, 1), event(session, 2)
    assert (one.source_id, one.source_url, one.category, two.category, one.organizer_id) == (
        calendar.id,
        "https://uni.example/1",
        "Campus",
        "Music",
        calendar.organizer_id,
    )
    assert (one.online_url, one.location_name, one.description) == (
        "",
        "Online",
        "Join online: <https://meet.example/a>",
    )
    assert (one.published_at, rules.availability(one, now).door) == (now, Door.ELSEWHERE)
    assert (calendar.title, calendar.fetched_at, calendar.next_fetch_at, calendar.failures) == (
        "University",
        now,
        now + HOUR,
        0,
    )
    assert calendar.report.splitlines() == [
        "2 new, 0 changed, 0 cancelled because they are missing, 0 unchanged, 3 left out.",
        "Bad: It has no start or end that can be read.",
        "Talk 3: It is marked private there.",
        "Talk 4: It is cancelled.",
    ]


def test_calendar_is_read_once_an_hour_and_by_one_worker(show: Show, look: Look, server: HttpsServer) -> None:
    show(entry(1))
    assert [look(), look(), look(HOUR / 2), look(HOUR / 2)] == [1, 0, 0, 1]
    assert len(server.asked) == 2


def test_calendar_that_was_read_while_the_clock_ran_ahead_is_read_as_soon_as_it_is_right(
    show: Show, look: Look, session: Session, calendar, now
) -> None:
    show(entry(1))
    calendar.next_fetch_at = now + timedelta(days=365)
    session.commit()
    assert [look(), look(), look(HOUR)] == [1, 0, 1]


@pytest.mark.sqlite_only
def test_worker_looks_for_due_calendars(app: Flask) -> None:
    assert [job.name for job in jobs.JOBS if job.run is rounds.fetch_due] == ["followed calendars"]


def test_nothing_new_costs_nothing(show: Show, look: Look, session: Session, server: HttpsServer, clock) -> None:
    clock.now += timedelta(days=1)  # a Tuesday
    show(entry(1), etag='"v1"')
    look()
    before = everything(session)
    show(status=304, body=b"")
    assert look(HOUR) == 1
    after = everything(session)
    assert server.asked[-1][1]["If-None-Match"] == '"v1"'
    assert {table for table in before if before[table] != after[table]} == {"followed_calendars"}


def test_calendar_is_read_whole_once_a_week(show: Show, look: Look, server: HttpsServer) -> None:
    show(entry(1), etag='"v1"')
    for _day in range(9):  # from Monday to the Tuesday after the next
        look(timedelta(days=1))
    asked = ["If-None-Match" in headers for _path, headers in server.asked]
    assert asked == [False, True, True, True, True, True, False, True, True]


def test_changes_move_on_to_those_who_subscribe_here(show: Show, look: Look, session: Session) -> None:
    show(entry(1), entry(2))
    look()
    was = (event(session, 1).sequence, event(session, 2).sequence)
    show(entry(1, title="Moved", day=9, sequence=7), entry(2))
    look(HOUR)
    moved = event(session, 1)
    assert (moved.title, moved.starts_at.day, moved.sequence, moved.significant_sequence) == ("Moved", 9, 7, 1)
    assert (was, event(session, 2).sequence) == ((0, 0), 0)
    show(entry(1, title="Moved again", day=9, sequence=7), entry(2))
    look(HOUR)
    assert event(session, 1).sequence == 8


def test_older_version_is_no_change(show: Show, look: Look, session: Session) -> None:
    show(entry(1, title="New", sequence=3))
    look()
    show(entry(1, title="Old", sequence=2))
    look(HOUR)
    assert found(session) == {"1": ("published", "New")}


def test_change_behind_a_stamp_far_ahead_is_taken_over(show: Show, look: Look, session: Session) -> None:
    show(entry(1, title="Clock gone wrong", lines="LAST-MODIFIED:20990101T000000Z\n"))
    look()
    show(entry(1, title="Put right", lines="LAST-MODIFIED:20261005T163000Z\n"))
    look(HOUR)
    assert found(session) == {"1": ("published", "Put right")}


def test_cancelled_there_is_cancelled_here_and_comes_back(
    show: Show, look: Look, session: Session, make_registration
) -> None:
    show(entry(1))
    look()
    make_registration(event(session, 1))
    show(entry(1, lines="STATUS:CANCELLED\n", sequence=1))
    look(HOUR)
    assert found(session) == {"1": ("cancelled", "Talk 1")}
    assert session.scalars(sa.select(Message.kind)).all() == ["event_cancelled"]
    show(entry(1, sequence=2))
    look(HOUR)
    assert (found(session), event(session, 1).cancelled_at) == ({"1": ("published", "Talk 1")}, None)


def test_people_registered_hear_of_a_move(show: Show, look: Look, session: Session, make_registration) -> None:
    show(entry(1))
    look()
    make_registration(event(session, 1))
    show(entry(1, day=20, sequence=1))
    look(HOUR)
    assert session.scalars(sa.select(Message.kind)).all() == ["update"]


def test_event_marked_private_there_leaves_the_list(show: Show, look: Look, session: Session, client) -> None:
    show(entry(1), entry(2))
    look()
    show(entry(1, lines="CLASS:PRIVATE\n"), entry(2))
    look(HOUR)
    assert (event(session, 1).visibility, event(session, 2).visibility) == ("private", "public")
    assert "Talk 1" not in client.get("/").text


def test_missing_event_is_cancelled_when_it_stays_missing(show: Show, look: Look, session: Session) -> None:
    show(*(entry(number) for number in (1, 2, 3)), etag='"all"')
    look()
    show(entry(1), entry(3), etag='"two"')
    look(HOUR)
    assert found(session)["2"] == ("published", "Talk 2")
    show(status=304, body=b"")
    look(HOUR)
    assert found(session)["2"] == ("published", "Talk 2")
    look(HOUR)
    assert {uid: status for uid, (status, _title) in found(session).items()} == {
        "1": "published",
        "2": "cancelled",
        "3": "published",
    }


def test_event_that_is_there_again_in_time_is_kept(show: Show, look: Look, session: Session) -> None:
    show(*(entry(number) for number in (1, 2, 3)))
    look()
    show(entry(1), entry(3))
    look(HOUR)
    show(*(entry(number) for number in (1, 2, 3)))
    look(HOUR)
    show(entry(1), entry(3))
    look(HOUR)
    look(HOUR)
    assert found(session)["2"] == ("published", "Talk 2")


@pytest.mark.parametrize("left", [(), (1,)])
def test_calendar_that_lost_most_of_it_cancels_nothing_for_a_day(
    show: Show, look: Look, session: Session, left: tuple[int, ...]
) -> None:
    show(*(entry(number) for number in range(1, 7)))
    look()
    show(*(entry(number) for number in left))
    look(HOUR)
    look(23 * HOUR)
    assert {status for status, _title in found(session).values()} == {"published"}
    look(HOUR)
    statuses = [status for status, _title in found(session).values()]
    assert statuses == ["published" if number in left else "cancelled" for number in range(1, 7)]


def test_calendar_that_is_cut_off_or_broken_cancels_nothing(show: Show, look: Look, session: Session, calendar) -> None:
    whole = feed(*(entry(number) for number in range(1, 7)))
    show(body=whole)
    look()
    show(body=whole[: whole.index(b"UID:3@uni")])
    look(HOUR)
    look(30 * HOUR)
    assert {status for status, _title in found(session).values()} == {"published"}
    assert "nothing was cancelled" in calendar.report


def test_event_that_became_unreadable_is_not_missing(show: Show, look: Look, session: Session) -> None:
    show(*(entry(number) for number in (1, 2, 3)))
    look()
    show(entry(1), entry(2).replace("DTSTART:2", "DTSTART:x"), entry(3))
    look(HOUR)
    look(30 * HOUR)
    assert found(session)["2"] == ("published", "Talk 2")


def test_series_whose_rule_became_unreadable_is_not_missing(show: Show, look: Look, session: Session) -> None:
    others = [entry(number) for number in (2, 3, 20)]
    show(entry(1, lines="RRULE:FREQ=WEEKLY;COUNT=2\n"), *others)
    look()
    show(entry(1, lines="RRULE:FREQ=FORTNIGHTLY\n"), *others)
    look(HOUR)
    look(30 * HOUR)
    assert session.scalars(sa.select(Event.status)).all() == ["published"] * 5


def test_event_of_an_unknown_zone_is_held_and_named(show: Show, look: Look, session: Session, calendar) -> None:
    held = entry(1).replace("DTSTART:20261101T150000Z", 'DTSTART;TZID="Narnia Time":20261101T090000')
    show(held, entry(2))
    look()
    assert (found(session), "Talk 1: Its time zone “Narnia Time” is not known" in calendar.report) == (
        {"2": ("published", "Talk 2")},
        True,
    )
    show(entry(1), entry(2))
    look(HOUR)
    assert found(session)["1"] == ("published", "Talk 1")


def test_report_names_first_what_concerns_the_whole_file_or_was_not_understood(
    show: Show, look: Look, session: Session, calendar
) -> None:
    over = [entry(100 + number, day=10).replace("DTSTART:202611", "DTSTART:202511") for number in range(40)]
    over = [one.replace("DTEND:202611", "DTEND:202511") for one in over]
    held = entry(1, lines="RRULE:FREQ=DAILY;COUNT=3\n").replace("DTSTART:", "DTSTART;TZID=Narnia:").replace("00Z", "00")
    show(*over, "BEGIN:VTODO\nUID:t\nEND:VTODO\n", held.replace("DTEND:20261101T150030Z", "DURATION:PT1H"))
    look()
    lines = calendar.report.splitlines()
    assert lines[1] == "1 entry of the kind VTODO is no event."
    assert (lines[2].startswith("Talk 1: Its time zone “Narnia” is not known"), lines[3][-11:]) == (True, "It is over.")
    assert lines[-1].startswith("And ")


def test_event_whose_zone_became_unknown_stays_as_it_is(show: Show, look: Look, session: Session, calendar) -> None:
    show(*(entry(number) for number in (1, 2, 3)))
    look()
    moved = entry(1, sequence=1).replace("DTSTART:20261101T150000Z", "DTSTART;TZID=Narnia:20261101T090000")
    show(moved, entry(2), entry(3))
    look(HOUR)
    look(30 * HOUR)
    assert (found(session)["1"], f"{event(session, 1).starts_at:%d %H:%M}") == (("published", "Talk 1"), "01 15:00")
    assert "“Narnia” is not known" in calendar.report
    show(moved.replace("END:VEVENT", "STATUS:CANCELLED\nEND:VEVENT"), entry(2), entry(3))
    look(HOUR)
    assert found(session)["1"] == ("cancelled", "Talk 1")


def test_series_of_which_a_part_cannot_be_read_is_published_and_named(
    show: Show, look: Look, session: Session, calendar
) -> None:
    show(entry(1, lines="RRULE:FREQ=WEEKLY;COUNT=2\nEXDATE:None\n"))
    look()
    assert session.scalars(sa.select(Event.status)).all() == ["published"] * 2
    assert "Talk 1: A part of how it repeats cannot be read: EXDATE:None." in calendar.report


def test_event_that_is_over_here_and_called_off_for_later_there_stops_no_other(
    show: Show, look: Look, session: Session, calendar
) -> None:
    show(entry(1), entry(2))
    look()
    show(entry(1, day=20, lines="STATUS:CANCELLED\n", sequence=1), entry(2, title="Later", day=21, sequence=1))
    look(timedelta(days=27, hours=1))  # the first is over, the second is not
    assert found(session) == {"1": ("published", "Talk 1"), "2": ("published", "Later")}
    assert (calendar.failures, calendar.report.splitlines()) == (
        0,
        [
            "0 new, 1 changed, 0 cancelled because they are missing, 0 unchanged, 1 left out.",
            "Talk 1: This event is over, so it can no longer be cancelled.",
        ],
    )


def test_page_of_an_event_names_its_calendar_as_soon_as_it_has_a_name(
    show: Show, look: Look, session: Session, client
) -> None:
    show(body=feed(entry(1), name=""))
    look()
    address = f"/events/{event(session, 1).slug}"
    before = [client.get(address).text for _time in range(2)]
    show(entry(1))
    look(HOUR)
    assert ["University" in page for page in (*before, client.get(address).text)] == [False, False, True]


def test_name_of_a_calendar_is_there_before_its_first_event(show: Show, look: Look, session: Session) -> None:
    show(entry(1))
    look()
    actors = session.scalars(sa.select(AuditEntry.actor_name).where(AuditEntry.action == "event.followed")).all()
    assert actors == ["University"]


def test_long_calendar_that_pushes_out_its_last_cancels_nothing(show: Show, look: Look, session: Session) -> None:
    show(*(entry(number) for number in range(10, 22)))
    look()
    show(*(entry(number) for number in range(9, 21)))
    look(HOUR)
    look(30 * HOUR)
    assert found(session)["21"] == ("published", "Talk 21")


def test_what_goes_wrong_is_said_and_asked_again_later_and_later(
    show: Show, look: Look, session: Session, calendar, clock
) -> None:
    show(entry(1))
    look()
    show(status=500, body=b"oops")
    waits = []
    for _time in range(7):
        clock.now = calendar.next_fetch_at
        look()
        waits.append((calendar.next_fetch_at - clock.now) / HOUR)
    assert waits == [1, 2, 4, 8, 16, 24, 24]
    assert (calendar.failures, calendar.report) == (7, "Its server answers with an error (500).")
    assert found(session) == {"1": ("published", "Talk 1")}
    show(entry(1))
    clock.now = calendar.next_fetch_at
    look()
    assert (calendar.failures, calendar.next_fetch_at) == (0, clock.now + HOUR)


def test_uid_of_an_event_of_ours_is_left_alone(show: Show, look: Look, session: Session, calendar, make_event) -> None:
    ours = make_event(uid="1@uni", title="Ours")
    show(entry(1), entry(2))
    look()
    assert found(session) == {"1": ("published", "Ours"), "2": ("published", "Talk 2")}
    assert (ours.source_id, calendar.report.splitlines()[-1]) == (None, "Talk 1: An event of this site has its UID.")


def test_followed_event_is_not_changed_here(show: Show, look: Look, session: Session, clock) -> None:
    show(entry(1))
    look()
    one = event(session, 1)
    before = everything(session)
    values = values_of(one)
    for change, given in ((events.update, {"values": values}), (events.publish, {}), (events.cancel, {})):
        with pytest.raises(EventStateError, match="comes from a followed calendar"), write_transaction(session):
            change(session, event_id=one.id, actor=ACTOR, now=clock.now, **given)
    assert everything(session) == before


def test_unfollowing_makes_drafts_and_following_again_takes_them_back(
    show: Show, look: Look, session: Session, calendar, make_registration, clock, server
) -> None:
    show(*(entry(number) for number in (1, 2, 3)))
    look()
    make_registration(event(session, 3))
    show(entry(1), entry(2, lines="STATUS:CANCELLED\n", sequence=1), entry(3))
    look(HOUR)
    with write_transaction(session):
        assert service.unfollow(session, calendar_id=calendar.id, actor=ACTOR, now=clock.now) == 1
    assert {uid: status for uid, (status, _title) in found(session).items()} == {
        "1": "draft",
        "2": "cancelled",
        "3": "published",
    }
    assert session.scalars(sa.select(Event.source_id)).all() == [None] * 3
    session.add(
        FollowedCalendar(
            url=server.url("/cal.ics"),
            organizer_id=event(session, 1).organizer_id,
            next_fetch_at=clock.now,
            created_at=clock.now,
        )
    )
    look()
    assert found(session)["1"] == ("published", "Talk 1")
    assert (event(session, 1).source_id is None, event(session, 3).source_id) == (False, None)


def test_paused_calendar_is_not_read_and_goes_on_when_asked(
    show: Show, look: Look, session: Session, calendar, clock
) -> None:
    show(entry(1))
    with write_transaction(session):
        service.pause(session, calendar_id=calendar.id, actor=ACTOR, now=clock.now)
    assert look(timedelta(days=3)) == 0
    with write_transaction(session):
        service.read_soon(session, calendar_id=calendar.id, actor=ACTOR, now=clock.now)
    assert (look(), found(session)) == (1, {"1": ("published", "Talk 1")})


def test_calendar_given_up_while_it_is_read_brings_nothing(
    look: Look, session: Session, calendar, clock, server, app: Flask
) -> None:
    calendar_id = calendar.id

    def give_up(handler) -> None:
        with app.app_context(), write_transaction(db.session()):
            service.unfollow(db.session(), calendar_id=calendar_id, actor=ACTOR, now=clock.now)
        sending(feed(entry(1)))(handler)

    server.pages["/cal.ics"] = give_up
    assert (look(), found(session)) == (1, {})
    with pytest.raises(NotFound):
        service.load(session, calendar_id)


def test_address_followed_already_or_of_this_site_is_refused(session: Session, calendar, now) -> None:
    def follow(url: str) -> None:
        with write_transaction(session):
            service.follow(
                session,
                url=url,
                title="",
                category="",
                visibility="public",
                organizer_id=1,
                actor=ACTOR,
                now=now,
                own_host="events.example.org",
            )

    follow("webcal://uni.example/cal.ics")
    with pytest.raises(InvalidField, match="followed already"):
        follow("https://UNI.example/cal.ics")
    with pytest.raises(InvalidField, match="address of this site"):
        follow("https://events.example.org/calendar.ics")
    assert session.scalar(sa.select(sa.func.count()).select_from(FollowedCalendar)) == 2
