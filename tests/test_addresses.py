"""Addresses as settings give them."""

from tests.support.html import Page


def test_contact_given_with_a_name_is_a_plain_link(make_app, tmp_path) -> None:
    client = make_app(CONTACT_EMAIL="Events office <events@example.org>").test_client()
    assert Page.of(client.get("/privacy")).link("events@example.org") == "mailto:events@example.org"
