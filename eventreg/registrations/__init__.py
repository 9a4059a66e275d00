"""Registrations: a person's answer to an event, and what became of it."""
