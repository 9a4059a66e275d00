import csv
import io
import json
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl.utils.escape import unescape
from sqlalchemy.orm import Session

from eventreg import exports
from eventreg.errors import ExportFormatUnknown, ExportTooLong
from eventreg.events.models import Event, Question
from eventreg.exports import as_xlsx
from eventreg.exports.cells import clean, neutral_for_csv
from eventreg.exports.rows import Cell, Table
from eventreg.registrations import queries
from eventreg.registrations.models import Registration
from eventreg.registrations.queries import AttendeeFilter
from tests.support.queries import query_counter

MakeEvent = Callable[..., Event]
MakeRegistration = Callable[..., Registration]
OWN = ["Name", "Email", "RSVP", "Status", "Party size", "Waitlist position", "Offered until",
       "Registered at", "Changed at", "Checked in at", "Source", "Note"]  # fmt: skip


def in_zone(timezone: str) -> list[str]:
    return [f"{title} ({timezone})" if 6 <= at < 10 else title for at, title in enumerate(OWN)]


def csv_rows(content: bytes) -> list[list[str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def xlsx_rows(content: bytes) -> list[list[str]]:
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    assert all(cell.data_type in {"s", "n", "d", "inlineStr"} for row in sheet for cell in row)
    # Excel reads _x005F_ as an escaped underscore; openpyxl leaves that to its caller.
    return [["" if value is None else unescape(str(value)) for value in row] for row in sheet.values]


def written(name: str, session: Session, event: Event, **filters: Any) -> bytes:
    return b"".join(exports.write(name, session, event=event, filters=AttendeeFilter(**filters)))


@pytest.fixture
def event(make_event: MakeEvent) -> Event:
    return make_event(
        capacity=10,
        questions=[{"label": "Dietary or access needs"}, {"label": "Phone"}, {"label": "Phone"}, {"label": "=Title"}],
    )


def test_csv_and_xlsx_open_to_the_same_people(
    session: Session, event: Event, make_registration: MakeRegistration, now: datetime
) -> None:
    make_registration(
        event,
        name="Zoë, O'Brien; 李",
        email="zoe@example.org",
        party_size=2,
        note='=HYPERLINK("http://evil.example","free")',
        checked_in_at=now + timedelta(hours=1),
        answers={"Dietary or access needs": "no nuts\r\nno milk"},
    )
    phones = session.scalars(sa.select(Question.id).where(Question.label == "Phone").order_by(Question.id)).all()
    registration = make_registration(event, name="=2+5", email="amira@example.org", rsvp="maybe", source="organizer")
    session.execute(
        sa.text("INSERT INTO answers (registration_id, question_id, value) VALUES (:r, :q, '+1 617 555 0100')"),
        {"r": registration.id, "q": phones[1]},
    )
    session.commit()
    rows = csv_rows(written("csv", session, event))
    assert rows == [
        [*OWN, "Dietary or access needs", "Phone", "Phone (2)", "'=Title"],
        [
            "Zoë, O'Brien; 李", "zoe@example.org", "yes", "confirmed", "2", "", "",
            "2026-10-05T12:00:00-04:00", "2026-10-05T12:00:00-04:00", "2026-10-05T13:00:00-04:00", "form",
            '\'=HYPERLINK("http://evil.example","free")', "no nuts\nno milk", "", "", "",
        ],
        [
            "'=2+5", "amira@example.org", "maybe", "confirmed", "1", "", "",
            "2026-10-05T12:00:00-04:00", "2026-10-05T12:00:00-04:00", "", "organizer",
            "", "", "", "+1 617 555 0100", "",
        ],
    ]  # fmt: skip
    came_and_went = ["2026-10-05 12:00:00", "2026-10-05 12:00:00"]
    assert xlsx_rows(written("xlsx", session, event)) == [
        [*in_zone("America/New_York"), "Dietary or access needs", "Phone", "Phone (2)", "=Title"],
        [*rows[1][:7], *came_and_went, "2026-10-05 13:00:00", "form",
         '=HYPERLINK("http://evil.example","free")', *rows[1][12:]],
        ["=2+5", *rows[2][1:7], *came_and_went, *rows[2][9:]],
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["+491701234567", "@olga", "=1+1", "-5", " =1", "'quoted", "+1 617 555 0100"])
def test_xlsx_holds_text_as_typed_and_as_text(text: str) -> None:
    table = Table(("note",), ("Note",), iter([[text]]))
    sheet = openpyxl.load_workbook(io.BytesIO(b"".join(exports.FORMATS["xlsx"].write(table)))).active
    assert (sheet["A2"].value, sheet["A2"].data_type) == (text, "s")
    assert bool(sheet["A2"].quotePrefix) is (text.strip()[0] in "=-+@" and text != "+1 617 555 0100")


def test_xlsx_instants_are_dates_in_the_zone_that_the_heading_names(
    session: Session, make_event: MakeEvent, make_registration: MakeRegistration, now: datetime
) -> None:
    event = make_event(timezone="Asia/Kathmandu", questions=[])
    make_registration(event, checked_in_at=now)
    sheet = openpyxl.load_workbook(io.BytesIO(written("xlsx", session, event))).active
    header, row = sheet.iter_rows()
    names = [cell.value for cell in header]
    at = names.index("Checked in at (Asia/Kathmandu)")
    assert (row[at].value, row[at].is_date, row[at].number_format) == (
        datetime(2026, 10, 5, 21, 45),
        True,
        "yyyy-mm-dd hh:mm",
    )
    assert {name for name in names if "(" in name} == {f"{title} (Asia/Kathmandu)" for title in OWN[6:10]}


def test_rows_beyond_a_sheet_go_on_in_the_next_and_nobody_is_left_out() -> None:
    content = b"".join(as_xlsx.write(many(7), rows_per_sheet=4))
    sheets = openpyxl.load_workbook(io.BytesIO(content)).worksheets
    assert [[row[2] for row in sheet.values] for sheet in sheets] == [
        ["Party size", 0, 1, 2], ["Party size", 3, 4, 5], ["Party size", 6],
    ]  # fmt: skip
    full = openpyxl.load_workbook(io.BytesIO(b"".join(as_xlsx.write(many(3), rows_per_sheet=4)))).worksheets
    assert len(full) == 1


def test_a_download_that_would_take_minutes_is_refused_with_the_way_out(
    session: Session, event: Event, make_registration: MakeRegistration, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        make_registration(event, email=f"{number}@example.org", status="cancelled" if number else "confirmed")
    short = replace(exports.FORMATS["xlsx"], most_rows=2)
    monkeypatch.setattr(exports, "FORMATS", {**exports.FORMATS, "xlsx": short})
    with pytest.raises(ExportTooLong, match="at most 2 people, and this list has 3\\. Download the CSV file"):
        exports.check_length("xlsx", session, event=event, filters=AttendeeFilter())
    exports.check_length("xlsx", session, event=event, filters=AttendeeFilter(status="cancelled"))
    exports.check_length("csv", session, event=event, filters=AttendeeFilter())


NAMES_IN_ORDER = [
    "Ægir", "Amira", "amy", "Åsa", "Emil", "Émile", "Emma", "Łukasz", "Lutz", "O'Brien", "Øyvind", "Ozan",
    "Straße", "Strasser", "Zoë", "Ωmega", "Ёлка", "李",
]  # fmt: skip


@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_names_sort_as_a_reader_expects_on_every_database(
    session: Session, make_event: MakeEvent, make_registration: MakeRegistration, direction: str
) -> None:
    event = make_event(capacity=None, questions=[])
    for number, name in enumerate(reversed(NAMES_IN_ORDER)):
        make_registration(event, name=name, email=f"{number}@example.org")
    expected = NAMES_IN_ORDER if direction == "asc" else NAMES_IN_ORDER[::-1]
    filters = AttendeeFilter(sort="name", direction=direction)
    assert [row.name for row in queries.attendees(session, event.id, filters).rows] == expected
    rows = csv_rows(written("csv", session, event, sort="name", direction=direction))
    assert [row[0].lstrip("'") for row in rows[1:]] == expected


def test_pages_of_names_go_on_where_the_page_before_ended(
    session: Session, make_event: MakeEvent, make_registration: MakeRegistration, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = make_event(capacity=None, questions=[])
    monkeypatch.setattr(queries, "PER_PAGE", 4)
    for number, name in enumerate([*NAMES_IN_ORDER, "Émile"]):
        make_registration(event, name=name, email=f"{number}@example.org")
    seen: list[str] = []
    page, after = 1, None
    while True:
        found = queries.attendees(session, event.id, AttendeeFilter(sort="name", page=page, after=after))
        seen += [row.name for row in found.rows]
        if page == found.pages:
            break
        page, after = page + 1, found.rows[-1].id
    assert seen == sorted([*NAMES_IN_ORDER, "Émile"], key=NAMES_IN_ORDER.index)


def test_json_gives_values_as_they_were_given(
    session: Session, event: Event, make_registration: MakeRegistration
) -> None:
    make_registration(event, name="=2+5", party_size=3, answers={"Dietary or access needs": "li\nnes"})
    (record,) = json.loads(written("json", session, event))
    assert record == {
        "name": "=2+5",
        "email": "amira@example.org",
        "rsvp": "yes",
        "status": "confirmed",
        "party_size": 3,
        "waitlist_position": None,
        "offered_until": None,
        "registered_at": "2026-10-05T12:00:00-04:00",
        "changed_at": "2026-10-05T12:00:00-04:00",
        "checked_in_at": None,
        "source": "form",
        "note": None,
        "answers": {"Dietary or access needs": "li\nnes", "Phone": None, "Phone (2)": None, "=Title": None},
    }


def test_event_without_registrations_gives_a_header_alone(session: Session, make_event: MakeEvent) -> None:
    event = make_event(questions=[])
    assert csv_rows(written("csv", session, event)) == [OWN]
    assert xlsx_rows(written("xlsx", session, event)) == [in_zone("America/New_York")]
    assert json.loads(written("json", session, event)) == []


def test_retired_question_keeps_its_column_and_answers(
    session: Session, event: Event, make_registration: MakeRegistration, now: datetime
) -> None:
    make_registration(event, answers={"Dietary or access needs": "vegan"})
    session.execute(sa.update(Question).where(Question.label.startswith("Dietary")).values(retired_at=now))
    session.commit()
    header, row = csv_rows(written("csv", session, event))
    assert row[header.index("Dietary or access needs")] == "vegan"


def test_list_filter_and_order_apply_and_positions_count_the_whole_waitlist(
    session: Session, event: Event, make_registration: MakeRegistration, now: datetime
) -> None:
    make_registration(event, name="Amira", email="amira@example.org")
    for minutes, name in ((3, "Wim"), (1, "Xaver"), (2, "Yara")):
        make_registration(
            event,
            name=name,
            email=f"{name}@example.org",
            status="waitlisted",
            waitlisted_at=now + timedelta(minutes=minutes),
        )
    make_registration(event, name="Sam", email="sam@example.org", status="cancelled")

    def listed(**filters: str) -> list[tuple[str, str]]:
        return [(row[0], row[5]) for row in csv_rows(written("csv", session, event, **filters))[1:]]

    assert listed(status="waitlisted", sort="name") == [("Wim", "3"), ("Xaver", "1"), ("Yara", "2")]
    assert listed(q="yara") == [("Yara", "2")]
    assert listed(sort="name", direction="desc") == [
        ("Yara", "2"), ("Xaver", "1"), ("Wim", "3"), ("Sam", ""), ("Amira", ""),
    ]  # fmt: skip
    assert listed(status="cancelled") == [("Sam", "")]
    assert listed(q="nobody") == []


def test_registrations_of_other_events_are_not_in_the_file(
    session: Session, event: Event, make_event: MakeEvent, make_registration: MakeRegistration
) -> None:
    make_registration(make_event(title="Other"), name="Sam", answers={"Dietary or access needs": "x"})
    assert len(csv_rows(written("csv", session, event))) == 1


@pytest.mark.parametrize("name", ["csv", "xlsx", "json"])
def test_file_of_any_length_costs_two_statements(
    session: Session, event: Event, make_registration: MakeRegistration, name: str
) -> None:
    for number in range(4):
        make_registration(event, email=f"{number}@example.org", answers={"Dietary or access needs": str(number)})
    session.refresh(event)
    with query_counter() as queries:
        written(name, session, event)
    assert queries.count == 2


def test_unknown_format_is_refused_by_name(session: Session, event: Event) -> None:
    with pytest.raises(ExportFormatUnknown, match="pdf"):
        exports.write("pdf", session, event=event)


def many(rows: int) -> Table:
    def make() -> Iterator[list[Cell]]:
        for number in range(rows):
            yield [f"Name {number}", "x" * 200, number]

    return Table(("name", "note", "party_size"), ("Name", "Note", "Party size"), make())


@pytest.mark.parametrize("name", ["csv", "xlsx", "json"])
def test_long_file_comes_in_chunks_and_needs_little_memory(name: str) -> None:
    tracemalloc.start()
    total = 0
    largest = 0
    for chunk in exports.FORMATS[name].write(many(20_000)):
        total += len(chunk)
        largest = max(largest, len(chunk))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total > 100_000
    assert largest < 200_000
    assert peak < 3_000_000


@pytest.mark.parametrize("name", ["csv", "json"])
def test_first_chunk_comes_before_the_last_row_is_read(name: str) -> None:
    def rows() -> Iterator[list[Cell]]:
        for number in range(5000):
            yield [str(number) * 20]
        raise AssertionError("read to the end")

    chunks = exports.FORMATS[name].write(Table(("name",), ("Name",), rows()))
    assert len(next(chunks)) + len(next(chunks)) > 1000


def test_text_longer_than_a_cell_of_excel_is_cut_in_xlsx_only() -> None:
    def table() -> Table:
        return Table(("note",), ("Note",), iter([["é" * 40_000]]))

    (_header, (cell,)) = xlsx_rows(b"".join(exports.FORMATS["xlsx"].write(table())))
    assert cell == "é" * 32_766 + "…"
    assert csv_rows(b"".join(exports.FORMATS["csv"].write(table())))[1] == ["é" * 40_000]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_no_cell_is_a_formula_whatever_the_spreadsheet_separates_by(
    session: Session, event: Event, make_registration: MakeRegistration, separator: str
) -> None:
    evil = "x;=cmd|' /C calc'!A0;\t=1\n=2"
    make_registration(event, name=evil, note=evil, answers={"Dietary or access needs": evil})
    content = written("csv", session, event)
    assert all(line.startswith(b'"') for line in content.removeprefix(b"\xef\xbb\xbf").split(b"\r\n")[:-1])
    cells = [
        cell
        for row in csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=separator)
        for cell in row
    ]
    assert [cell for cell in cells if cell.lstrip(' "').startswith(("=", "+", "-", "@"))] == []


@settings(max_examples=40)
@example(text="_x0041_ and _x000D_")
@given(
    text=st.text(st.one_of(st.characters(), st.sampled_from("=+-@\t\r\n\x00\x0b\"',;_x0041\ud800\ufffe ")), max_size=60)
)
def test_any_answer_is_as_typed_in_xlsx_and_harmless_in_csv(text: str) -> None:
    cell = clean(text)
    tables = [Table(("note",), ("Note",), iter([[cell, "end"]])) for _ in range(2)]
    as_csv = csv_rows(b"".join(exports.FORMATS["csv"].write(tables[0])))
    as_xlsx = xlsx_rows(b"".join(exports.FORMATS["xlsx"].write(tables[1])))
    assert as_xlsx[1] == [cell, "end"]
    assert as_csv[1] == [neutral_for_csv(cell), "end"]


def test_open_offer_says_until_when_and_has_no_place_in_line(
    session: Session, make_event: MakeEvent, make_registration: MakeRegistration, now: datetime
) -> None:
    event = make_event(capacity=1, questions=[])
    until = now + timedelta(hours=24)
    make_registration(event, name="Wim", email="wim@example.org", status="waitlisted", offer_expires_at=until)
    make_registration(event, name="Amira", status="waitlisted")
    rows = json.loads(written("json", session, event))
    assert [(row["name"], row["status"], row["waitlist_position"], row["offered_until"]) for row in rows] == [
        ("Wim", "waitlisted", None, "2026-10-06T12:00:00-04:00"),
        ("Amira", "waitlisted", 1, None),
    ]


def test_instants_around_the_change_of_clocks_are_each_in_the_offset_of_their_own(
    session: Session, make_event: MakeEvent, make_registration: MakeRegistration
) -> None:
    event = make_event(questions=[])
    checked_in = {
        "wim@example.org": datetime(2026, 11, 1, 0, 0, tzinfo=UTC),
        "amira@example.org": datetime(2026, 11, 1, 5, 59, 59, tzinfo=UTC),
        "sam@example.org": datetime(2026, 11, 1, 6, 0, tzinfo=UTC),
        "olga@example.org": datetime(2026, 11, 2, 12, 30, tzinfo=UTC),
    }
    for email, moment in checked_in.items():
        make_registration(event, email=email, checked_in_at=moment)
    assert [(row["email"], row["checked_in_at"]) for row in json.loads(written("json", session, event))] == [
        ("wim@example.org", "2026-10-31T20:00:00-04:00"),
        ("amira@example.org", "2026-11-01T01:59:59-04:00"),
        ("sam@example.org", "2026-11-01T01:00:00-05:00"),
        ("olga@example.org", "2026-11-02T07:30:00-05:00"),
    ]
