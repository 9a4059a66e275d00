"""`eventreg audit`: who did what, newest last, a line each."""

import json
from datetime import UTC, datetime, timedelta

import click
from flask.cli import with_appcontext

from eventreg import addresses, clock
from eventreg.audit import AuditEntry, history
from eventreg.db import db
from eventreg.organizers import service

UNITS = {"m": "minutes", "h": "hours", "d": "days"}
MOST = 100_000


@click.command("audit")
@click.option("--who", default="", metavar="EMAIL", help="Only what this account did, and what was done to it.")
@click.option("--action", default="", metavar="WORD", help='Only these actions: "organizer." or "sign_in", say.')
@click.option(
    "--since", default="", metavar="WHEN", help="Only from then on: 2026-11-30, 2026-11-30T12:00 (UTC), 7d, 12h."
)
@click.option("--limit", type=click.IntRange(1, MOST), default=100, show_default=True, help="The newest so many.")
@with_appcontext
def audit(who: str, action: str, since: str, limit: int) -> None:
    """Show the audit trail: time (UTC), who, what, about what, changes."""
    session = db.session()
    account = service.find(session, who) if who else None
    wanted = history.Wanted(
        email=addresses.identity(who) if who else "",
        account_id=account.id if account else None,
        account_since=account.created_at if account else None,
        action=action,
        since=_instant(since) if since else None,
    )
    for entry in reversed(history.newest(session, wanted, limit=limit)):
        click.echo(_line(entry))


def _line(entry: AuditEntry) -> str:
    about = [
        f"{name} {number}"
        for name, number in (
            ("account", entry.account_id),
            ("event", entry.event_id),
            ("registration", entry.registration_id),
        )
        if number is not None
    ]
    who = f"{entry.actor_kind} {entry.actor_name}".strip()
    changes = json.dumps(entry.changes, ensure_ascii=False) if entry.changes else ""
    return "\t".join((f"{entry.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", who, entry.action, ", ".join(about), changes))


def _instant(text: str) -> datetime:
    """An age ("7d") or an ISO date or time, which is UTC unless it says otherwise."""
    number, unit = text[:-1], text[-1:]
    if number.isascii() and number.isdigit() and len(number) < 6 and unit in UNITS:  # noqa: PLR2004 - 273 years in days
        return clock.now() - timedelta(**{UNITS[unit]: int(number)})
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(
            f"“{text}” is neither a date like 2026-11-30 nor an age like 7d or 12h.", param_hint="--since"
        ) from None
    return given if given.tzinfo else given.replace(tzinfo=UTC)


COMMANDS = (audit,)
