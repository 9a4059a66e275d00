"""The secret key of an installation that sets no SECRET_KEY: made once, kept in the instance folder with mode 0600.

An existing key is read before anything is written, so a full disk or a read-only folder does not hide it.
"""

import secrets
from pathlib import Path

from eventreg.errors import SettingError

FILE_NAME = "secret_key"


def read_or_make(instance: Path) -> str:
    """The kept key. Raises: SettingError with one sentence when there is none and none can be kept."""
    path = instance / FILE_NAME
    try:
        key = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        key = _make(path)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise SettingError(f"SECRET_KEY is not set and the key kept in {path} cannot be read: {reason}.") from error
    if not key.strip():
        raise SettingError(f"SECRET_KEY is not set and {path} is empty; delete that file and a new key is made.")
    return key.strip()


def _make(path: Path) -> str:
    """A new key, or the one that another process made meanwhile: a hard link is exclusive and appears whole."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        try:
            temporary.touch(mode=0o600)
            temporary.write_text(secrets.token_urlsafe(48), encoding="utf-8")
            path.hardlink_to(temporary)
        except FileExistsError:
            pass
        finally:
            temporary.unlink(missing_ok=True)
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingError(f"SECRET_KEY is not set and none can be kept in {path}: {error.strerror}.") from error
