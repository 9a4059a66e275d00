import pytest

from eventreg.exports.cells import clean, neutral, neutral_for_csv


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


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("x;=cmd|' /C calc'!A0;", "x;'=cmd|' /C calc'!A0;"),
        ("x; =1+1", "x;' =1+1"),
        ("x;\t@SUM(A1)", "x;\t'@SUM(A1)"),
        ('x;"=1+1"', 'x;\'"=1+1"'),
        ("x\t+1+1", "x\t'+1+1"),
        ("x\n=1+1", "x\n'=1+1"),
        ("x\n- cmd|' /C calc'!A0", "x\n'- cmd|' /C calc'!A0"),
        ("x\n-HYPERLINK(A1)", "x\n'-HYPERLINK(A1)"),
        ("=1;=2", "'=1;'=2"),
    ],
)
def test_part_of_a_cell_that_another_separator_makes_a_formula_gets_an_apostrophe(typed: str, written: str) -> None:
    assert neutral_for_csv(typed) == written


@pytest.mark.parametrize(
    "text", ["no nuts\n- no milk\n+ water", "call\n+1 617 555 0100", "a; b", "1;2;;", "x;1-2", "a\n\nb", ""]
)
def test_lists_and_telephone_numbers_over_several_lines_stay_as_typed(text: str) -> None:
    assert neutral_for_csv(text) == text


def test_clean_drops_what_files_refuse_and_keeps_lines_and_tabs() -> None:
    assert clean("a\x00b\x0b\x1bc\ud800\uffff\r\nd\te\u2028f") == "ab\nc\nd\te\nf"
