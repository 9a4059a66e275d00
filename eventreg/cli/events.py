"""`eventreg event` and `eventreg attendees`: events listed, attendee lists exported."""

import sys
from pathlib import Path
from typing import BinaryIO

import click
from flask.cli import with_appcontext
from rich.progress import track
from sqlalchemy import func, select

from eventreg import clock, timezones
from eventreg.db import db
from eventreg.errors import EventRegError, NotFound
from eventreg.events import queries
from eventreg.events.models import Event
from eventreg.registrations.models import Registration
from eventreg.registrations.queries import GROUPS, AttendeeFilter


@click.group("event")
def event() -> None:
    """Events in, events listed."""


@event.command("list")
@click.option("--past", is_flag=True, help="Also events that are over.")
@with_appcontext
def event_list(past: bool) -> None:
    """List events: date, status, seats, address, title."""
    query = select(Event).order_by(Event.starts_at, Event.id)
    if not past:
        query = query.where(Event.ends_at > clock.now())
    for found in db.session.scalars(query.execution_options(yield_per=500)):
        seats = f"{found.seats_taken}/{found.capacity if found.capacity is not None else '-'}"
        begins = timezones.to_wall(found.starts_at, found.timezone)
        click.echo(f"{begins:%Y-%m-%d %H:%M}  {found.status:<9}  {seats:>9}  {found.slug}  {found.title}")


@event.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--organizer", default="", metavar="EMAIL", help="Whose drafts they become; else the first account's.")
@click.option("--past", is_flag=True, help="Also events that are over.")
@with_appcontext
def event_import(file: BinaryIO, organizer: str, past: bool) -> None:
    """Read events from the iCalendar file FILE as drafts; - is standard input.

    A file that is read again brings its drafts up to date, unless they were edited or published here.
    """
    from eventreg.cli import importing

    importing.run(file, organizer=organizer, past=past)


@click.group("attendees")
def attendees() -> None:
    """Attendee lists."""


@attendees.command("export")
@click.argument("slug")
@click.option("--format", "kind", type=click.Choice(["csv", "xlsx", "json"]), default="csv", show_default=True)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), default=Path("-"), help="- is standard output."
)
@click.option("--status", type=click.Choice(GROUPS), default=None, help="Only these.")
@with_appcontext
def attendees_export(slug: str, kind: str, output: Path, status: str | None) -> None:
    """Write the attendee list of the event SLUG."""
    from eventreg import exports

    found = queries.by_slug(db.session(), slug)
    if found is None:
        raise NotFound(f"There is no event “{slug}”; `eventreg event list --past` shows them all.")
    to_screen = str(output) == "-"
    if to_screen and kind == "xlsx" and sys.stdout.isatty():
        raise EventRegError("An XLSX file does not belong on a terminal; name a file with -o.")
    filters = AttendeeFilter(status=status or "")
    chunks = exports.write(kind, db.session(), event=found, filters=filters)
    if to_screen:
        for chunk in chunks:
            sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
        return
    total = db.session.scalar(select(func.count()).where(Registration.event_id == found.id)) or 0
    partial = output.with_name(f".{output.name}.part")
    try:
        with partial.open("wb") as target:
            for chunk in track(chunks, description=f"{total} registrations", disable=not sys.stderr.isatty()):
                target.write(chunk)
        partial.replace(output)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise EventRegError(f"{output} cannot be written: {error.strerror}.") from error
    click.echo(f"Wrote {output}", err=True)


COMMANDS = (event, attendees)
