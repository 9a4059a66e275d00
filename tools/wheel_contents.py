"""Puts the settings' defaults and the templates, which stand at the top of a checkout, into a wheel."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class WheelContents(BuildHookInterface[Any]):
    """An editable installation reads both from the checkout, so only a real wheel is given them."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Adds the files to the wheel, inside the package."""
        if version == "standard":
            build_data["force_include"] |= {name: f"eventreg/{name}" for name in ("config.py", "templates")}
