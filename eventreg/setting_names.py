"""Finds misspelt settings: a name that no setting has and that is close to one, with the name that was probably meant.

Other names are left alone: Flask and its libraries have hundreds, and Kubernetes puts EVENTREG_PORT_… of its own
making into the environment of a service that is called eventreg.
"""

import ast
import os
from collections.abc import Collection, Iterator
from difflib import get_close_matches
from pathlib import Path

from flask import Flask

CLOSE = 0.8
"""Of difflib's ratio, which is 0.96 for two letters in the wrong order."""
CLOSE_TO_A_LIBRARY = 0.9
LIBRARIES = ("SQLALCHEMY_", "SECURITY_", "RATELIMIT_", "SESSION_", "WTF_", "BABEL_", "REMEMBER_COOKIE_", "TEMPLATES_")
"""Names that begin like these are a library's, unless they are very close to one of ours."""
FLASK_MAIL = frozenset(
    {"MAIL_ASCII_ATTACHMENTS", "MAIL_BACKEND", "MAIL_DEBUG", "MAIL_LOCAL_HOSTNAME", "MAIL_MAX_EMAILS"}
    | {"MAIL_SUPPRESS_SEND", "MAIL_SSL_KEYFILE", "MAIL_SSL_CERTFILE"}
)
ENVIRONMENT_ONLY = frozenset({"INSTANCE_PATH"})


def misspelt(app: Flask, settings: Collection[str], *, prefix: str) -> list[str]:
    """One sentence for each misspelt name in the environment and in `instance/config.py`."""
    known = {*settings, *ENVIRONMENT_ONLY}
    harmless = known | FLASK_MAIL | {name for name in Flask.default_config if name not in settings}
    file = Path(app.instance_path) / "config.py"
    return [
        *_in_environment(known, harmless, f"{prefix}_"),
        *(
            f"{name} in {file} is no setting and is ignored: is {meant} meant?"
            for name in _assigned(file)
            if (meant := _meant(name, set(settings), harmless)) is not None
        ),
    ]


def _in_environment(known: set[str], harmless: set[str], prefix: str) -> Iterator[str]:
    names = {f"{prefix}{name}" for name in known}
    for given in sorted(os.environ):
        if given in names or not given.upper().startswith(prefix[:5]):
            continue
        if given.startswith(prefix):
            short = _meant(given.removeprefix(prefix), known, harmless)
            meant = None if short is None else f"{prefix}{short}"
        else:
            meant = next(iter(get_close_matches(given.upper(), names, n=1, cutoff=CLOSE_TO_A_LIBRARY)), None)
        if meant is not None:
            yield f"{given} in the environment is no setting and is ignored: is {meant} meant?"


def _meant(name: str, known: set[str], harmless: set[str]) -> str | None:
    """The setting that was probably meant by a name; None when it is no misspelling.

    >>> known = {"MAIL_USE_TLS", "BASE_URL", "RATELIMIT_ENABLED"}
    >>> [_meant(name, known, known) for name in ("MAIL_USE_TSL", "baseurl", "BASE_URL", "RATELIMIT_ENABLD")]
    ['MAIL_USE_TLS', 'BASE_URL', None, 'RATELIMIT_ENABLED']
    >>> [_meant(name, known, known) for name in ("RATELIMIT_HEADERS_ENABLED", "PORT_8000_TCP", "SQLALCHEMY_ECHO")]
    [None, None, None]
    """
    if name in harmless:
        return None
    cutoff = CLOSE_TO_A_LIBRARY if name.upper().startswith(LIBRARIES) else CLOSE
    return next(iter(get_close_matches(name.upper(), sorted(known), n=1, cutoff=cutoff)), None)


def _assigned(file: Path) -> list[str]:
    """The names a configuration file gives values to. In small letters Flask ignores them, so they may be helpers."""
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return []
    targets = [
        target
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    ]
    names = dict.fromkeys(target.id for target in targets if isinstance(target, ast.Name))
    return [name for name in names if name.upper() not in names or name.isupper()]
