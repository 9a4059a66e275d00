"""Without a mail server: the page says so, and whoever sits at the machine reads the mail in the browser."""

import re

from tests.browser.test_pages import LOOKS, assert_well_formed, axe
from tests.support import live
from tests.support.browsers import Watched


def test_demo_without_a_mail_server_shows_the_mail_it_kept(browser, instance) -> None:
    server = live.start(
        instance=instance,
        command=lambda port: ["run-demo", "--port", str(port)],
        BASE_URL=None,
        SECRET_KEY=None,
    )
    watched = Watched(own=server.base_url)
    context = browser.new_context(base_url=server.base_url, reduced_motion="reduce")
    try:
        watched.follow(context)
        page = context.new_page()
        page.goto("/events/?q=anniversary")
        page.get_by_role("link", name="Diversity Initiative Anniversary").first.click()
        page.get_by_role("link", name="RSVP").first.click()
        page.get_by_role("radio", name=re.compile("^Yes")).check()
        page.get_by_label("Your name").fill("Amira Haddad")
        page.get_by_label("Your e-mail address").fill("amira@example.org")
        page.wait_for_timeout(2100)  # quicker than MIN_FILL_SECONDS is taken for a robot
        page.locator("main form button[type=submit]").click()
        page.wait_for_url("**/rsvp/*")
        assert "no mail server" in page.locator("main").inner_text()
        page.get_by_role("link", name="Read the kept mail").click()
        assert "address that the terminal" in page.locator("main").inner_text()
        page.goto(re.search(r"http\S+/dev/mail\?key=\w+", server.log)[0])
        for _ in range(50):  # the worker writes it a moment later
            if page.get_by_role("link", name="Diversity Initiative").count():
                break
            page.wait_for_timeout(200)
            page.reload()
        assert_well_formed(page)
        assert [axe(page, scheme, width) for scheme, width in LOOKS] == [[], [], [], []]
        page.get_by_role("link", name="Diversity Initiative").first.click()
        page.wait_for_url("**/dev/mail/*")
        assert "amira@example.org" in page.locator("main").inner_text()
        assert [axe(page, scheme, width) for scheme, width in LOOKS] == [[], [], [], []]
    finally:
        context.close()
        server.stop()
    watched.assert_clean()
