"""Who did what, when, from what to what."""

from eventreg.audit.log import Actor, record
from eventreg.audit.models import AuditEntry

__all__ = ["Actor", "AuditEntry", "record"]
