"""The attendee list as a file: rows once, and a writer for each format over them. Everything is streamed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import MappingProxyType

from flask_babel import format_decimal
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from eventreg.errors import ExportFormatUnknown, ExportTooLong
from eventreg.events.models import Event
from eventreg.exports import as_csv, as_json, as_xlsx
from eventreg.exports.rows import Table, attendees
from eventreg.registrations import queries
from eventreg.registrations.queries import AttendeeFilter


@dataclass(frozen=True, slots=True)
class Format:
    """How one kind of file is written and what it is called in HTTP; its name is also its extension."""

    write: Callable[[Table], Iterator[bytes]]
    content_type: str
    has_dates: bool = False
    """Whether a cell can be a date; other formats hold instants as text."""
    most_rows: int | None = None
    """Beyond this a browser, or a proxy, would give up before the first byte; see `check_length`."""


FORMATS = MappingProxyType(
    {
        "csv": Format(as_csv.write, "text/csv; charset=utf-8; header=present"),
        "xlsx": Format(
            as_xlsx.write,
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            has_dates=True,
            most_rows=50_000,
        ),
        "json": Format(as_json.write, "application/json"),
    }
)


def format_named(name: str) -> Format:
    """The format of that name.

    Raises: ExportFormatUnknown.
    """
    try:
        return FORMATS[name]
    except KeyError:
        known = ", ".join(FORMATS)
        raise ExportFormatUnknown(
            _("There is no export format “%(name)s”. Known: %(known)s.", name=name, known=known)
        ) from None


def write(name: str, session: Session, *, event: Event, filters: AttendeeFilter | None = None) -> Iterator[bytes]:
    """The event's attendee list in that format, chunk by chunk; `filters` are the list's own, its pages do not count.

    The rows are read from the database while the chunks are taken, so the session must live until the last one: a
    view wraps the answer in `stream_with_context`.

    Raises: ExportFormatUnknown, before anything is read.
    """
    chosen = format_named(name)
    return chosen.write(attendees(session, event, filters or AttendeeFilter(), as_dates=chosen.has_dates))


def check_length(name: str, session: Session, *, event: Event, filters: AttendeeFilter) -> None:
    """Refuses a file whose first byte would take too long to come; for downloads, whose reader waits.

    Raises: ExportTooLong, which names the ways out.
    """
    most = format_named(name).most_rows
    if most is not None and (total := queries.count_attendees(session, event.id, filters)) > most:
        raise ExportTooLong(
            _(
                "An Excel file for download holds at most %(most)s people, and this list has %(total)s. "
                "Download the CSV file, or show fewer people with the filters.",
                most=format_decimal(most),
                total=format_decimal(total),
            )
        )
