"""The project speaks one language: RFC spelling, nothing unfinished, no machine's paths, no word untranslatable."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.needs import ROOT

THIS = Path(__file__)
FORBIDDEN = {
    "the RFC spells it with two l": r"\bcancel(ed|ing|ation|able)\b(?<!cancelling)(?<!cancellation)(?<!cancelable)",
    "unfinished": r"\b(TODO|FIXME|XXX|HACK|lorem ipsum)\b",
    "a machine's own path": r"(?<![\w.])/(work|home|root)/[a-z]",
    "an issue number": r"(?<![&\w/])(issue|issues|PR|pull request) ?#\d+",
    "how it was made": r"\b(claude|anthropic|openai|chatgpt|copilot|language model)\b",
    "a print left behind": r"^\s*(breakpoint\(\)|import pdb)",
}
TEXT = {".py", ".html", ".txt", ".md", ".toml", ".css", ".js", ".mk", ".in", ""}


def tracked() -> list[Path]:
    """The project's own text files."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("This copy is not a git repository.")
    files = [ROOT / name for name in listed.stdout.splitlines()]
    return [
        one
        for one in files
        if one.suffix in TEXT and one != THIS and not one.name.startswith("requirements") and one.is_file()
    ]


@pytest.mark.parametrize("reason", FORBIDDEN)
def test_project_files_hold_no_forbidden_words(reason: str) -> None:
    pattern = re.compile(FORBIDDEN[reason], re.IGNORECASE if reason == "how it was made" else 0)
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in tracked()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if pattern.search(line)
    ]
    assert found == []


MARKUP = re.compile(
    r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<(script|style)\b.*?</\1>|<!--.*?-->|<!doctype[^>]*>|&\w+;|&#\w+;", re.DOTALL
)
TAG = re.compile(r"<[^<>]*>", re.DOTALL)
SHOWN_ATTRIBUTE = re.compile(r"\b(?:alt|title|aria-label|placeholder)\s*=\s*[\"']([^\"']*)[\"']")
WORD = re.compile(r"[A-Za-z]{2,}")


@pytest.mark.parametrize("path", sorted((ROOT / "templates").rglob("*.html")), ids=lambda path: path.name)
def test_template_shows_no_word_that_cannot_be_translated(path: Path) -> None:
    rest = MARKUP.sub(" ", path.read_text(encoding="utf-8"))
    attributes = [value for value in SHOWN_ATTRIBUTE.findall(rest) if WORD.search(value)]
    words = WORD.findall(TAG.sub(" ", rest))
    # What the recipient reads when a mail program shows no images; names and not words.
    allowed = {"RSVP", "UTC", "PDF", "CSV", "XLSX", "JSON"}
    assert ([word for word in words if word not in allowed], attributes) == ([], [])


@pytest.mark.parametrize("path", sorted((ROOT / "templates").rglob("*.html")), ids=lambda path: path.name)
def test_template_keeps_to_the_content_security_policy(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    inline = re.findall(r"<[a-z][^>]*\son[a-z]+\s*=", source)
    if "mail" not in path.relative_to(ROOT / "templates").parts[:1]:  # a mail's style can only be inline
        inline += re.findall(r"<[a-z][^>]*\sstyle\s*=|<style\b", source)
    scripts = [tag for tag in re.findall(r"<script\b[^>]*>", source) if "src=" not in tag and "ld+json" not in tag]
    assert (inline, scripts) == ([], [])
