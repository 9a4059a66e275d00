"""Applications and schemas for tests."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask
from flask_migrate import upgrade
from jinja2.bccache import Bucket, BytecodeCache
from werkzeug.routing import Rule

from eventreg import create_app
from eventreg.db import db

BASE_URL = "https://events.example.org"
SECRET_KEY = "only-for-tests-only-for-tests"
SETTINGS: dict[str, Any] = {
    "TESTING": True,
    "SECRET_KEY": SECRET_KEY,
    "BASE_URL": BASE_URL,
    "MIN_FILL_SECONDS": 0,
    "RATELIMIT_ENABLED": False,
    # Hashing a password is slow on purpose; not here.
    "SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS": {
        "argon2__rounds": 1,
        "argon2__memory_cost": 8,
        "argon2__parallelism": 1,
    },
}


class Compiled(BytecodeCache):
    """Templates compiled once for all applications of a test process, which otherwise each compile their own."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self.kept:
            bucket.bytecode_from_string(self.kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.kept[bucket.key] = bucket.bytecode_to_string()


COMPILED = Compiled()

Builder = Callable[..., tuple[str, str]]


def compile_rules_once() -> None:
    """Compiles what builds an address once per rule, not once per rule and application: a third of a test's time.

    What Werkzeug compiles depends on nothing but the rule's parts, as long as the rule has no defaults.
    """
    compile_builder = Rule._compile_builder
    kept: dict[tuple[Any, ...], Builder] = {}

    def compile_once(rule: Rule, append_unknown: bool = True) -> Builder:
        if rule.defaults:
            return compile_builder(rule, append_unknown)
        key = (rule.rule, tuple(rule._trace), append_unknown)
        if key not in kept:
            kept[key] = compile_builder(rule, append_unknown)
        return kept[key]

    Rule._compile_builder = compile_once


compile_rules_once()


def make_app(database_url: str, instance: Path, **settings: Any) -> Flask:
    """A real application on that database, with the tests' settings unless told otherwise."""
    overrides = {**SETTINGS, "DATABASE_URL": database_url, **settings}
    app = create_app(overrides, instance_path=instance)
    app.jinja_env.bytecode_cache = COMPILED
    return app


def migrate(database_url: str, instance: Path) -> None:
    """Brings that database to the newest schema, by the migrations as an installation would."""
    app = make_app(database_url, instance)
    with app.app_context():
        upgrade()
        with db.engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.engine.dispose()
