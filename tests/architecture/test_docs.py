"""What the documents promise is there: settings, commands, make targets, links."""

import re
import subprocess
from pathlib import Path

import pytest

import config
from tests.support.needs import ROOT

SETTINGS = [name for name in vars(config) if name.isupper()]
TARGETS = ["run", "test", "install", "check", "bench", "help"]
COMMANDS = [
    ["serve"],
    ["worker"],
    ["db", "upgrade"],
    ["demo"],
    ["organizer", "add"],
    ["organizer", "disable"],
    ["organizer", "enable"],
    ["organizer", "role"],
    ["organizer", "remove"],
    ["audit"],
    ["event", "import"],
    ["event", "list"],
    ["attendees", "export"],
    ["mail", "status"],
    ["mail", "test"],
    ["mail", "retry"],
    ["reply", "ingest"],
    ["backup"],
    ["restore"],
    ["doctor"],
]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
DOCUMENTS = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs/architecture.md"]


@pytest.mark.parametrize("setting", SETTINGS)
def test_setting_has_a_row_in_the_readme(setting: str) -> None:
    rows = [line for line in (ROOT / "README.md").read_text("utf-8").splitlines() if line.startswith("|")]
    assert [setting for row in rows if f"`{setting}`" in row.split("|")[1]] == [setting]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_document_is_there_and_says_something(document: str) -> None:
    assert len((ROOT / document).read_text("utf-8").split()) > 50


def test_decisions_are_numbered_one_after_the_other() -> None:
    written = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [path.name[:5] for path in written] == [f"{number:04}-" for number in range(1, len(written) + 1)]
    titles = [path.read_text("utf-8").partition(".")[0] for path in written]
    assert titles == [f"# {number}" for number in range(1, len(written) + 1)]


@pytest.mark.parametrize(
    "path", [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))], ids=lambda path: path.name
)
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text("utf-8"))
    local = [target for target in targets if "://" not in target and not target.startswith("mailto:")]
    assert [target for target in local if not (path.parent / target).exists()] == []


@pytest.mark.parametrize("target", TARGETS)
def test_make_target_exists_and_help_lists_it(target: str) -> None:
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert re.search(rf"make {target}\s", listed)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_command_exists_with_help_of_its_own(words: list[str]) -> None:
    from eventreg.cli import cli

    command = cli
    for word in words:
        assert word in command.commands
        command = command.commands[word]
    assert command.help
