"""Reads `config.py`, `instance/config.py` and `EVENTREG_*`, and refuses what the service cannot start with."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import ArgumentError

from eventreg import file_modes, installation, secret_key, setting_names
from eventreg.addresses import of_setting
from eventreg.errors import SettingError
from eventreg.hosts import ascii_host, ascii_url
from eventreg.text import is_blank
from eventreg.timezones import names as timezone_names

PREFIX = "EVENTREG"
REPLY_TOKEN = 26
"""Characters that `Links.reply_token` adds to the part before the @, which mail allows 64."""
POSTGRESQL_OPTIONS: dict[str, Any] = {
    "pool_size": 8,
    "max_overflow": 8,
    "pool_timeout": 10,
    # libpq's: a server that cannot be reached is given up within seconds, and so is one that falls silent.
    "connect_args": {
        "connect_timeout": 3,
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": 6000,
    },
}
DEFAULT_BASE_URL = "http://127.0.0.1:8000"


def make_instance_folder(folder: Path) -> None:
    """Makes the folder where it is missing. One that cannot be made is said where something has to be kept in it.

    Raises: SettingError when something else stands in its place.
    """
    try:
        file_modes.make_folder(folder)
    except FileExistsError as error:
        raise SettingError(f"The instance folder {folder} is a file; move it or set {PREFIX}_INSTANCE_PATH.") from error
    except OSError:
        return


def load(app: Flask, overrides: Mapping[str, Any] | None) -> None:
    """Fills `app.config`. Later wins: defaults, instance file, environment, overrides.

    Raises: SettingError with one sentence naming the setting.
    """
    make_instance_folder(Path(app.instance_path))
    app.config.from_pyfile(str(installation.FILES / "config.py"))
    try:
        app.config.from_pyfile("config.py", silent=True)
    except Exception as error:
        raise SettingError(f"instance/config.py cannot be read: {error}.") from error
    try:
        app.config.from_prefixed_env(PREFIX)
    except TypeError as error:
        raise SettingError(
            f"An environment variable {PREFIX}_…__… has two underscores in a row, but no setting has parts: {error}."
        ) from error
    for name in CHECKS:
        # from_prefixed_env reads JSON, which would turn a password like 1e5 into a number.
        if f"{PREFIX}_{name}" in os.environ:
            app.config[name] = os.environ[f"{PREFIX}_{name}"]
    app.config.update(overrides or {})
    for name, check in CHECKS.items():
        try:
            app.config[name] = check(app.config.get(name))
        except (ValueError, TypeError, ArgumentError) as error:
            raise SettingError(f"{name} is set to {_shown(name, app.config.get(name))}, but {error}.") from error
    _check_together(app.config)
    app.config["SECRET_KEY"] = app.config["SECRET_KEY"] or secret_key.read_or_make(Path(app.instance_path))
    _derive(app)


def misspelt(app: Flask) -> list[str]:
    """One sentence for each name in the environment or in `instance/config.py` that is a misspelt setting."""
    return setting_names.misspelt(app, CHECKS, prefix=PREFIX)


def instance_folder(default: Path, given: Path | None) -> Path:
    """Where this installation keeps what is its own: database, key, kept mail. Absolute."""
    named = os.environ.get(f"{PREFIX}_INSTANCE_PATH")
    return Path(given or named or default).resolve()


def _shown(name: str, value: object) -> str:
    if name in {"SECRET_KEY", "MAIL_PASSWORD", "REPLY_IMAP_PASSWORD", "DATABASE_URL", "REDIS_URL"}:
        return "a value not shown here"
    return repr(value)


def _text(value: object) -> str | None:
    return None if value is None or str(value).strip() == "" else str(value).strip()


def _required_text(value: object) -> str:
    text = _text(value)
    if text is None or is_blank(text):
        raise ValueError("it must not be empty")
    if not text.isprintable():
        raise ValueError("it must be one line without control characters")
    return text


def _header_text(value: object) -> str | None:
    text = _text(value)
    longest = 300
    if text is not None and not (text.isascii() and text.isprintable() and len(text) <= longest):
        raise ValueError(f"it must be one line of at most {longest} ASCII characters")
    return text


def _flag(value: object) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    word = str(value).strip().lower()
    if word not in words:
        raise ValueError("it must be true or false")
    return words[word]


def _number(low: float, high: float) -> Callable[[object], float]:
    def check(value: object) -> float:
        try:
            number = float(str(value))
        except ValueError:
            number = float("nan")
        if not low <= number <= high:
            raise ValueError(f"it must be a number from {low:g} to {high:g}")
        return number

    return check


def _integer(low: int, high: int) -> Callable[[object], int]:
    def check(value: object) -> int:
        if not str(value).strip().isdecimal() or not low <= int(str(value)) <= high:
            raise ValueError(f"it must be a whole number from {low} to {high}")
        return int(str(value))

    return check


def _optional(check: Callable[[object], Any]) -> Callable[[object], Any]:
    return lambda value: None if _text(value) is None else check(value)


def _database_url(value: object) -> str | None:
    if (text := _text(value)) is None:
        return None
    try:
        url = sa.make_url(text)
    except ArgumentError:
        url = None
    if url is None or url.drivername not in {"sqlite", "postgresql", "postgresql+psycopg"}:
        raise ValueError("it must look like sqlite:///path/to/file.db or postgresql+psycopg://name@host/database")
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    return url.render_as_string(hide_password=False)


def _base_url(value: object) -> str | None:
    if (text := _text(value)) is None:
        return None
    try:
        parts = urlsplit(text)
        extra = (parts.query, parts.fragment, parts.username)
        good = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0 and not any(extra)
        text = text if text.isascii() else ascii_url(parts)
    except ValueError:
        good = False
    if not good or not text.isprintable() or any(char in ' "<>\\' for char in text):
        raise ValueError("it must be an absolute address like https://events.example.org")
    return text.rstrip("/")


def _redis_url(value: object) -> str | None:
    text = _text(value)
    if text is not None and urlsplit(text).scheme not in {"redis", "rediss", "unix"}:
        raise ValueError("it must look like redis://host:6379/0")
    return text


def _address(value: object) -> str | None:
    text = _text(value)
    return None if text is None else of_setting(text)


def _host(value: object) -> str | None:
    text = _text(value)
    return None if text is None else ascii_host(text)


def _reply_address(value: object) -> str | None:
    text = _address(value)
    longest = 64 - len("+") - REPLY_TOKEN
    if text is not None and len(text.rpartition("<")[2].rpartition("@")[0].encode()) > longest:
        raise ValueError(f"it must have at most {longest} characters before the @, since a token is added there")
    return text


def _timezone(value: object) -> str:
    if str(value) not in timezone_names():
        raise ValueError("it must be a time zone name like America/New_York")
    return str(value)


def _secret_key(value: object) -> str | None:
    text = _text(value)
    shortest = 16
    if text is not None and len(text) < shortest:
        raise ValueError(f"it must be at least {shortest} characters long; leave it out and one is made")
    return text


CHECKS: dict[str, Callable[[object], Any]] = {
    "DATABASE_URL": _database_url,
    "BASE_URL": _base_url,
    "REDIS_URL": _redis_url,
    "SECRET_KEY": _secret_key,
    "SITE_NAME": _required_text,
    "DEFAULT_TIMEZONE": _timezone,
    "CONTACT_EMAIL": _address,
    "MAIL_SERVER": _host,
    "MAIL_PORT": _integer(1, 65535),
    "MAIL_USE_TLS": _flag,
    "MAIL_USE_SSL": _flag,
    "MAIL_USERNAME": _text,
    "MAIL_PASSWORD": _text,
    "MAIL_DEFAULT_SENDER": _address,
    "MAIL_TIMEOUT": _number(0.1, 300),
    "MAIL_HOURLY_LIMIT": _integer(0, 1_000_000),
    "MAIL_KEEP_DAYS": _integer(0, 36_500),
    "REPLY_ADDRESS": _reply_address,
    "REPLY_LMTP_PORT": _optional(_integer(1, 65535)),
    "REPLY_IMAP_HOST": _host,
    "REPLY_IMAP_PORT": _integer(1, 65535),
    "REPLY_IMAP_USER": _text,
    "REPLY_IMAP_PASSWORD": _text,
    "REPLY_IMAP_FOLDER": _required_text,
    "REPLY_IMAP_DONE_FOLDER": _text,
    "REPLY_IMAP_SSL": _flag,
    "REPLY_IMAP_STARTTLS": _flag,
    "FOLLOW_USER_AGENT": _header_text,
    "RATELIMIT_ENABLED": _flag,
    "SESSION_IDLE_HOURS": _integer(1, 168),
    "MIN_FILL_SECONDS": _number(0, 3600),
    "TRUSTED_PROXIES": _integer(0, 10),
    "PAGE_CACHE_MB": _integer(0, 4096),
    "DEMO": _flag,
}


def _check_together(config: Mapping[str, Any]) -> None:
    if config["MAIL_USE_TLS"] and config["MAIL_USE_SSL"]:
        raise SettingError("MAIL_USE_TLS and MAIL_USE_SSL are both on; a mail server speaks one of them, choose it.")
    if config["MAIL_USERNAME"] and not config["MAIL_PASSWORD"]:
        raise SettingError("MAIL_USERNAME is set but MAIL_PASSWORD is not; set both or neither.")
    if config["REPLY_IMAP_HOST"] and not (config["REPLY_IMAP_USER"] and config["REPLY_IMAP_PASSWORD"]):
        raise SettingError("REPLY_IMAP_HOST is set, but REPLY_IMAP_USER or REPLY_IMAP_PASSWORD is not; set all three.")
    if config["REPLY_IMAP_SSL"] and config["REPLY_IMAP_STARTTLS"]:
        raise SettingError("REPLY_IMAP_SSL and REPLY_IMAP_STARTTLS are both on; a mailbox speaks one, choose it.")


def _derive(app: Flask) -> None:
    """What other libraries want to be told under their own names."""
    config = app.config
    instance = Path(app.instance_path)
    config["BASE_URL"] = config["BASE_URL"] or DEFAULT_BASE_URL
    base = urlsplit(config["BASE_URL"])
    config["SQLALCHEMY_DATABASE_URI"] = config["DATABASE_URL"] or f"sqlite:///{instance / 'eventreg.db'}"
    if sa.make_url(config["SQLALCHEMY_DATABASE_URI"]).get_backend_name() == "postgresql":
        config["SQLALCHEMY_ENGINE_OPTIONS"] = POSTGRESQL_OPTIONS
    config["MAIL_DEFAULT_SENDER"] = config["MAIL_DEFAULT_SENDER"] or f"events@{base.hostname}"
    config["CONTACT_EMAIL"] = config["CONTACT_EMAIL"] or config["MAIL_DEFAULT_SENDER"]
    config["MAIL_FOLDER"] = str(instance / "mail")
    config["RATELIMIT_STORAGE_URI"] = config["REDIS_URL"] or f"eventreg-file://{instance / 'limits.db'}"
    # A Redis that does not answer costs a form half a second, not its reader's patience; see web/limits.py.
    waiting = {"socket_connect_timeout": 0.5, "socket_timeout": 0.5} if config["REDIS_URL"] else {}
    config["RATELIMIT_STORAGE_OPTIONS"] = {"wrap_exceptions": True, **waiting}
    config["SESSION_COOKIE_SAMESITE"] = "Lax"
    config["SESSION_COOKIE_HTTPONLY"] = True
    config["SESSION_COOKIE_SECURE"] = base.scheme == "https"
    config["SESSION_COOKIE_PATH"] = base.path or "/"
    # A person may leave a form open through lunch.
    config["WTF_CSRF_TIME_LIMIT"] = 12 * 3600
    # The Referer check would refuse people whose browser sends none; the token and SameSite hold without it.
    config["WTF_CSRF_SSL_STRICT"] = False
    config["MAX_CONTENT_LENGTH"] = 256 * 1024
    config["MAX_FORM_MEMORY_SIZE"] = 256 * 1024
    config["MAX_FORM_PARTS"] = 500
