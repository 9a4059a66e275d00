"""`eventreg backup`, `restore`, `doctor` and `db upgrade`: what the person who keeps the host does."""

import sys
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext
from flask_migrate.cli import db as db_group

from eventreg import backup as backups
from eventreg import clock, doctor


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--keep", type=click.IntRange(min=1), help="FILE is a folder: write a dated copy into it and keep N.")
@click.option("--verify", is_flag=True, help="Write nothing; check that the copy in FILE could be restored.")
@with_appcontext
def backup(file: Path, keep: int | None, *, verify: bool) -> None:
    """Write a consistent copy of everything to FILE, or into the folder FILE, while writing goes on."""
    if verify and keep:
        raise click.UsageError("--verify checks a copy and --keep writes one; use one of them.")
    if verify:
        if file.is_dir():
            raise click.UsageError(f"{file} is a folder; name the copy in it.")
        note = backups.verify(file)
        click.echo(f"{file} can be restored: a copy of a {note.kind} database at migration {note.revision}.")
        return
    if keep or file.is_dir():
        file, size = backups.write_into(current_app, file, keep=keep, now=clock.now())
    else:
        size = backups.write(current_app, file)
    click.echo(f"Wrote {file} ({size / 1024:,.0f} KiB). It holds names, addresses and the secret key: keep it safe.")


@click.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace a database that already holds events.")
@with_appcontext
def restore(file: Path, force: bool) -> None:
    """Put the copy in FILE in place of this installation's data."""
    backups.restore(current_app, file, force=force)
    click.echo(f"Restored {file}.")


@click.command("doctor")
@with_appcontext
def check() -> None:
    """Check configuration, database, seat counts and mail server; one line a fault."""
    faults = doctor.faults(current_app, now=clock.now())
    for fault in faults:
        click.echo(fault, err=True)
    if faults:
        sys.exit(1)
    click.echo("Nothing is wrong.")


check.name = "doctor"
COMMANDS = (db_group, backup, restore, check)
