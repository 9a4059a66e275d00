"""What a parser makes at its first use is there before two threads can make it at once."""

import pytest
from mdurl import _decode, _encode

from eventreg.calendar.markdown_parser import parser


@pytest.mark.parametrize("inline", [None, lambda _state: None])
def test_a_parser_has_all_its_tables_before_anybody_uses_it(inline) -> None:
    made = parser(inline=inline)
    for ruler in (made.core.ruler, made.block.ruler, made.inline.ruler, made.inline.ruler2):
        assert ruler.__cache__


def test_the_tables_of_links_are_whole_before_anybody_writes_one(monkeypatch) -> None:
    monkeypatch.setattr(_encode, "encode_cache", {})
    monkeypatch.setattr(_decode, "decode_cache", {})
    made = parser()
    kept = {**_encode.encode_cache}, {**_decode.decode_cache}
    assert all(len(table) == 128 for tables in kept for table in tables.values())
    assert made.render("[a](http://é.example/ä%20) <http://b.example/ü%20> <http://[::1]/%C3>")
    assert (_encode.encode_cache, _decode.decode_cache) == kept
