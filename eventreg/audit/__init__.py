"""Who did what, when, from what to what."""

from eventreg.audit.log import Actor, record, record_all, record_events
from eventreg.audit.models import AuditEntry

__all__ = ["Actor", "AuditEntry", "record", "record_all", "record_events"]
