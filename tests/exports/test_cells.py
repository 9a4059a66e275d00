import pytest

from eventreg.exports.cells import clean, neutral


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("http://evil.example","x")',
        "=1+1",
        "+cmd|' /C calc'!A0",
        "+1+1",
        "+1 -2",
        "+1 2/3",
        "+16175550100",
        "+1-617-555-0100",
        "+1 617 =A1",
        "-5",
        "- none",
        "@SUM(A1)",
        "\t=1",
        "\n=1",
        "  =1",
        "＝1",
        "+",
    ],
)
def test_cell_that_begins_like_a_formula_gets_an_apostrophe(text: str) -> None:
    assert neutral(text) == f"'{text}"


@pytest.mark.parametrize(
    "text",
    ["+1 617 555 0100", "+1 (617) 555-0100", "+44 20 7946 0958", "+49 30.123456", "Zoë", "李", "1-2", "a=b", "", "'x"],
)
def test_cell_that_no_spreadsheet_runs_stays_as_it_is(text: str) -> None:
    assert neutral(text) == text


def test_clean_drops_what_files_refuse_and_keeps_lines_and_tabs() -> None:
    assert clean("a\x00b\x0b\x1bc\ud800\uffff\r\nd\te\u2028f") == "ab\nc\nd\te\nf"
