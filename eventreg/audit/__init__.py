"""Who did what, when, from what to what."""

from eventreg.audit.log import Actor, record, record_all
from eventreg.audit.models import AuditEntry

__all__ = ["Actor", "AuditEntry", "record", "record_all"]
