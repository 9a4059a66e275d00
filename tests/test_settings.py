"""A bad setting stops the start with one sentence that names it."""

import stat

import pytest

from eventreg import create_app
from eventreg.errors import SettingError


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://root@localhost/x"),
        ("DATABASE_URL", "nonsense"),
        ("BASE_URL", "events.example.org"),
        ("BASE_URL", "https://example.org/?x=1"),
        ("BASE_URL", "https://example.org:port"),
        ("BASE_URL", "https://["),
        ("BASE_URL", "https://example.org/a b"),
        ("SECRET_KEY", "short"),
        ("DEFAULT_TIMEZONE", "Boston"),
        ("SITE_NAME", "  "),
        ("SITE_NAME", "\u3164"),
        ("SITE_NAME", "Events\nBcc: everybody@example.org"),
        ("MAIL_PORT", "99999"),
        ("MAIL_PORT", "smtp"),
        ("MAIL_TIMEOUT", "0"),
        ("MAIL_TIMEOUT", "nan"),
        ("MAIL_USE_TLS", "perhaps"),
        ("MAIL_DEFAULT_SENDER", "nobody"),
        ("MAIL_DEFAULT_SENDER", "bücher@example.org"),
        ("CONTACT_EMAIL", "bücher@example.org"),
        ("REPLY_ADDRESS", "antwört@example.org"),
        ("MAIL_SERVER", "ü" * 300),
        ("BASE_URL", "https://-ü.example"),
        ("REPLY_ADDRESS", "a@b@c"),
        ("REPLY_ADDRESS", f"{'r' * 38}@example.org"),
        ("REPLY_LMTP_PORT", "lmtp"),
        ("REPLY_IMAP_PORT", "0"),
        ("REPLY_IMAP_FOLDER", " "),
        ("REPLY_IMAP_SSL", "tls"),
        ("REDIS_URL", "http://localhost"),
        ("RATELIMIT_ENABLED", "maybe"),
        ("MIN_FILL_SECONDS", "-1"),
        ("FOLLOW_USER_AGENT", "Browser\nHost: x"),
        ("FOLLOW_USER_AGENT", "Brauser für alle"),
        ("FOLLOW_USER_AGENT", "x" * 301),
    ],
)
def test_bad_environment_value_is_named_in_one_sentence(tmp_path, monkeypatch, name, value) -> None:
    monkeypatch.setenv(f"EVENTREG_{name}", value)
    with pytest.raises(SettingError) as refused:
        create_app(instance_path=tmp_path)
    assert str(refused.value).startswith(f"{name} is set to ")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"HOST": "imap.example.org"}, "REPLY_IMAP_USER or REPLY_IMAP_PASSWORD is not"),
        (
            {"HOST": "h", "USER": "u", "PASSWORD": "p", "STARTTLS": "1"},
            "REPLY_IMAP_SSL and REPLY_IMAP_STARTTLS are both on",
        ),
    ],
)
def test_mailbox_half_described_is_refused(tmp_path, monkeypatch, given, words) -> None:
    for name, value in given.items():
        monkeypatch.setenv(f"EVENTREG_REPLY_IMAP_{name}", value)
    with pytest.raises(SettingError, match=words):
        create_app(instance_path=tmp_path)


def test_secrets_are_not_repeated_in_the_refusal(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("EVENTREG_DATABASE_URL", "oracle://scott:tiger@db/x")
    with pytest.raises(SettingError) as refused:
        create_app(instance_path=tmp_path)
    assert "tiger" not in str(refused.value)


def test_settings_that_contradict_each_other_are_named(tmp_path) -> None:
    with pytest.raises(SettingError, match="MAIL_USE_TLS and MAIL_USE_SSL"):
        create_app({"MAIL_USE_TLS": True, "MAIL_USE_SSL": True}, instance_path=tmp_path)


def test_environment_wins_over_instance_file_wins_over_default(tmp_path, monkeypatch) -> None:
    (tmp_path / "config.py").write_text('SITE_NAME = "From the file"\nMAIL_PORT = 2525\n')
    monkeypatch.setenv("EVENTREG_SITE_NAME", "From the environment")
    monkeypatch.setenv("EVENTREG_MAIL_PASSWORD", "1e5")
    app = create_app(instance_path=tmp_path)
    assert (app.config["SITE_NAME"], app.config["MAIL_PORT"], app.config["MAIL_TIMEOUT"]) == (
        "From the environment",
        2525,
        10.0,
    )
    assert app.config["MAIL_PASSWORD"] == "1e5", "a password is never read as a number"


def test_broken_instance_file_is_named(tmp_path) -> None:
    (tmp_path / "config.py").write_text("SITE_NAME = \n")
    with pytest.raises(SettingError, match=r"instance/config\.py cannot be read"):
        create_app(instance_path=tmp_path)


def test_secret_key_is_made_once_and_kept_for_its_owner_alone(tmp_path) -> None:
    first = create_app(instance_path=tmp_path).config["SECRET_KEY"]
    second = create_app(instance_path=tmp_path).config["SECRET_KEY"]
    assert first == second
    assert len(first) >= 48
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir() if "secret" in one.name] == ["secret_key"]


def test_hosts_of_settings_are_kept_in_ascii(tmp_path) -> None:
    """As mail headers, feeds and calendar entries take them, whatever script they were written in."""
    given = {
        "BASE_URL": "https://Bücher.example:8443/größe/",
        "MAIL_SERVER": "smtp.bücher.example",
        "MAIL_DEFAULT_SENDER": "Bücher <events@bücher.example>",
        "CONTACT_EMAIL": "\ufeffhelp\uff20bücher.example",
        "REPLY_ADDRESS": "rsvp@bücher.example",
    }
    config = create_app(given, instance_path=tmp_path).config
    assert {name: config[name] for name in given} == {
        "BASE_URL": "https://xn--bcher-kva.example:8443/gr%C3%B6%C3%9Fe",
        "MAIL_SERVER": "smtp.xn--bcher-kva.example",
        "MAIL_DEFAULT_SENDER": "Bücher <events@xn--bcher-kva.example>",
        "CONTACT_EMAIL": "help@xn--bcher-kva.example",
        "REPLY_ADDRESS": "rsvp@xn--bcher-kva.example",
    }


def test_sender_made_of_an_international_base_url_is_ascii(tmp_path) -> None:
    config = create_app({"BASE_URL": "https://bücher.example"}, instance_path=tmp_path).config
    assert config["MAIL_DEFAULT_SENDER"] == config["CONTACT_EMAIL"] == "events@xn--bcher-kva.example"
