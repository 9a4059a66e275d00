"""Event registration and RSVP. `create_app` wires the parts together and does nothing else."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from flask import Flask, current_app

from eventreg import file_modes, installation, migrations, settings
from eventreg.db import init_app as init_database
from eventreg.links import Links


class _Application(Flask):
    """Flask, which would ask of every view and hook at every request whether it is asynchronous. None is."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function as it is."""
        return func


def create_app(overrides: Mapping[str, Any] | None = None, *, instance_path: Path | None = None) -> Flask:
    """A ready application.

    `overrides` win over every other setting (tests use them); `instance_path` defaults to EVENTREG_INSTANCE_PATH, or
    `instance/` of a checkout, or `/var/lib/eventreg`.

    Sets the umask of the process to 0077. Raises: SettingError when a setting's value is bad.
    """
    file_modes.restrict_new_files()
    app = _Application(
        __name__,
        instance_path=str(settings.instance_folder(installation.INSTANCE, instance_path)),
        instance_relative_config=True,
        template_folder=str(installation.FILES / "templates"),
    )
    settings.load(app, overrides)
    app.extensions["eventreg.links"] = Links(app.config["BASE_URL"], app.config["SECRET_KEY"])
    init_database(app)
    migrations.init_app(app)

    # Imported here because these packages import this module's neighbours while it is being imported itself.
    from eventreg import tasks, web  # noqa: PLC0415
    from eventreg.calendar import blocks  # noqa: PLC0415
    from eventreg.events import revision as _revision  # noqa: F401, PLC0415 - listens to what sessions write
    from eventreg.following import models as _following  # noqa: F401, PLC0415 - tables that others refer to
    from eventreg.incoming import models as _incoming  # noqa: F401, PLC0415

    blocks.install(lambda: current_app.extensions["eventreg.links"])
    tasks.init_app(app)
    web.init_app(app)
    return app
