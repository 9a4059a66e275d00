"""Which addresses are asked."""

from ipaddress import ip_address

import pytest

from eventreg.errors import InvalidField
from eventreg.following.addresses import is_public, normalised


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (" https://example.org/cal.ics ", "https://example.org/cal.ics"),
        ("webcal://Example.org/cal.ics?a=1&b=%C3%A9#top", "https://example.org/cal.ics?a=1&b=%C3%A9"),
        ("webcals://example.org", "https://example.org/"),
        ("https://example.org:443/ä b".replace(" ", "%20"), "https://example.org/%C3%A4%20b"),
        ("https://bücher.example./x", "https://xn--bcher-kva.example/x"),
    ],
)
def test_address_is_the_https_one_that_is_meant(written: str, meant: str) -> None:
    assert normalised(written, own_host="events.example.org") == meant


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ("", "without blanks"),
        ("https://example.org/a b", "without blanks"),
        ("https://example.org/a\nHost: x", "without blanks"),
        ("http://example.org/cal.ics", "must begin with https"),
        ("file:///etc/passwd", "must begin with https"),
        ("javascript:alert(1)", "must begin with https"),
        ("https://me:secret@example.org/", "name and password"),
        ("https://example.org:8443/", "must not name a port"),
        ("https://example.org:port/", "no address that can be opened"),
        ("https:///cal.ics", "no address that can be opened"),
        ("https://[::1/", "no address that can be opened"),
        ("https://Events.Example.org/calendar.ics", "address of this site"),
        ("https://example.org/" + "x" * 2000, "without blanks"),
    ],
)
def test_address_that_is_not_asked_is_refused_in_words(written: str, fault: str) -> None:
    with pytest.raises(InvalidField, match=fault) as refused:
        normalised(written, own_host="events.example.org")
    assert refused.value.field == "url"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
        "169.254.169.254", "100.64.0.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "192.0.2.1",
        "198.18.0.1", "::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "2002:7f00:1::", "2002:a00:1::", "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2001:0:1::1", "fec0::1", "feff::1", "::ffff:0:127.0.0.1", "3fff::1",
        "5f00::1", "192.0.0.8", "192.0.0.170", "192.88.99.1", "2002:c000:8::1",
    ],
)  # fmt: skip
def test_our_own_and_our_neighbours_machines_are_not_public(address: str) -> None:
    assert is_public(ip_address(address), 443) is False


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::5db8:d822"])
def test_strangers_machines_are_public_on_the_one_port(address: str) -> None:
    assert [is_public(ip_address(address), port) for port in (443, 80, 22, 8443)] == [True, False, False, False]
