"""Pages of the people who register: the form, what became of it, their registration behind the signed link."""

from flask import Blueprint

blueprint = Blueprint("attendee", __name__)

from eventreg.web.attendee import calendars, confirm, lost_link, registration, rsvp, undo  # noqa: E402, F401 - they add routes
