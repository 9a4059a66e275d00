"""What an organizer is warned of after saving an event: parties that its new limits leave out, by name."""

from collections.abc import Sequence

from flask_babel import gettext as _
from flask_babel import ngettext

from eventreg.registrations.event_changes import Saved
from eventreg.web.organizer import words
from eventreg.web.organizer.actions import mail_is_sent

NAMED = 10


def warnings(saved: Saved) -> list[str]:
    """One sentence or two for each limit that leaves somebody out."""
    said = []
    if saved.outgrown:
        who = ngettext(
            "%(names)s waits with a party larger than the event now, so its turn never comes.",
            "%(names)s wait with parties larger than the event now, so their turn never comes.",
            len(saved.outgrown),
            names=_named(saved.outgrown),
        )
        mailed = words.mails_queued(len(saved.outgrown), is_sent=mail_is_sent())
        said.append(f"{who} {mailed} " + _("Raise the capacity, or agree with them on a smaller party."))
    if saved.oversized:
        said.append(
            ngettext(
                "%(names)s has a larger party than one registration may be now. It stays as it is or gets smaller.",
                "%(names)s have larger parties than one registration may be now. They stay as they are or get smaller.",
                len(saved.oversized),
                names=_named(saved.oversized),
            )
        )
    return said


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(names[:NAMED])
    return _("%(names)s and %(num)s more", names=shown, num=len(names) - NAMED) if len(names) > NAMED else shown
