"""What people type, made storable: no control characters, one form of each letter, no stray blanks."""

import unicodedata


def line(text: object) -> str:
    r"""One line of text.

    >>> line("  Zoë\x00\nO'Brien ")
    "Zoë O'Brien"
    """
    return " ".join(paragraph(text).split())


def paragraph(text: object) -> str:
    r"""Text over several lines, ends of lines as "\n". Nothing, or a file sent where text was asked for, is no text.

    >>> paragraph("one\r\ntwo\x07 ")
    'one\ntwo'
    """
    if isinstance(text, str) and text.isascii() and text.isprintable():
        return text.strip()
    unified = (
        unicodedata.normalize("NFC", text if isinstance(text, str) else "").replace("\r\n", "\n").replace("\r", "\n")
    )
    unified = unified.replace("\u2028", "\n").replace("\u2029", "\n")
    kept = "".join(
        char if char in "\n\t" or unicodedata.category(char) not in {"Cc", "Cs", "Co", "Cn"} else " "
        for char in unified
    )
    return kept.strip()
