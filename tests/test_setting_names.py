"""A misspelt setting is named at the start, with the one that was probably meant; other programs' names are not."""

from pathlib import Path

import pytest
from flask import Flask

from eventreg import create_app, settings
from eventreg.errors import SettingError
from tests.support.forked import run_forked

pytestmark = pytest.mark.sqlite_only


def in_environment(monkeypatch: pytest.MonkeyPatch, folder: Path, name: str) -> list[str]:
    monkeypatch.setenv(name, "1")
    return settings.misspelt(create_app(instance_path=folder))


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("EVENTREG_MAIL_USE_TSL", "EVENTREG_MAIL_USE_TLS"),
        ("EVENTREG_MAIL_SEVER", "EVENTREG_MAIL_SERVER"),
        ("EVENTREG_MAILSERVER", "EVENTREG_MAIL_SERVER"),
        ("EVENTREG_BASEURL", "EVENTREG_BASE_URL"),
        ("EVENTREG_BASE_URI", "EVENTREG_BASE_URL"),
        ("EVENTREG_TRUSTED_PROXY", "EVENTREG_TRUSTED_PROXIES"),
        ("EVENTREG_RATELIMIT_ENABLE", "EVENTREG_RATELIMIT_ENABLED"),
        ("EVENTREG_mail_server", "EVENTREG_MAIL_SERVER"),
        ("EVENTREG_MAIL__SERVER", "EVENTREG_MAIL_SERVER"),
        ("EVENTREG_INSTANCE_PTAH", "EVENTREG_INSTANCE_PATH"),
        ("EVENTREQ_MAIL_SERVER", "EVENTREG_MAIL_SERVER"),
        ("EVENT_REG_DATABASE_URL", "EVENTREG_DATABASE_URL"),
    ],
)
def test_misspelt_name_in_the_environment_is_named_with_the_nearest(
    given: str, meant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert in_environment(monkeypatch, tmp_path, given) == [
        f"{given} in the environment is no setting and is ignored: is {meant} meant?"
    ]


@pytest.mark.parametrize(
    "given",
    [
        "EVENTREG_SQLALCHEMY_ECHO",
        "EVENTREG_SECURITY_PASSWORD_LENGTH_MIN",
        "EVENTREG_RATELIMIT_HEADERS_ENABLED",
        "EVENTREG_SESSION_COOKIE_NAME",
        "EVENTREG_SECRET_KEY_FALLBACKS",
        "EVENTREG_MAIL_MAX_EMAILS",
        "EVENTREG_MAIL_DEBUG",
        "EVENTREG_PREFERRED_URL_SCHEME",
        "EVENTREG_PORT_8000_TCP_ADDR",
        "EVENTREG_SERVICE_HOST",
        "EVENTS_URL",
        "EVENTREG_DEMO",
    ],
)
def test_other_name_in_the_environment_is_left_alone(
    given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert in_environment(monkeypatch, tmp_path, given) == []


def test_misspelt_names_in_the_instance_file_are_named(tmp_path: Path) -> None:
    (tmp_path / "config.py").write_text(
        'MAIL_SEVER = "smtp.example.org"\nsite_name = "Small letters"\nSECURITY_ZXCVBN_MINIMUM_SCORE = 1\n'
        'base_url = "https://example.org"\nBASE_URL = base_url\nif True:\n    MAIL_PROT: int = 587\n'
    )
    file = tmp_path / "config.py"
    assert settings.misspelt(create_app(instance_path=tmp_path)) == [
        f"{name} in {file} is no setting and is ignored: is {meant} meant?"
        for name, meant in [("MAIL_SEVER", "MAIL_SERVER"), ("site_name", "SITE_NAME"), ("MAIL_PROT", "MAIL_PORT")]
    ]


def test_name_with_parts_is_refused_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENTREG_SITE_NAME__X", "1")
    with pytest.raises(SettingError, match="two underscores in a row"):
        create_app(instance_path=tmp_path)


@pytest.mark.parametrize("words", [["serve", "--port", "0"], ["worker"], ["run-demo", "--port", "0"], ["doctor"]])
def test_command_says_it_on_standard_error(words: list[str], app: Flask, instance: Path) -> None:
    # A database that cannot be there ends each command after its warning.
    done = run_forked(*words, instance=instance, DATABASE_URL="sqlite:////nowhere/x.db", MAIL_USE_TSL="1")
    sentence = "EVENTREG_MAIL_USE_TSL in the environment is no setting and is ignored: is EVENTREG_MAIL_USE_TLS meant?"
    line = done.stderr.splitlines()[0]
    assert line == (sentence if words == ["doctor"] else f"eventreg: Warning: {sentence}")
    assert done.returncode == 1
