"""What every answer keeps shut: headers, cookies, addresses that only BASE_URL may make."""

import pytest

from tests.support import site
from tests.support.html import Page

EXPECTED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
}
HAS_FORM = ("/events/<slug>/rsvp", "/r/<token>", "/lost-link", "/auth/", "/organize", "/undo/", "/confirm/")


@pytest.mark.sqlite_only
def test_every_answer_carries_the_security_headers(app, session, factory, olga) -> None:
    built = site.build(app, factory)
    addresses = [address for _rule, address in built.addresses("GET")]
    for address in [*addresses, "/nowhere", "/events/nothing", "/r/forged", "/organize/events/nothing", "/a%00b"]:
        headers = olga.get(address).headers
        assert {name: headers.get(name) for name in EXPECTED} == EXPECTED, address
        assert headers["Strict-Transport-Security"].startswith("max-age=31536000"), address


@pytest.mark.sqlite_only
def test_site_that_is_not_on_https_does_not_ask_browsers_for_it(make_app, make_client) -> None:
    app = make_app(BASE_URL="http://127.0.0.1:8000")
    assert "Strict-Transport-Security" not in make_client(app).get("/").headers


@pytest.mark.sqlite_only
def test_public_page_without_a_form_sets_no_cookie_and_those_with_one_guard_it(
    app, session, factory, make_client
) -> None:
    built = site.build(app, factory)
    for rule, address in built.addresses("GET"):
        cookies = make_client().get(address).headers.getlist("Set-Cookie")
        if not rule.rule.startswith(HAS_FORM):
            assert cookies == [], rule.rule
        for cookie in cookies:
            assert all(word in cookie for word in ("HttpOnly", "Secure", "SameSite=Lax")), (rule.rule, cookie)


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"X-Forwarded-Host": "evil.example", "Host": "x"}])
@pytest.mark.sqlite_only
def test_host_header_never_appears_in_anything_that_is_answered(headers, app, session, factory, olga) -> None:
    built = site.build(app, factory)
    for rule, address in built.addresses("GET"):
        response = olga.get(address, headers=headers)
        answered = response.get_data() + repr(list(response.headers)).encode()
        assert b"evil.example" not in answered, rule.rule


def test_host_header_of_the_rsvp_never_reaches_the_mail(client, make_event, post) -> None:
    event = make_event()
    page = Page.of(client.get(f"/events/{event.slug}/rsvp", base_url="https://evil.example"))
    form = page.form("rsvp").set(name="Amira", email="amira@example.org", rsvp="yes")
    page.submit(client, form, base_url="https://evil.example", headers={"Referer": "https://evil.example/"})
    (mail,) = post()
    assert ("evil.example" in mail.as_string(), "events.example.org" in mail.as_string()) == (False, True)


@pytest.mark.sqlite_only
def test_every_post_without_its_token_is_refused_and_changes_nothing(app, session, factory, olga) -> None:
    built = site.build(app, factory)
    before = site.everything(session)
    for rule, address in built.addresses("POST"):
        response = olga.post(address, data={"name": "x", "email": "x@example.org", "rsvp": "no"})
        assert 400 <= response.status_code < 500, (rule.rule, response.status_code)
    assert site.everything(session) == before


def test_what_belongs_to_others_is_unknown(app, session, factory, make_client, sign_in) -> None:
    """Olga's events and their people, asked for by another organizer."""
    built = site.build(app, factory)
    other = factory.event(title="Sam's own", organizer=factory.organizer("sam@example.org", name="Sam"))
    sam = make_client()
    sign_in(sam, "sam@example.org")
    for method in ("GET", "POST"):
        for rule, address in built.addresses(method, of=lambda rule: "/events/<slug>" in rule.rule):
            if rule.rule.startswith("/organize/"):
                assert (method, rule.rule, sam.open(address, method=method).status_code) in {
                    (method, rule.rule, 404),
                    (method, rule.rule, 400),  # refused before it was looked for: no token
                }
    # Somebody else's registration under an event of one's own.
    address = f"/organize/events/{other.slug}/attendees/{built.amira.id}"
    assert sam.get(address).status_code == 404


@pytest.mark.sqlite_only
def test_join_link_and_attendees_are_on_no_public_page_or_feed(app, session, factory, client) -> None:
    built = site.build(app, factory)
    theirs = ("/r/", "/my/", "/undo/", "/confirm/")
    for rule, address in built.addresses("GET", of=lambda rule: not rule.rule.startswith(theirs)):
        text = client.get(address).get_data(as_text=True) if "static" not in rule.endpoint else ""
        found = [word for word in (site.JOIN_LINK, "amira@", "Amira", "Wim", "wim@") if word in text]
        assert found == [], rule.rule
