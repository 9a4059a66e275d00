"""Whatever is sent anywhere gets an answer below 500, and never a traceback."""

import json
from itertools import product
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from eventreg.registrations.models import Registration
from tests.support import site
from tests.support.html import Page

HOSTILE = {
    "nul": "a\0b",
    "control characters": "\x01\x02\x1b[31m\x7f\x85",
    "a lone surrogate": "\ud800x",
    "a huge number": "1" + "0" * 30,
    "a negative number": "-99999999999999999999",
    "not a number": "nan",
    "long": "x" * 20_000,
    "markup": "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>",
    "header lines": "a\r\nBcc: sam@example.org\r\n\r\nbody",
    "a template": "{{ 7*7 }}{% print 7 %}${7*7}",
    "a path": "../../../../etc/passwd",
    "wide": "𝕏" * 300 + "\u202e\u2028\u2029",
    "the last year": "9999-12-31T23:59",
    "year nought": "0000-00-00T00:00",
    "spaces": " \t\n\u3000",
}
METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE")


def encoded(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"))


def assert_answered(response: Any, what: object) -> None:
    """503 is only the readiness check's, which has no worker here."""
    text = response.get_data(as_text=True) if response.mimetype.startswith("text/") else ""
    assert response.status_code < 500 or what == "/readyz", (what, response.status_code, text[:500])
    assert "Traceback" not in text, what


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_path_and_query_are_answered(kind: str, app, session, factory, olga) -> None:
    built = site.build(app, factory)
    value = encoded(HOSTILE[kind][:3000])
    for rule, address in built.addresses("GET"):
        assert_answered(olga.get(f"{address}?{everything_asked(value)}"), rule.rule)
        for name, argument in built.arguments(rule).items():
            if str(argument) in address:
                assert_answered(olga.get(replaced(address, argument, value)), (rule.rule, name))


def everything_asked(value: str) -> str:
    """The value for every parameter any page reads."""
    names = ("q", "category", "audience", "from", "to", "past", "page", "sort", "direction", "status", "before", "next")
    return "&".join(f"{name}={value}" for name in (*names, *names[:3], "x%00"))


def replaced(address: str, argument: object, value: str) -> str:
    head, tail = address.rsplit(str(argument), 1)
    return f"{head}{value}{tail}"


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_value_in_each_field_of_each_form_is_answered(kind: str, app, session, factory, olga) -> None:
    """Every form of every page Olga sees, one hostile field at a time, then all of them."""
    built = site.build(app, factory)
    value = HOSTILE[kind]
    seen: set[tuple[str, tuple[str, ...]]] = set()
    for _rule, address in built.addresses("GET"):
        response = olga.get(address)
        if response.mimetype != "text/html" or response.status_code != 200:
            continue
        page = Page.of(response)
        for form in page.forms:
            key = (form.action or address, tuple(form.names))
            if key in seen or "logout" in form.action:
                continue
            seen.add(key)
            names = [name for name in form.names if name != "csrf_token"]
            for changed in [names, *[[name] for name in names]]:
                data = [(name, value if name in changed else given) for name, given in form.data()]
                send(olga, form.method, form.action or address, data)


def send(client: Any, method: str, target: str, data: list[tuple[str, str]]) -> None:
    body = "&".join(f"{encoded(name)}={encoded(value)}" for name, value in data)
    if method == "get":
        response = client.get(f"{target.split('?', maxsplit=1)[0]}?{body[:6000]}")
    else:
        response = client.post(target, data=body, content_type="application/x-www-form-urlencoded")
    assert_answered(response, (target, [name for name, _value in data]))


@pytest.mark.sqlite_only
def test_every_method_on_every_address_is_answered(app, session, factory, olga) -> None:
    built = site.build(app, factory)
    for (rule, address), method in product(list(built.addresses("GET")), METHODS):
        assert_answered(olga.open(address, method=method), rule.rule)


BODIES = {
    "nothing": (b"", "application/x-www-form-urlencoded"),
    "a megabyte": (b"name=" + b"x" * 1_048_576, "application/x-www-form-urlencoded"),
    "json": (json.dumps({"name": "x"}).encode(), "application/json"),
    "broken json": (b"{", "application/json"),
    "xml": (b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>", "application/xml"),
    "broken multipart": (b"--x\r\nContent-Disposition: form-data; name=", "multipart/form-data; boundary=x"),
    "multipart without a boundary": (b"--x", "multipart/form-data"),
    "a thousand parts": (
        b"".join(b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n" for _ in range(1000)) + b"--x--",
        "multipart/form-data; boundary=x",
    ),
    "a file for each field": (
        b'--x\r\nContent-Disposition: form-data; name="name"; filename="../a\\b"\r\n\r\n1\r\n--x--',
        "multipart/form-data; boundary=x",
    ),
    "another charset": (b"name=%ff%fe%00", "application/x-www-form-urlencoded; charset=utf-7"),
    "no type": (b"name=x", ""),
}


@pytest.mark.sqlite_only
@pytest.mark.parametrize("body", BODIES)
def test_hostile_body_posted_anywhere_is_answered_and_changes_nothing(body: str, app, session, factory, olga) -> None:
    built = site.build(app, factory)
    content, content_type = BODIES[body]
    before = site.everything(session)
    for rule, address in built.addresses("POST", of=lambda rule: "logout" not in rule.rule):
        response = olga.post(address, data=content, content_type=content_type)
        assert_answered(response, rule.rule)
        assert response.status_code >= 300, rule.rule
        if body == "a megabyte":
            assert response.status_code in {400, 404, 413, 422}, rule.rule
    assert site.everything(session) == before


def test_party_or_field_missing_or_doubled_is_refused_by_name(client, session, make_event) -> None:
    event = make_event()
    page = Page.of(client.get(f"/events/{event.slug}/rsvp"))
    full = dict(page.form("rsvp").set(name="Amira", email="amira@example.org", rsvp="yes").data())
    for missing in ("name", "email", "rsvp"):
        response = client.post(
            f"/events/{event.slug}/rsvp", data={name: value for name, value in full.items() if name != missing}
        )
        assert (response.status_code, f'href="#{missing}' in response.text) == (422, True)
    doubled = {**full, "rsvp": ["perhaps", "yes"], "party_size": ["99", "1"]}
    assert client.post(f"/events/{event.slug}/rsvp", data=doubled).status_code == 422
    assert session.scalar(sa.select(sa.func.count()).select_from(Registration)) == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Sam\r\nBcc: everybody@example.org"),
        ("name", "Sam\nContent-Type: text/html\n\n<b>"),
        ("email", "sam@example.org\r\nBcc: everybody@example.org"),
        ("email", "sam@example.org, everybody@example.org"),
        ("email", '"a b"@example.org\nX: y'),
        ("email", "Sam <sam@example.org>"),
    ],
)
def test_header_lines_in_name_or_address_never_reach_a_mail_header(
    field, value, client, session, make_event, post
) -> None:
    event = make_event()
    page = Page.of(client.get(f"/events/{event.slug}/rsvp"))
    values = {"name": "Sam", "email": "sam@example.org", "rsvp": "yes", field: value}
    client.post(f"/events/{event.slug}/rsvp", data={**dict(page.form("rsvp").data()), **values})
    for mail in post():
        assert (mail["Bcc"], mail["X"], mail.get_content_type()) == (None, None, "multipart/mixed")
        assert [address.addr_spec for address in mail["To"].addresses] == ["sam@example.org"]


def test_hostile_words_stay_words_on_every_page_mail_file_and_export(
    client, session, make_event, make_organizer, post, olga
) -> None:
    markup = "<b>x</b>\"'><script>alert(1)</script>"
    calendar = "\r\nEND:VEVENT\r\nBEGIN:VALARM\r\nATTACH:https://evil.example\\n"
    event = make_event(
        title=f"T {markup}"[:200],
        summary=markup,
        description=f"{markup}\n\n[x](javascript:alert(1)) ![y](https://evil.example/pixel.png){calendar}",
        location_name=f"Room {markup}",
        category=markup[:60],
        audience=("a" + markup[:30],),
        questions=[{"label": f"Q {markup}", "hint": markup}],
    )
    page = Page.of(client.get(f"/events/{event.slug}/rsvp"))
    form = page.form("rsvp").set(
        name='=HYPERLINK("https://evil.example")' + markup, email="sam@example.org", rsvp="yes"
    )
    question = next(name for name in form.names if name.startswith("q-"))
    assert page.submit(client, form.fill(question, f"+cmd|' /C calc'!A0 {markup}{calendar}")).status_code == 303
    (mail,) = post()
    pages = [
        client.get(address).text
        for address in ("/", f"/events/{event.slug}", f"/events/{event.slug}/rsvp", "/feed.atom", "/calendar")
    ]
    pages += [
        olga.get(f"/organize/events/{event.slug}{rest}").text
        for rest in ("", "/attendees", "/edit", "/questions", "/history")
    ]
    pages.append(mail.get_body(("html",)).get_content())
    for text in pages:
        # The one script block that holds data escapes "<".
        assert ("<script>alert" in text, 'href="javascript:' in text, '<img src="https://evil' in text) == (False,) * 3
    for file in ("/calendar.ics", f"/events/{event.slug}.ics"):
        lines = client.get(file).text.splitlines()
        assert (lines.count("BEGIN:VALARM"), lines.count("END:VEVENT")) == (0, 1)
    csv_text = olga.get(f"/organize/events/{event.slug}/attendees.csv").text
    assert ("\n=HYPERLINK" in csv_text, ',"=HYPERLINK' in csv_text, ",=HYPERLINK" in csv_text) == (False, False, False)
