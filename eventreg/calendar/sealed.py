"""Detects mail bodies that may hold a calendar answer and cannot be opened here: TNEF, S/MIME, PGP. Pure.

Sources: [MS-OXTNEF], RFC 8551 section 3.2, RFC 3156.
"""

from flask_babel import gettext as _

from eventreg.calendar.letter import Letter, Part

_TNEF_SIGNATURE = b"\x78\x9f\x3e\x22"
_TNEF = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
_SMIME = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_PGP = b"-----BEGIN PGP MESSAGE"


def container(letter: Letter) -> str:
    """What cannot be opened in it, as a sentence for the organizer; empty where there is nothing of that kind."""
    for part in letter.parts:
        if _is_tnef(part):
            return _("Its content is in a file only Outlook can read (winmail.dat).")
        if part.kind in _SMIME or part.file_name.lower().endswith((".p7m", ".p7z")):
            return _("It is encrypted or signed in a form that is not read here (S/MIME).")
        if part.kind == "application/pgp-encrypted" or (part.is_attached and part.content.lstrip().startswith(_PGP)):
            return _("It is encrypted (PGP).")
    return ""


def _is_tnef(part: Part) -> bool:
    return part.kind in _TNEF or part.file_name.lower() == "winmail.dat" or part.content.startswith(_TNEF_SIGNATURE)
