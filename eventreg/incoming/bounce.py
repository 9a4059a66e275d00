"""Mail that came back, told from everything else.

Sources: RFC 3464 for the usual report, and the habits of Exim, qmail and older servers, which write it in words.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from eventreg.calendar.letter import Letter
from eventreg.calendar.text import one_line

LONGEST_WORDS = 500
MOST_KEYS = 5
_KEY = re.compile(r"<([0-9a-f]{32})@[^<>\s]+>", re.IGNORECASE)
"""The left side of every Message-ID of ours."""
_SENT_BY_A_SERVER = re.compile(r"(?i)^(mailer-daemon|postmaster|mail-daemon|mailerdaemon|bounce[sd]?)@")
_SUBJECT = re.compile(
    r"(?i)(undeliver|delivery (status|failure|has failed|incomplete|problem)|returned (mail|to sender)|"
    r"failure notice|mail delivery|could not (be )?deliver|unzustellbar|nicht zugestellt|non remis)"
)
_STILL_TRYING = re.compile(r"(?i)(delay|will (be retried|keep trying|retry)|still trying|warning: message|verzögert)")
_COPY = re.compile(
    r"(?im)^([ \t]*[-=_]{3,}.*\b(copy|original|unsent|returned|headers?|body)\b|(Received|Return-Path|Message-ID):)"
)
"""Where a report in words begins to show the mail that it returns, whose own words say nothing about it."""
_SERVER_WORDS = re.compile(r"(?m)^.*?\b([45]\d\d[ -]#?[45]\.\d{1,3}\.\d{1,3}\b.*|[45]\d\d[ -](?=[A-Za-z<]).*)$")


@dataclass(frozen=True, slots=True)
class Bounce:
    """A report about a mail that was sent."""

    is_final: bool
    """False while the server goes on trying, or when it says that all is well."""
    keys: tuple[str, ...]
    """What may be the keys of our mails, in the mail or in what it returns."""
    words: str
    """Why, as the server says it."""


def read(letter: Letter, data: bytes) -> Bounce | None:
    """The report in that mail, whose bytes are `data`; None when it is something else."""
    fields = next((part.report for part in letter.parts if part.report), ())
    if any("action" in block for block in fields):
        failed = next((block for block in fields if block.get("action", "").lower().startswith("failed")), None)
        words = _words_of(failed or fields[-1]) or _words_in(letter)
        return Bounce(failed is not None, _keys(letter, data), words)
    if not fields and not _looks_returned(letter):
        return None
    words = (_words_of(fields[-1]) if fields else "") or _words_in(letter)
    return Bounce(not _is_still_trying(letter), _keys(letter, data), words)


def _is_still_trying(letter: Letter) -> bool:
    """By the words of the report, and not by those of the mail it returns."""
    said = _COPY.split(letter.words[:2000], maxsplit=1)[0]
    return any(_STILL_TRYING.search(text) for text in (letter.header("Subject"), said))


def _looks_returned(letter: Letter) -> bool:
    """Whether it is a report without the standard's part: nobody signs it, or its words and its sender say so."""
    if letter.header("X-Failed-Recipients"):
        return True
    content_type = letter.message.get_content_type()
    if letter.report_type and not letter.report_type.endswith("delivery-status"):
        return False  # that it was read, or taken for spam
    nobodys = letter.header("Return-Path") in {"<>", "< >"}
    by_server = nobodys or any(_SENT_BY_A_SERVER.match(sender) for sender in letter.senders())
    return by_server and (content_type == "multipart/report" or _SUBJECT.search(letter.header("Subject")) is not None)


def _keys(letter: Letter, data: bytes) -> tuple[str, ...]:
    """Every Message-ID of our form, wherever it stands: in the returned mail, its headers, or the report's text."""
    text = data.decode("latin-1") + "\n".join(part.text for part in letter.parts)
    return tuple(dict.fromkeys(key.lower() for key in _KEY.findall(text)))[:MOST_KEYS]


def _words_of(block: Mapping[str, str]) -> str:
    diagnostic = block.get("diagnostic-code", "")
    kind, parted, rest = diagnostic.partition(";")
    words = (
        rest.strip() if parted and kind.strip().lower() in {"smtp", "x-unix", "x-postfix", "unknown"} else diagnostic
    )
    return (words or block.get("status", ""))[:LONGEST_WORDS]


def _words_in(letter: Letter) -> str:
    """The server's reply as the text quotes it, else how the text begins."""
    found = _SERVER_WORDS.search(letter.words)
    return one_line(found[1] if found else letter.words[:LONGEST_WORDS])[:LONGEST_WORDS]
