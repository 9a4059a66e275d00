from hypothesis import given
from hypothesis import strategies as st

from eventreg.calendar.lines import folded_line


@given(text=st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=400))
def test_folded_line_has_75_octets_at_most_splits_no_character_and_unfolds(text: str) -> None:
    lines = folded_line(("SUMMARY:" + text).encode()).split(b"\r\n ")
    assert all(len(line) + (number > 0) <= 75 for number, line in enumerate(lines))
    assert "".join(line.decode() for line in lines) == "SUMMARY:" + text
