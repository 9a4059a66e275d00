import csv
import io
import json
import tracemalloc
from collections.abc import Callable, Iterator
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
from eventreg.errors import ExportFormatUnknown
from eventreg.events.models import Event, Question
from eventreg.exports.cells import clean
from eventreg.exports.rows import Cell, Table
from eventreg.registrations.models import Registration
from eventreg.registrations.queries import AttendeeFilter
from tests.support.queries import query_counter

MakeEvent = Callable[..., Event]
MakeRegistration = Callable[..., Registration]
OWN = ["Name", "Email", "RSVP", "Status", "Party size", "Waitlist position", "Offered until",
       "Registered at", "Changed at", "Checked in at", "Source", "Note"]  # fmt: skip


def csv_rows(content: bytes) -> list[list[str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def xlsx_rows(content: bytes) -> list[list[str]]:
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    assert all(cell.data_type in {"s", "n", "inlineStr"} for row in sheet for cell in row)
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


def test_csv_and_xlsx_open_to_the_same_values(
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
    assert xlsx_rows(written("xlsx", session, event)) == rows


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
    assert xlsx_rows(written("xlsx", session, event)) == [OWN]
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


@settings(max_examples=40)
@example(text="_x0041_ and _x000D_")
@given(
    text=st.text(st.one_of(st.characters(), st.sampled_from("=+-@\t\r\n\x00\x0b\"',;_x0041\ud800\ufffe ")), max_size=60)
)
def test_any_answer_is_the_same_in_csv_and_xlsx(text: str) -> None:
    cell = clean(text)
    tables = [Table(("note",), ("Note",), iter([[cell, "end"]])) for _ in range(2)]
    as_csv = csv_rows(b"".join(exports.FORMATS["csv"].write(tables[0])))
    as_xlsx = xlsx_rows(b"".join(exports.FORMATS["xlsx"].write(tables[1])))
    assert as_csv[1] == as_xlsx[1]
    assert as_csv[1][0] in {cell, f"'{cell}"}


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
