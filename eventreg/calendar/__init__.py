"""Events and registrations as iCalendar and Atom: entries, invitations, feeds. Domain objects in, bytes out."""
