"""Pages anybody may open: events, months, pictures, feeds and how to subscribe. None of them sets a cookie."""

from flask import Blueprint

blueprint = Blueprint("public", __name__)

# The modules register their routes on the blueprint they import from here.
from eventreg.web.public import calendars, dev_mail, events, finding, pages  # noqa: E402, F401
