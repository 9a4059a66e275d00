"""A GET or HEAD never changes anything: not by a crawler, not by a mail scanner that follows every link."""

import re
from email.message import EmailMessage

import pytest

from eventreg.db import write_transaction
from eventreg.registrations import service
from eventreg.registrations.service import AnswerForm
from tests.support import site


@pytest.mark.parametrize("visitor", ["stranger", "Olga"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_reading_any_address_changes_nothing(
    method, visitor, app, session, factory, make_client, make_organizer, sign_in
) -> None:
    built = site.build(app, factory)
    client = make_client()
    if visitor == "Olga":
        sign_in(client)
    before = site.everything(session)
    answers = {}
    for rule, address in built.addresses("GET"):
        answers[rule.rule] = client.open(address, method=method).status_code
    assert site.everything(session) == before
    # Without a worker the service says that it is not ready.
    assert {rule: status for rule, status in answers.items() if status >= 500} == {"/readyz": 503}


def links_in(message: EmailMessage) -> set[str]:
    """Every address of this site that a scanner would find in any text part."""
    found: set[str] = set()
    for part in message.walk():
        if part.get_content_maintype() == "text":
            content = part.get_content()
            text = content if isinstance(content, str) else content.decode()
            found |= set(re.findall(r"https://events\.example\.org[^\s\"'<>)\]]*", text.replace("\r\n ", "")))
    return found


def test_mail_scanner_that_follows_every_mailed_link_changes_nothing(client, session, factory, now, post) -> None:
    event = factory.event(title="Anniversary", capacity=1)
    for name, email in (("Amira", "amira@example.org"), ("Wim", "wim@example.org")):
        with write_transaction(session):
            form = AnswerForm(name=name, email=email, rsvp="yes")
            service.register(session, event_id=event.id, form=form, now=now)
    with write_transaction(session):
        service.send_lost_links(session, email_key="amira@example.org", now=now)
    messages = post()
    assert len(messages) == 3
    before = site.everything(session)
    links = sorted({link for message in messages for link in links_in(message)})
    assert len([link for link in links if "/r/" in link]) >= 2
    statuses = {}
    for link in links:
        for method in ("GET", "HEAD"):
            path = link.removeprefix("https://events.example.org")
            statuses[method, link] = client.open(path, method=method, follow_redirects=True).status_code
    assert {key: status for key, status in statuses.items() if status != 200} == {}
    assert site.everything(session) == before
