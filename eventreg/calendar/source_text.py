"""Words of others' calendars as this site keeps them: clean, of bearable length, descriptions as Markdown. Pure."""

import re

from eventreg.calendar import html_text
from eventreg.calendar.link_text import is_same
from eventreg.calendar.text import clean, one_line
from eventreg.events import search

LONGEST_TITLE = 200
LONGEST_DESCRIPTION = 20_000
LONGEST_RAW = 200_000
"""Of a description as it stands in the file; HTML is many times as long as its words."""
LONGEST_CATEGORY = 60
LONGEST_PLACE = 200
LONGEST_ADDRESS = 400

_TAG = re.compile(
    r"</?(?:p|br|b|i|u|a|ul|ol|li|div|span|html|body|strong|em|table|h[1-6])(?:\s[^<>]*)?/?>", re.IGNORECASE
)
_URL = re.compile(r"https?://[^\s<>\"\\^`{|}]+[^\s<>\"\\^`{|}.,;:!?)\]']", re.IGNORECASE)
_AGAIN = re.compile(r" ?[<(](https?://[^\s<>()]+)[>)]", re.IGNORECASE)
"""The same address once more, as Outlook and other programs write a link in plain text."""
_MARK = re.compile(r"([\\`*_\[\]<>#~|&!])")
_NUMBERED = re.compile(r"(\d{1,9})([.)])(?=\s|$)")
_RULE = re.compile(r"[-=_*\s]+")


def cut(text: str, most: int) -> str:
    """At most that many characters, the last an ellipsis where something is missing."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def category(name: str) -> str:
    """Its name, as long as its key still fits its column."""
    kept = one_line(name)[:LONGEST_CATEGORY].strip()
    while len(search.name_key(kept)) > LONGEST_CATEGORY:
        kept = kept[:-1].strip()
    return kept


def place(text: str) -> tuple[str, str]:
    r"""(name, address): the first line and the rest, as Apple writes them; one line is a name alone.

    >>> place("Aula\n1 Main Street\nBoston")
    ('Aula', '1 Main Street, Boston')
    """
    lines = [one_line(line) for line in clean(text).splitlines() if line.strip()]
    name, rest = (lines[0], ", ".join(lines[1:])) if lines else ("", "")
    if len(name) > LONGEST_PLACE:
        first, _comma, more = name.partition(",")
        name, rest = cut(first, LONGEST_PLACE), ", ".join(part for part in (one_line(more), rest) if part)
    return name, cut(rest, LONGEST_ADDRESS)


def description(text: str, *, html: bool = False) -> str:
    """Markdown that reads as the text does, whether that is plain or HTML."""
    text = text[:LONGEST_RAW]
    if html or _TAG.search(text):
        text = html_text.plain(text)
    return cut_lines(as_markdown(clean(text)), LONGEST_DESCRIPTION)


def cut_lines(text: str, most: int) -> str:
    """At most that many characters, cut between lines so that no mark is torn apart."""
    if len(text) <= most:
        return text
    kept = text[: most - 2].rpartition("\n")[0] or cut(text, most - 2).rstrip("\\<…")
    return f"{kept.rstrip()}\n…"


def as_markdown(text: str) -> str:
    r"""Plain text, with what Markdown would take for marks escaped, and web addresses as links.

    >>> as_markdown("# 1 * 2\nhttps://example.org/a_b.")
    '\\# 1 \\* 2\n<https://example.org/a_b>.'
    """
    return "\n".join(_markdown_line(line.strip()) for line in text.split("\n"))


def _markdown_line(line: str) -> str:
    if not line:
        return ""
    if line[:2] in {"* ", "• ", "· "}:
        line = "- " + line[2:].lstrip()
    if _RULE.fullmatch(line):
        return "\\" + line if line[0] in "-=" else _MARK.sub(r"\\\1", line)
    parts, end = [], 0
    for found in _URL.finditer(line):
        if found.start() < end:
            continue
        stop = _end_of_address(line, found)
        address = line[found.start() : stop].replace("&amp;", "&")
        parts += [_MARK.sub(r"\\\1", line[end : found.start()]), f"<{address}>"]
        again = _AGAIN.match(line, stop)
        end = again.end() if again and is_same(again[1], address) else stop
    escaped = "".join(parts) + _MARK.sub(r"\\\1", line[end:])
    escaped = _NUMBERED.sub(r"\1\\\2", escaped, count=1) if escaped[0].isdigit() else escaped
    return "\\" + escaped if escaped[0] in "+=" or escaped.startswith(("--", "-\t")) else escaped


def _end_of_address(line: str, found: re.Match[str]) -> int:
    """Where the address ends: behind the parentheses that it opens itself, before those around it."""
    opened, end = found[0].count("(") - found[0].count(")"), found.end()
    while opened > 0 and line.startswith(")", end):
        opened, end = opened - 1, end + 1
    return end
