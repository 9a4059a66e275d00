"""Why a mark is missed, as far as a profile can say: put below the table, instead of a softer mark."""

import subprocess
import sys
from collections.abc import Iterable

from bench import servers
from bench.databases import ROOT

PROFILES = {
    "event-page": "event-page",
    "listing": "listing",
    "feed": "feed-304",
    "rsvp-sqlite": "rsvp",
    "rsvp-crowd": "rsvp",
    "rsvp-postgresql": "rsvp",
}
"""The profile that explains a figure; see `bench.profiles`."""
LINES = 18
SECONDS = 180


def reasons(names: Iterable[str]) -> list[str]:
    """One piece of Markdown for each profile that explains one of the figures."""
    names = set(names)
    pieces = [
        f"Where the time of a request goes (`python -m bench.profiles {profile}`), by own time:\n\n"
        f"```\n{_own_time(profile)}\n```"
        for profile in dict.fromkeys(PROFILES[name] for name in PROFILES if name in names)
    ]
    if "memory" in names:
        pieces.append(
            f"What a web process loads, in MB of resident memory by library:\n\n```\n{_said('bench.loaded')}\n```"
        )
    return pieces


def _own_time(profile: str) -> str:
    said = _said("bench.profiles", profile).splitlines()
    starts = [number for number, line in enumerate(said) if line.lstrip().startswith("ncalls")]
    chosen = said[starts[-1] : starts[-1] + LINES] if starts else []
    return "\n".join(line[:140] for line in [*said[:1], *chosen])


def _said(module: str, *arguments: str) -> str:
    """What a program of the benchmark prints; its complaint where it does not work."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env=servers.clean_environment(),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"{module} took longer than {SECONDS} s"
    return (done.stdout or done.stderr).strip()
