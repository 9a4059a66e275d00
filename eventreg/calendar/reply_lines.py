"""Content lines and VEVENTs of a calendar object, read leniently. Pure. Source: RFC 5545 section 3.1."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_LINE = re.compile(r'([A-Za-z0-9-]++)((?:;[^:";]*+(?:"[^"]*+"[^:";]*+)*+)*+):(.*)', re.DOTALL)
_PARAMETER = re.compile(r';\s*+([A-Za-z0-9-]++)=("[^"]*+"|[^;"]*+)')
_FOLD = re.compile(r"(?:\r\n|\n|\r)[ \t]")
_BREAK = re.compile(r"\r\n|\n|\r")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@dataclass(slots=True)
class Entry:
    """The properties of one VEVENT that an answer needs; lists, because a broken program writes one twice."""

    found: dict[str, list[tuple[Mapping[str, str], str]]] = field(default_factory=dict)

    def first(self, name: str) -> str:
        """The value of the first property of that name; empty where there is none."""
        return self.found.get(name, [({}, "")])[0][1]


def entries_of(text: str) -> list[Entry]:
    """Its VEVENTs with what stands in them directly, not in an alarm inside."""
    entries: list[Entry] = []
    inside: list[str] = []
    for name, parameters, value in lines_of(text):
        if name == "BEGIN":
            inside.append(value.strip().upper())
            if inside[-1] == "VEVENT":
                entries.append(Entry())
        elif name == "END":
            if inside and inside[-1] == value.strip().upper():
                inside.pop()
        elif inside and inside[-1] == "VEVENT":
            entries[-1].found.setdefault(name, []).append((parameters, value))
    return entries


def lines_of(text: str) -> Iterator[tuple[str, Mapping[str, str], str]]:
    """Name, parameters and value of every content line that is one, whatever its length (RFC 5545 section 3.1)."""
    for line in _BREAK.split(_FOLD.sub("", text.replace("\0", ""))):
        found = _LINE.fullmatch(line.strip())
        if found is not None:
            parameters = {name.upper(): value.strip('" ') for name, value in _PARAMETER.findall(found[2])}
            yield found[1].upper(), parameters, found[3]


def unescaped_text(value: str) -> str:
    """A TEXT value, its escapes undone (RFC 5545 section 3.3.11)."""
    return _ESCAPED.sub(_unescaped, value)


def _unescaped(found: re.Match[str]) -> str:
    return "\n" if found[1] in "nN" else found[1]
