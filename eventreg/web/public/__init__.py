"""Pages for everybody: events, calendar, feeds."""

from flask import Blueprint

blueprint = Blueprint("public", __name__)

from eventreg.web.public import calendars  # noqa: E402, F401 - they add routes
