"""Answers for programs: is the service alive, is it ready."""

from flask import Blueprint

blueprint = Blueprint("api", __name__)

from eventreg.web.api import health  # noqa: E402, F401 - it adds routes
