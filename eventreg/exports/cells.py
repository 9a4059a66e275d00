r"""What may stand in a cell: text that no file format refuses, and in CSV text that no spreadsheet runs.

In CSV a cell that begins like a formula gets an apostrophe before it (OWASP, “CSV injection”). A phone number keeps
its leading + as it is: digits in groups parted by blanks are no formula in any spreadsheet. Written without blanks
(+16175550100, +1-617-555-0100) it would be calculated, which loses the + or the number, so it gets the apostrophe.

A spreadsheet that separates by semicolons or tabs, as Excel does in most of Europe, splits a cell of a
comma-separated file at them and at its line breaks, whether it is quoted or not. So each such part is made safe too.
"""

import re

_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_DROPPED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
_PHONE = re.compile(r"\+[0-9]{1,3}(?: [(]?[0-9][0-9().-]{0,20}){1,6}")
_SEPARATORS = re.compile("([;\t\n])")
_BULLET = re.compile(r"[-+] [^|(!\[]*")
"""A line of a list. A formula that does harm needs one of these characters: a function, another file or program."""
_FORMULA_SIGNS = frozenset("=+-@＝＋－＠")  # noqa: RUF001 - a Japanese Excel reads the wide forms too


def clean(text: str) -> str:
    r"""The text with `\n` as its only line break and without what XML and CSV readers refuse.

    >>> clean("no nuts\r\nno milk\x00")
    'no nuts\nno milk'
    """
    # Nearly every text is printable from end to end, and then none of those characters is in it.
    return text if text.isprintable() else _DROPPED.sub("", _BREAKS.sub("\n", text))


def neutral(text: str) -> str:
    """Clean text of one line as a spreadsheet may open it.

    >>> [neutral(text) for text in ("=1+1", " =1+1", "-5", "Zoë", "+1 617 555 0100", "+16175550100", "+1 -2")]
    ["'=1+1", "' =1+1", "'-5", 'Zoë', '+1 617 555 0100', "'+16175550100", "'+1 -2"]
    """
    begins = text.lstrip()[:1]
    if begins in _FORMULA_SIGNS or text[:1] in {"\t", "\n"}:
        return text if _PHONE.fullmatch(text) else f"'{text}"
    return text


def neutral_for_csv(text: str) -> str:
    r"""The same for CSV, where each part of a cell may become a cell of its own; see above.

    >>> neutral_for_csv("x;=cmd|' /C calc'!A0;")
    "x;'=cmd|' /C calc'!A0;"
    >>> neutral_for_csv("no nuts\n- no milk\n+1 617 555 0100")
    'no nuts\n- no milk\n+1 617 555 0100'
    """
    first, *rest = _SEPARATORS.split(text)
    return neutral(first) + "".join(
        separator + _neutral_part(part, separator) for separator, part in zip(rest[::2], rest[1::2], strict=True)
    )


def _neutral_part(part: str, separator: str) -> str:
    if separator == "\n" and _BULLET.fullmatch(part):
        return part
    # A quotation mark at the beginning is taken off by the spreadsheet.
    bare = part.lstrip(' "')
    return part if neutral(bare) == bare else f"'{part}"
