"""Every kind of page: accessible in light and dark, on a phone and a desk, light on the wire, quiet."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from eventreg import clock
from tests.browser.conftest import CELEBRATION, DemoSite
from tests.browser.test_journey import manage_link

WAITLISTED = "grand-rounds-listening-before-treating"
FULL = "workshop-teaching-at-the-bedside-without-losing-the-patient"
CANCELLED = "chamber-music-in-the-atrium"
NOT_OPEN = "community-service-day"
HOSTILE = "tea-talk-and-a-back-slash-zoe-e"
PAST = "white-coat-welcome"
ONLINE = "online-writing-your-first-grant-from-the-reviewer-s-side"
ON_APPROVAL = "mentors-supper"
DRAFT = "retreat-for-program-directors"
DESK = f"/organize/events/{CELEBRATION}"
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
COLOUR_RULES = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
"""All that can change when nothing but the colours do."""
LOOKS = [(scheme, width) for width in (360, 1280) for scheme in ("light", "dark")]
HEAVIEST = 60 * 1024


@dataclass(frozen=True)
class Kind:
    """A kind of page: its address, or what is done to get there."""

    name: str
    path: str
    status: int = 200
    signed_in: bool = False
    then: Callable[[Any, DemoSite], None] | None = field(default=None, compare=False)


def press(name: str) -> Callable[[Any, DemoSite], None]:
    """Sends the form as it stands, so that every required field complains."""

    def act(page: Any, _site: DemoSite) -> None:
        page.get_by_role("button", name=re.compile(name)).first.click()
        page.locator("[role=alert]").first.wait_for()

    return act


def registered(rsvp: str, email: str, slug: str = CELEBRATION) -> Callable[[Any, DemoSite], None]:
    """Answers and opens “my registration”."""

    def act(page: Any, site: DemoSite) -> None:
        answered(rsvp, email, slug)(page, site)
        page.goto(manage_link(site.mail.wait_for_mail_to(email)))

    return act


def answered(rsvp: str, email: str, slug: str = CELEBRATION) -> Callable[[Any, DemoSite], None]:
    """Answers and stays on the page that says what became of it."""

    def act(page: Any, _site: DemoSite) -> None:
        page.goto(f"/events/{slug}/rsvp")
        page.get_by_role("radio", name=re.compile(f"^{rsvp}", re.IGNORECASE)).check()
        page.get_by_label("Your name").fill("Amira Haddad")
        page.get_by_label("Your e-mail address").fill(email)
        page.locator("main form button[type=submit]").click()
        page.wait_for_url("**/rsvp/*")

    return act


def withdrawn(page: Any, site: DemoSite) -> None:
    """Registers and cancels."""
    registered("no", "page.withdrawn@example.org")(page, site)
    page.get_by_role("button", name="Cancel my registration").click()
    page.wait_for_load_state()


def offered(page: Any, site: DemoSite) -> None:
    """Makes an event of one place that offers it, fills it, frees it, and opens the registration of whoever waited."""
    page.goto("/organize/events/new")
    page.get_by_label("Title").fill("One chair")
    page.get_by_label("Places", exact=True).or_(page.get_by_label("Places (optional)")).fill("1")
    page.get_by_label("Hours to accept").fill("24")
    page.get_by_role("button", name="Save and publish").click()
    page.wait_for_url("**/organize/events/one-chair*")
    slug = page.url.rpartition("/")[2]
    first, second = f"first.{slug}@example.org", f"second.{slug}@example.org"
    registered("yes", first, slug)(page, site)
    answered("yes", second, slug)(page, site)
    waiting = manage_link(site.mail.wait_for_mail_to(second))
    page.goto(manage_link(site.mail.wait_for_mail_to(first)))
    page.get_by_role("button", name="Cancel my registration").click()
    page.wait_for_load_state()
    page.goto(waiting)
    page.get_by_role("button", name="Accept the place").wait_for()


def first_person(page: Any, _site: DemoSite) -> None:
    """Opens the first attendee of the list."""
    page.locator("main table tbody a[href*='/attendees/']").first.click()
    page.wait_for_url(re.compile(r"/attendees/\d+"))


def first_question(page: Any, _site: DemoSite) -> None:
    """Opens the first question of the list."""
    page.locator("main a[href*='/questions/']").first.click()
    page.wait_for_url(re.compile(r"/questions/\d+"))


def imported(page: Any, _site: DemoSite) -> None:
    """Sends a file of which some is taken and some is not."""
    begins = clock.now() + timedelta(days=20)
    entry = f"BEGIN:VEVENT\nUID:page@x\nSUMMARY:Brown bag\nDTSTART:{begins:%Y%m%d}T1500Z\nEND:VEVENT\n"
    content = f"BEGIN:VCALENDAR\n{entry}BEGIN:VTODO\nEND:VTODO\nEND:VCALENDAR\n".encode()
    file = {"name": "talks.ics", "mimeType": "text/calendar", "buffer": content}
    page.get_by_label("Calendar file").set_input_files(file)
    page.get_by_role("button", name="Import as drafts").click()
    page.get_by_role("link", name="Import another file").wait_for()


def followed(page: Any, _site: DemoSite) -> None:
    """Follows a calendar that nobody can reach, unless it is followed already."""
    address = "https://calendar.invalid/" + "a-long-way-to-it/" * 8 + "basic.ics"
    page.get_by_label("Address of the calendar").fill(address)
    page.get_by_role("button", name="Follow this calendar").click()
    page.get_by_text("basic.ics").first.wait_for()
    page.goto("/organize/calendars")


def given_up(page: Any, site: DemoSite) -> None:
    """Asks what giving it up would do."""
    followed(page, site)
    page.get_by_role("link", name="Stop following").first.click()
    page.wait_for_url("**/remove")


PUBLIC = [
    Kind("list", "/"),
    Kind("list, second page", "/events/?page=2"),
    Kind("list, filtered", "/events/?category=talks&audience=alumni"),
    Kind("list, nothing found", "/events/?q=zzzz"),
    Kind("list, past", "/events/?past=1"),
    Kind("month", f"/calendar/{clock.now():%Y/%m}"),
    Kind("event", f"/events/{CELEBRATION}"),
    Kind("event, waitlist", f"/events/{WAITLISTED}"),
    Kind("event, full", f"/events/{FULL}"),
    Kind("event, cancelled", f"/events/{CANCELLED}"),
    Kind("event, not open yet", f"/events/{NOT_OPEN}"),
    Kind("event, hostile", f"/events/{HOSTILE}"),
    Kind("event, past", f"/events/{PAST}"),
    Kind("event, online", f"/events/{ONLINE}"),
    Kind("event, on approval", f"/events/{ON_APPROVAL}"),
    Kind("subscribe", "/subscribe"),
    Kind("subscribe, category", "/subscribe?category=talks"),
    Kind("privacy", "/privacy"),
    Kind("unknown", "/nowhere", 404),
]
ATTENDEE = [
    Kind("RSVP", f"/events/{CELEBRATION}/rsvp"),
    Kind("RSVP, errors", f"/events/{CELEBRATION}/rsvp", then=press("RSVP")),
    Kind("RSVP, waitlist", f"/events/{WAITLISTED}/rsvp"),
    Kind("RSVP, waitlist, errors", f"/events/{WAITLISTED}/rsvp", then=press("waitlist")),
    Kind("RSVP, on approval", f"/events/{ON_APPROVAL}/rsvp"),
    Kind("RSVP, closed", f"/events/{NOT_OPEN}/rsvp"),
    Kind("RSVP, cancelled", f"/events/{CANCELLED}/rsvp"),
    Kind("result", "/", then=answered("yes", "page.result@example.org")),
    Kind("result, waitlisted", "/", then=answered("yes", "page.waits@example.org", WAITLISTED)),
    Kind("result, asked", "/", then=answered("yes", "page.asks@example.org", ON_APPROVAL)),
    Kind("my registration, asked", "/", then=registered("yes", "page.mine.asks@example.org", ON_APPROVAL)),
    Kind("my registration, offered", "/", signed_in=True, then=offered),
    Kind("my registration", "/", then=registered("yes", "page.mine@example.org")),
    Kind("my registration, waitlisted", "/", then=registered("yes", "page.mine.waits@example.org", WAITLISTED)),
    Kind("my registration, maybe", "/", then=registered("maybe", "page.maybe@example.org")),
    Kind("my registration, cancelled", "/", then=withdrawn),
    Kind("my registration, unknown", "/r/forged", 404),
    Kind("lost link", "/lost-link"),
    Kind("lost link, errors", "/lost-link", then=press("link|Send")),
    Kind("lost link, sent", "/lost-link/sent"),
]
AUTH = [
    Kind("sign in", "/auth/login"),
    Kind("sign in, errors", "/auth/login", then=press("Sign in")),
    Kind("forgot password", "/auth/reset"),
    Kind("account", "/auth/account", signed_in=True),
    Kind("change password", "/auth/change", signed_in=True),
    Kind("change password, errors", "/auth/change", signed_in=True, then=press("Change|Save|Set")),
    Kind("sign-in codes", "/auth/tf-setup", signed_in=True),
]
ORGANIZER = [
    Kind("desk", "/organize/", signed_in=True),
    Kind("desk, event", DESK, signed_in=True),
    Kind("desk, draft", f"/organize/events/{DRAFT}", signed_in=True),
    Kind("desk, cancelled event", f"/organize/events/{CANCELLED}", signed_in=True),
    Kind("desk, history", f"{DESK}/history", signed_in=True),
    Kind("desk, new event", "/organize/events/new", signed_in=True),
    Kind("desk, new event, errors", "/organize/events/new", signed_in=True, then=press("Save")),
    Kind("desk, edit", f"{DESK}/edit", signed_in=True),
    Kind("desk, edit, hostile", f"/organize/events/{HOSTILE}/edit", signed_in=True),
    Kind("desk, picture", f"{DESK}/picture", signed_in=True),
    Kind("desk, questions", f"{DESK}/questions", signed_in=True),
    Kind("desk, question", f"{DESK}/questions", signed_in=True, then=first_question),
    Kind("desk, attendees", f"{DESK}/attendees", signed_in=True),
    Kind("desk, attendees, nobody found", f"{DESK}/attendees?q=zzzz", signed_in=True),
    Kind("desk, attendees waiting", f"/organize/events/{WAITLISTED}/attendees?status=waitlisted", signed_in=True),
    Kind("desk, attendees asking", f"/organize/events/{ON_APPROVAL}/attendees?status=pending", signed_in=True),
    Kind(
        "desk, person asking",
        f"/organize/events/{ON_APPROVAL}/attendees?status=pending",
        signed_in=True,
        then=first_person,
    ),
    Kind("desk, event on approval", f"/organize/events/{ON_APPROVAL}", signed_in=True),
    Kind("desk, edit, on approval", f"/organize/events/{ON_APPROVAL}/edit", signed_in=True),
    Kind("desk, person", f"{DESK}/attendees", signed_in=True, then=first_person),
    Kind("desk, new person", f"{DESK}/attendees/new", signed_in=True),
    Kind("desk, new person, errors", f"{DESK}/attendees/new", signed_in=True, then=press("Add|Save")),
    Kind("desk, ask before cancelling", f"{DESK}/cancel", signed_in=True),
    Kind("desk, import", "/organize/import", signed_in=True),
    Kind("desk, import, errors", "/organize/import", signed_in=True, then=press("Import")),
    Kind("desk, import, report", "/organize/import", signed_in=True, then=imported),
    Kind("desk, followed calendars", "/organize/calendars", signed_in=True),
    Kind("desk, followed calendars, errors", "/organize/calendars", signed_in=True, then=press("Follow")),
    Kind("desk, followed calendar", "/organize/calendars", signed_in=True, then=followed),
    Kind("desk, ask before giving a calendar up", "/organize/calendars", signed_in=True, then=given_up),
    Kind("desk, unknown", "/organize/events/nothing", 404, signed_in=True),
]
KINDS = [*PUBLIC, *ATTENDEE, *AUTH, *ORGANIZER]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_page_is_accessible_light_and_quiet(kind: Kind, open_page, demo_site, be_signed_in) -> None:
    page = open_page()
    if kind.signed_in:
        be_signed_in(page)
    answer = page.goto(kind.path)
    assert answer.status == kind.status
    if kind.then is not None:
        kind.then(page, demo_site)

    assert_well_formed(page)
    violations = {f"{scheme} {width}": axe(page, scheme, width) for scheme, width in LOOKS}
    assert {look: found for look, found in violations.items() if found} == {}
    page.set_viewport_size({"width": 320, "height": 700})
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"at 320 px the page is {wide} px too wide: {overflowing(page)}"


@pytest.mark.parametrize("kind", [one for one in KINDS if one.then is None], ids=lambda kind: kind.name)
def test_page_weighs_little_and_asks_for_little(kind: Kind, open_page, be_signed_in) -> None:
    page = open_page()
    if kind.signed_in:
        be_signed_in(page)
    requests: list[Any] = []
    page.context.on("requestfinished", lambda request: requests.append(request))  # noqa: PLW0108 - Playwright wants Python
    page.goto(kind.path, wait_until="load")
    others = [one for one in requests if not (one.response().header_value("content-type") or "").startswith("image/")]
    sizes = {one.url: one.sizes() for one in others}
    weight = sum(size["responseBodySize"] + size["responseHeadersSize"] for size in sizes.values())
    assert (len(others) <= 3, weight <= HEAVIEST) == (True, True), (weight, list(sizes))


def axe(page: Any, scheme: str, width: int) -> list[str]:
    """What axe finds wrong, each as rule, element and reason."""
    from axe_playwright_python.sync_playwright import Axe

    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 800})
    found = Axe().run(page, options=RULES if scheme == "light" else COLOUR_RULES).response["violations"]
    return [
        f"{violation['id']}: {node['html'][:160]} ({node['failureSummary'][:300]})"
        for violation in found
        for node in violation["nodes"]
    ]


def assert_well_formed(page: Any) -> None:
    """One h1, a title of its own, a language, no id twice."""
    facts = page.evaluate(
        """() => ({
            h1: document.querySelectorAll('h1').length,
            lang: document.documentElement.lang,
            titled: document.title.length > 5,
            doubled: [...document.querySelectorAll('[id]')].map(e => e.id)
                .filter((id, i, all) => all.indexOf(id) !== i),
            dangling: [...document.querySelectorAll('[aria-describedby],label[for]')]
                .flatMap(e => (e.getAttribute('aria-describedby') || e.htmlFor).split(' '))
                .filter(id => !document.getElementById(id)),
        })"""
    )
    assert facts == {"h1": 1, "lang": "en", "titled": True, "doubled": [], "dangling": []}


def overflowing(page: Any) -> list[str]:
    """The elements that reach beyond the window, outermost first."""
    return list(
        page.evaluate(
            """() => [...document.querySelectorAll('body *')]
                .filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
                .slice(0, 5).map(e => e.outerHTML.slice(0, 120))"""
        )
    )
