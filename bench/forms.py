"""Answers as people give them: the form is fetched with its cookie and token, filled in and sent back."""

import itertools
import re
from collections.abc import Iterable, Sequence
from urllib.parse import urlencode

from bench import client
from bench.client import Address, Answer, LoadError

TOKEN = re.compile(rb'name="csrf_token"[^>]*value="([^"]+)"|value="([^"]+)"[^>]*name="csrf_token"')
_people = itertools.count(1)


def filled_in(address: Address, slugs: Sequence[str], *, count: int) -> list[bytes]:
    """POSTs ready to be sent, each from a visitor of their own, spread over the events in turn."""
    chosen = list(itertools.islice(itertools.cycle(slugs), count))
    pages = client.fetch(address, (address.get(_path(slug)) for slug in chosen))
    return [_answer(address, slug, page) for slug, page in zip(chosen, pages, strict=True)]


def _answer(address: Address, slug: str, page: Answer) -> bytes:
    token = TOKEN.search(page.body)
    question = re.search(rb'name="(q-\d+)"', page.body)
    if page.status != 200 or token is None or question is None:
        raise LoadError(f"the form of {slug} was answered with {page.status} and cannot be filled in")
    number = next(_people)
    form = {
        "csrf_token": (token[1] or token[2]).decode(),
        "name": f"Amira Zoë Haddad {number}",
        "email": f"amira.{number}@bench.example.org",
        "rsvp": "yes",
        "party_size": "1",
        question[1].decode(): "Vegetarian, no nuts",
    }
    cookie = page.header("Set-Cookie").partition(";")[0]
    return address.post(_path(slug), urlencode(form).encode(), Cookie=cookie)


def slugs(events: Iterable[dict[str, object]]) -> list[str]:
    """The events' addresses."""
    return [str(event["slug"]) for event in events]


def _path(slug: str) -> str:
    return f"/events/{slug}/rsvp"
