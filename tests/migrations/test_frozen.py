"""A landed migration never changes: databases out there were made by it as it was."""

import json
from hashlib import sha256

from tests.support.needs import ROOT

VERSIONS = ROOT / "eventreg" / "migrations" / "versions"
DIGESTS = VERSIONS / "digests.json"


def test_landed_migrations_are_what_they_were_when_they_landed() -> None:
    """A new migration adds its line to digests.json; an existing line never changes."""
    digests = {path.name: sha256(path.read_bytes()).hexdigest() for path in sorted(VERSIONS.glob("*.py"))}
    assert json.loads(DIGESTS.read_text()) == digests
