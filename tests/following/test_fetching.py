"""A calendar fetched from a real https server, which may be up to anything."""

import gzip
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from importlib.metadata import version

import pytest

from eventreg.following import rounds
from eventreg.following.fetching import Fetched, Fetcher, FetchError
from tests.support.https import HttpsServer, sending

CALENDAR = b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"


def refusal(fetcher: Fetcher, url: str) -> str:
    with pytest.raises(FetchError) as refused:
        fetcher.fetch(url)
    return str(refused.value)


def test_calendar_comes_with_what_is_sent_back_next_time(server: HttpsServer, fetcher: Fetcher) -> None:
    server.pages["/cal.ics?a=1"] = sending(CALENDAR, ETag='"v1"', Last_Modified="Mon, 05 Oct 2026 16:00:00 GMT")
    url = server.url("/cal.ics?a=1")
    assert fetcher.fetch(url) == Fetched(CALENDAR, '"v1"', "Mon, 05 Oct 2026 16:00:00 GMT")
    server.pages["/cal.ics?a=1"] = sending(b"", 304)
    assert fetcher.fetch(url, etag='"v1"', last_modified="Mon, 05 Oct 2026 16:00:00 GMT") == Fetched(None)
    first, second = (headers for _path, headers in server.asked)
    assert (first.get("If-None-Match"), first["Host"]) == (None, f"localhost:{server.port}")
    assert (second["If-None-Match"], second["If-Modified-Since"]) == ('"v1"', "Mon, 05 Oct 2026 16:00:00 GMT")


def test_packed_calendar_is_unpacked(server: HttpsServer, fetcher: Fetcher) -> None:
    server.pages["/c"] = sending(gzip.compress(CALENDAR * 5000), Content_Encoding="gzip")
    assert fetcher.fetch(server.url("/c")).data == CALENDAR * 5000


def test_what_goes_on_behind_a_packed_calendar_is_not_waited_for(server: HttpsServer, fetcher: Fetcher) -> None:
    ended = threading.Event()

    def endless(handler: BaseHTTPRequestHandler) -> None:
        try:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(CALENDAR))
            while not server.stopping.wait(0.01):
                handler.wfile.write(b"x" * 4096)
        finally:
            ended.set()

    server.pages["/c"] = endless
    assert fetcher.fetch(server.url("/c")).data == CALENDAR
    assert ended.wait(10)


def test_calendar_in_chunks_is_put_together(server: HttpsServer, fetcher: Fetcher) -> None:
    def chunks(handler: BaseHTTPRequestHandler) -> None:
        handler.protocol_version = "HTTP/1.1"
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for part in (CALENDAR[:7], CALENDAR[7:]):
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        handler.wfile.write(b"0\r\n\r\n")

    server.pages["/c"] = chunks
    assert fetcher.fetch(server.url("/c")).data == CALENDAR


def test_redirects_are_followed_three_times(server: HttpsServer, fetcher: Fetcher) -> None:
    for turn in range(3):
        server.pages[f"/{turn}"] = sending(b"", 302, Location=f"/{turn + 1}")
    server.pages["/3"] = sending(CALENDAR)
    assert fetcher.fetch(server.url("/0")).data == CALENDAR
    server.pages["/3"] = sending(b"", 301, Location="/4")
    assert "more than 3 times" in refusal(fetcher, server.url("/0"))


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("http://localhost/x", "not https"),
        ("file:///etc/passwd", "not https"),
        ("https://me:pw@localhost/x", "not https"),
        ("https://events.example.org/calendar.ics", "address of this site"),
        ("", "more than 3 times"),
    ],
)
def test_redirect_to_what_may_not_be_asked_is_refused(
    server: HttpsServer, fetcher: Fetcher, target: str, words: str
) -> None:
    server.pages["/c"] = sending(b"", 302, Location=target)
    assert words in refusal(fetcher, server.url("/c"))


def test_every_step_is_judged_before_anything_is_said(server: HttpsServer) -> None:
    judged: list[tuple[str, int]] = []

    def only_the_first(address: object, port: int) -> bool:
        judged.append((str(address), port))
        return len(judged) == 1

    server.pages["/c"] = sending(b"", 302, Location=server.url("/secret"))
    server.pages["/secret"] = sending(CALENDAR)
    strict = Fetcher(own_host="x.example", is_allowed=only_the_first, trust=server.trust)
    assert "not found on the public internet" in refusal(strict, f"https://localhost:{server.port}/c")
    assert (judged[0], [path for path, _headers in server.asked]) == (("127.0.0.1", server.port), ["/c"])


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]", "0.0.0.0", "2130706433", "0x7f000001"])
def test_our_own_machine_is_never_asked(server: HttpsServer, name: str) -> None:
    usual = Fetcher(own_host="x.example", trust=server.trust)
    said = refusal(usual, server.url("/c", name))
    assert said == f"{name.strip('[]')} was not found on the public internet. Check the address."
    assert server.asked == []


def test_name_that_does_not_exist_is_refused_like_one_that_is_private(
    server: HttpsServer, caplog: pytest.LogCaptureFixture
) -> None:
    usual = Fetcher(own_host="x.example", trust=server.trust)
    names = ["localhost", "nowhere.invalid", "x" * 64 + ".example"]
    answers = {refusal(usual, f"https://{name}/c").replace(name, "NAME") for name in names}
    assert answers == {"NAME was not found on the public internet. Check the address."}
    lines = [record.getMessage() for record in caplog.records]
    assert "localhost is not asked: it resolves to" in lines[0]
    assert "nowhere.invalid is not asked: [Errno" in lines[1]


def test_redirect_to_a_private_name_is_refused_like_one_to_a_name_that_does_not_exist(server: HttpsServer) -> None:
    first = Fetcher(own_host="x.example", is_allowed=lambda _a, port: port == server.port, trust=server.trust)
    answers = set()
    for name in ("localhost", "nowhere.invalid"):
        server.pages["/c"] = sending(b"", 302, Location=f"https://{name}/c")
        answers.add(refusal(first, server.url("/c")).replace(name, "NAME"))
    assert answers == {"NAME was not found on the public internet. Check the address."}


def test_server_is_told_which_program_asks(server: HttpsServer) -> None:
    server.pages["/c"] = sending(CALENDAR)
    agent = "Mozilla/5.0 (compatible; eventreg/1.0; +https://events.example.org/)"
    Fetcher(own_host="x.example", agent=agent, is_allowed=lambda _a, _p: True, trust=server.trust).fetch(
        server.url("/c")
    )
    assert server.asked[0][1]["User-Agent"] == agent


def test_agent_names_program_version_and_site_unless_it_is_set(app, make_app) -> None:
    usual = f"Mozilla/5.0 (compatible; eventreg/{version('eventreg')}; +https://events.example.org/)"
    assert rounds.fetcher_of(app).agent == usual
    assert rounds.fetcher_of(make_app(FOLLOW_USER_AGENT="Curl/8")).agent == "Curl/8"


def test_proxy_of_the_environment_is_not_used(server: HttpsServer, fetcher: Fetcher, monkeypatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    server.pages["/c"] = sending(CALENDAR)
    assert fetcher.fetch(server.url("/c")).data == CALENDAR


def test_certificate_must_be_valid_for_the_name(server: HttpsServer, fetcher: Fetcher) -> None:
    server.pages["/c"] = sending(CALENDAR)
    assert "certificate is not valid" in refusal(fetcher, server.url("/c", "127.0.0.1"))
    stranger = Fetcher(own_host="x.example", is_allowed=lambda _a, _p: True, trust=ssl.create_default_context())
    assert "certificate is not valid" in refusal(stranger, server.url("/c"))
    assert server.asked == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (sending(b"gone", 404), r"not there any more \(its server says 404\)"),
        (sending(b"gone", 410), r"not there any more \(its server says 410\)"),
        (sending(b"no", 403), r"refuses this program \(403\)\. Ask its owner to allow it, .* FOLLOW_USER_AGENT"),
        (sending(b"no", 406), r"refuses this program \(406\)"),
        (sending(b"no", 401), r"asks for a password \(401\)"),
        (sending(b"no", 429), r"come back later \(429\)"),
        (sending(b"no", 503), r"come back later \(503\)"),
        (sending(b"oops", 500), r"answers with an error \(500\)"),
        (sending(b"<html>Sign in</html>"), "no calendar"),
        (sending(b"x" * 2000 + CALENDAR), "no calendar"),
        (sending(CALENDAR, Content_Length="500"), "broke off"),
        (sending(b"no gzip at all", Content_Encoding="gzip"), "damaged"),
        (sending(gzip.compress(CALENDAR)[:-12], Content_Encoding="gzip"), "only in part"),
        (sending(CALENDAR, Content_Encoding="br"), "packs it"),
        (sending(CALENDAR + b" " * 2_000_000), "larger than 1 MB"),
        (sending(gzip.compress(CALENDAR + b" " * 50_000_000), Content_Encoding="gzip"), "larger than 1 MB"),
        (lambda handler: handler.wfile.write(b"garbage\r\n\r\n"), "broke off"),
        (lambda handler: handler.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n"), "broke off"),
        (lambda _handler: None, "broke off"),
    ],
)
def test_what_is_not_as_it_should_be_is_said_in_words(
    server: HttpsServer, answer: Callable[[BaseHTTPRequestHandler], None], words: str
) -> None:
    server.pages["/c"] = answer
    small = Fetcher(own_host="x.example", is_allowed=lambda _a, _p: True, trust=server.trust, most_bytes=1024 * 1024)
    with pytest.raises(FetchError, match=words):
        small.fetch(server.url("/c"))


@pytest.mark.parametrize("beginning", [b"HTTP/1.1 200 OK\r\n\r\nBEGIN:VCALENDAR\r\n", b"HTTP/1.1 200 OK\r\nX: "])
def test_answer_that_drips_is_ended_when_the_time_is_over(server: HttpsServer, beginning: bytes) -> None:
    ended = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        try:
            handler.wfile.write(beginning)
            while not server.stopping.wait(0.05):
                handler.wfile.write(b"x")
        finally:
            ended.set()

    server.pages["/c"] = drip
    hasty = Fetcher(own_host="x.example", is_allowed=lambda _a, _p: True, trust=server.trust, total_seconds=0.6)
    assert "did not come within 1 seconds" in refusal(hasty, server.url("/c"))
    assert ended.wait(10)


def test_nobody_at_home_is_said(server: HttpsServer, fetcher: Fetcher) -> None:
    assert "could not be reached" in refusal(fetcher, "https://localhost:1/c")
