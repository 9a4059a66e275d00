"""What `eventreg event import` does: a calendar file in, drafts and a report out."""

import sys
from collections.abc import Iterator
from typing import BinaryIO

import click
from flask import current_app
from rich.console import Console
from rich.progress import track
from sqlalchemy import select

from eventreg import clock, timezones
from eventreg.audit import Actor
from eventreg.calendar import reading
from eventreg.db import db, write_transaction
from eventreg.errors import EventRegError
from eventreg.events import importing
from eventreg.events.importing import Item, Outcome
from eventreg.organizers import access, service
from eventreg.organizers.models import Organizer


def run(file: BinaryIO, *, organizer: str, past: bool) -> None:
    """Reads, takes, and says what became of each. Raises: EventRegError when there is nothing to take."""
    given = getattr(file, "name", "<stdin>")
    name = "What was piped in" if given in {"<stdin>", 0} else given
    owner = _owner(organizer)
    owner_id, address = owner.id, owner.email
    data = file.read(reading.MOST_BYTES + 1)
    if len(data) > reading.MOST_BYTES:
        raise EventRegError(f"{name} is larger than {reading.MOST_BYTES // 1024 // 1024} MB; nothing was read.")
    found = reading.read(data, now=clock.now(), default_timezone=current_app.config["DEFAULT_TIMEZONE"], past=past)
    if not found.is_calendar:
        raise EventRegError(f"{name} is no iCalendar file: it has no BEGIN:VCALENDAR. Nothing was changed.")
    if not found.items and not found.skipped:
        raise EventRegError(f"{name} holds no event. Nothing was changed.")
    outcomes = list(_taken(found.items, owner_id=owner_id))
    for item, outcome in zip(found.items, outcomes, strict=True):
        click.echo(_line(item, outcome))
    for one in found.skipped:
        named = one.title or one.uid
        click.echo(f"{'skipped':<9}  line {one.line:<11}  {named + ': ' if named else ''}{one.why}")
    totals = importing.totals(outcomes)
    totals["skipped"] += len(found.skipped)
    click.echo(f"{', '.join(f'{count} {kind}' for kind, count in totals.items())}. Drafts belong to {address}.")


def _taken(items: tuple[Item, ...], *, owner_id: int) -> Iterator[Outcome]:
    """What became of each, a few to a transaction."""
    for portion in track(
        list(importing.portions(items)),
        description=f"{len(items)} events",
        disable=not sys.stderr.isatty(),
        console=Console(stderr=True),
    ):
        with write_transaction(db.session()):
            outcomes = importing.take(
                db.session(),
                portion,
                organizer_id=owner_id,
                actor=Actor.system("event import"),
                now=clock.now(),
            )
        yield from outcomes


def _line(item: Item, outcome: Outcome) -> str:
    begins = timezones.to_wall(item.values.starts_at, item.values.timezone)
    named = f"{outcome.slug}  {outcome.title}" if outcome.slug else outcome.title
    why = f"  ({outcome.why})" if outcome.why else ""
    return f"{outcome.kind:<9}  {begins:%Y-%m-%d %H:%M}  {named}{why}"


def _owner(email: str) -> Organizer:
    """The account they belong to. Raises: EventRegError."""
    if email:
        found = service.find(db.session(), email)
        if found is None or not found.active or not access.can_organize(found):
            raise EventRegError(f"{email} is no account that runs events; `eventreg organizer list` shows them all.")
        return found
    everybody = db.session.scalars(select(Organizer).where(Organizer.active).order_by(Organizer.id)).all()
    usual = sorted((one for one in everybody if access.can_organize(one)), key=lambda one: not access.is_admin(one))
    if not usual:
        raise EventRegError("There is no account to give the drafts to. Add one: eventreg organizer add EMAIL")
    return usual[0]
