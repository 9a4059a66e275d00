"""The demo's organizer. The password is made for this database and kept beside it, so that it can be shown again."""

import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from flask_security import verify_password
from sqlalchemy.orm import Session

from eventreg.errors import EventRegError
from eventreg.organizers import service as organizers

EMAIL = "organizer@example.org"
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that look alike."""


@dataclass(frozen=True, slots=True)
class Account:
    """What opens the organizers' desk of the demo."""

    email: str
    password: str


def new() -> Account:
    """An account with a password of 59 random bits in groups that can be read aloud."""
    groups = ("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(3))
    return Account(EMAIL, "-".join(groups))


def keep(instance: Path, account: Account) -> None:
    """Writes it where only this account of the machine reads it. Raises: EventRegError when it cannot be kept."""
    path = _path(instance)
    try:
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(json.dumps(asdict(account)), encoding="utf-8")
    except OSError as error:
        raise EventRegError(f"The demo's password cannot be kept in {path}: {error.strerror}.") from error


def kept(session: Session, instance: Path) -> Account | None:
    """The kept account while it still opens the desk; None once its password was changed or the file is gone."""
    try:
        account = Account(**json.loads(_path(instance).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    organizer = organizers.find(session, account.email)
    if organizer is None or not organizer.active or not organizer.password:
        return None
    return account if verify_password(account.password, organizer.password) else None


def _path(instance: Path) -> Path:
    return instance / "demo_account.json"
