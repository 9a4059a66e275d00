"""Applications and schemas for tests."""

import importlib
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask

from eventreg import ROOT, create_app

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


def make_app(database_url: str, instance: Path, **settings: Any) -> Flask:
    """A real application on that database, with the tests' settings unless told otherwise."""
    overrides = {**SETTINGS, "DATABASE_URL": database_url, **settings}
    try:
        return create_app(overrides, instance_path=instance)
    except (ImportError, AttributeError):  # until every part is there
        return _partial_app(overrides, instance)


def migrate(database_url: str, instance: Path) -> None:
    """Brings that database to the newest schema, by the migrations as an installation would."""
    app = make_app(database_url, instance)
    with app.app_context():
        from eventreg.db import db

        if any((ROOT / "eventreg" / "migrations" / "versions").glob("*.py")):
            from flask_migrate import upgrade

            upgrade()
        else:
            for package in ("audit", "events", "organizers", "outbox", "registrations"):
                importlib.import_module(f"eventreg.{package}.models")
            db.create_all()
            with db.engine.begin() as connection:
                connection.execute(
                    sa.text(
                        "INSERT INTO roles (name, description) VALUES ('admin', ''), ('organizer', ''), ('door', '')"
                    )
                )
        with db.engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.engine.dispose()


def _partial_app(overrides: dict[str, Any], instance: Path) -> Flask:

    from eventreg import settings
    from eventreg.db import db
    from eventreg.links import Links

    app = Flask("eventreg", instance_path=str(instance), template_folder=str(ROOT / "templates"))
    settings.load(app, overrides)
    app.extensions["eventreg.links"] = Links(app.config["BASE_URL"], app.config["SECRET_KEY"])
    db.init_app(app)
    from flask_babel import Babel
    from flask_migrate import Migrate
    from flask_security import MailUtil

    from eventreg.organizers import accounts

    Migrate(app, db, directory=str(ROOT / "eventreg" / "migrations"))
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = "translations"
    Babel(app)
    accounts.init_app(app, mail_util=MailUtil, forms={})
    return app
