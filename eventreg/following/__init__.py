"""Calendars of others that are read every hour, and whose events are shown here."""
