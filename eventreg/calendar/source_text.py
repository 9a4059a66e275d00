"""Words of others' calendars as this site keeps them: clean, of bearable length, descriptions as Markdown. Pure."""

import re
from html.parser import HTMLParser
from urllib.parse import urlsplit

from eventreg.calendar.text import clean, one_line
from eventreg.events import search

LONGEST_TITLE = 200
LONGEST_DESCRIPTION = 20_000
LONGEST_CATEGORY = 60
LONGEST_PLACE = 200
LONGEST_ADDRESS = 400
LONGEST_URL = 1000
_MOST_HTML = 100_000

_TAG = re.compile(
    r"</?(?:p|br|b|i|u|a|ul|ol|li|div|span|html|body|strong|em|table|h[1-6])(?:\s[^<>]*)?/?>", re.IGNORECASE
)
_URL = re.compile(r"https?://[^\s<>\"\\^`{|}]+[^\s<>\"\\^`{|}.,;:!?)\]']", re.IGNORECASE)
_MARK = re.compile(r"([\\`*_\[\]<>#~|&!])")
_NUMBERED = re.compile(r"(\d{1,9})([.)])(?=\s|$)")
_RULE = re.compile(r"[-=_*\s]+")


def cut(text: str, most: int) -> str:
    """At most that many characters, the last an ellipsis where something is missing."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def address(text: str) -> str:
    """An absolute web address on one line; "" for anything else.

    >>> address("https://example.org/a"), address("javascript:alert(1)")
    ('https://example.org/a', '')
    """
    line = one_line(text)
    try:
        parts = urlsplit(line)
        good = parts.scheme.lower() in {"http", "https"} and bool(parts.hostname) and " " not in line
    except ValueError:
        return ""
    return line if good and len(line) <= LONGEST_URL else ""


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
    if html or _TAG.search(text[:_MOST_HTML]):
        text = from_html(text)
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
        parts += [_MARK.sub(r"\\\1", line[end : found.start()]), f"<{found[0]}>"]
        end = found.end()
    escaped = "".join(parts) + _MARK.sub(r"\\\1", line[end:])
    escaped = _NUMBERED.sub(r"\1\\\2", escaped, count=1) if escaped[0].isdigit() else escaped
    return "\\" + escaped if escaped[0] in "+=" or escaped.startswith(("--", "-\t")) else escaped


def from_html(html: str) -> str:
    r"""The words of HTML as plain text: lists with their bullets, links with their addresses.

    >>> from_html("<p>See <a href='https://example.org/x'>this</a></p><ul><li>one</li></ul>").strip()
    'See this (https://example.org/x)\n\n- one'
    """
    reader = _Words()
    reader.feed(html[:_MOST_HTML])
    reader.close()
    text = re.sub(r"[ \t]+", " ", "".join(reader.parts))
    return re.sub(r" *\n *", "\n", re.sub(r"(?:\s*\n){3,}", "\n\n", text))


class _Words(HTMLParser):
    """Collects what a reader of the page would see."""

    SILENT = frozenset({"script", "style", "head", "title", "template"})
    BLOCKS = frozenset({"p", "div", "ul", "ol", "table", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.silent = ""
        self.link = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A break, a bullet, or the address of a link to come."""
        if tag in self.SILENT:
            self.silent = tag
        elif tag == "br":
            self.parts.append("\n")
        elif tag == "li":
            self.parts.append("\n- ")
        elif tag == "tr" or tag in self.BLOCKS:
            self.parts.append("\n")
        elif tag == "a":
            self.link = address(dict(attrs).get("href") or "")
            self.parts.append("")

    def handle_endtag(self, tag: str) -> None:
        """The end of a block, or the address after a link's words."""
        if tag == self.silent:
            self.silent = ""
        elif tag in self.BLOCKS:
            self.parts.append("\n\n" if tag in {"p", "ul", "ol"} else "\n")
        elif tag == "td":
            self.parts.append(" ")
        elif tag == "a" and self.link:
            if self.link not in self.parts[-1]:
                self.parts.append(f" ({self.link})")
            self.link = ""

    def handle_data(self, data: str) -> None:
        """Words; their line breaks mean nothing in HTML, unless it has no other."""
        if not self.silent:
            self.parts.append(data.replace("\r", ""))
