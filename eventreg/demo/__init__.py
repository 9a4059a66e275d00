"""The demo calendar: a medical school's community events, loaded through the same services people use.

Dates are relative to the day of loading, so that the demo is never out of date. Nobody in it is real, and the mail
their answers would owe is never sent.
"""

from eventreg.demo.account import Account
from eventreg.demo.loading import DatabaseNotEmptyError, has_events, load

__all__ = ["Account", "DatabaseNotEmptyError", "has_events", "load"]
