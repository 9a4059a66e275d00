"""PostgreSQL crashes and is restarted while people register; the server is the test's own."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from eventreg import clock
from eventreg.events.models import Event
from tests.support import making
from tests.support.clusters import Cluster, running_cluster
from tests.support.html import Page
from tests.support.live import LiveServer
from tests.support.load import NOT_READY, Load, Promise, Visitor, heading
from tests.support.promises import assert_kept
from tests.support.smtp import SmtpServer, wait_until

pytestmark = pytest.mark.postgresql


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with running_cluster() as made:
        yield made


@pytest.fixture
def database_url(cluster: Cluster, tmp_path: Path) -> str:
    making.migrate(cluster.url, tmp_path)
    return cluster.url


def test_a_crash_of_postgresql_is_a_clear_page_and_the_service_resumes_by_itself(
    cluster: Cluster,
    make_live_server: Callable[..., LiveServer],
    session: Session,
    make_event: Callable[..., Event],
    smtp_server: SmtpServer,
) -> None:
    event = make_event(capacity=30, starts_at=clock.now() + timedelta(days=30), questions=[])
    event_id, shown, path = event.id, f"/events/{event.slug}", f"/events/{event.slug}/rsvp"
    session.rollback()
    server = make_live_server()
    amira = Visitor()
    for _ in range(10):  # so that each web process keeps the page
        assert amira.send(server.url(shown))[0] == 200
    form = amira.fill_in(server.url(path), name="Amira <Haddad>", email="amira@example.org", rsvp="yes")
    with Load([server.base_url], path) as load:
        for how in ("immediate", "fast"):
            load.wait_for(5)
            cluster.stop(how=how)
            load.wait_for_refusals(4)
            if how == "immediate":
                assert amira.send(server.url("/healthz"))[0] == 200
                assert amira.send(server.url("/readyz"))[0] == 503
                status, page, _headers = amira.send(server.url(shown))
                assert (status, heading(page)) == (503, NOT_READY)
                status, page, headers = amira.post(server.url(path), form)
                assert (status, headers["Retry-After"], headers["Cache-Control"]) == (503, "10", "no-store")
            cluster.start()
        load.wait_for(5)
        load.stop()

    # What Amira typed stands on the page that could not take it, and is sent with one press.
    kept = Page(page, path).form("email")
    assert (kept.action, kept.data()) == (path, form.data())
    status, thanks, _headers = amira.post(server.url(kept.action), kept)
    assert status == 200
    assert {(one.status, one.heading) for one in load.refusals} == {(503, NOT_READY)}
    load.promises.append(Promise("amira@example.org", heading(thanks), 0, repeated=True))
    assert_kept(session, event_id, load, smtp_server)
    wait_until(lambda: amira.send(server.url("/readyz"))[0] == 200, what="being ready")
    assert "Traceback" not in server.log
