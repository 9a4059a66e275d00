"""From an address that only takes a press of a button to the page the button stands on."""

from flask import request, url_for

PAGES = {
    "registration_id": ("organizer.attendee_edit", ("slug", "registration_id")),
    "question_id": ("organizer.question_list", ("slug",)),
    "mail_id": ("organizer.reply_list", ("slug",)),
    "calendar_id": ("organizer.followed_list", ()),
}
BY_ENDPOINT = {
    "organizer.attendee_decide": "organizer.attendee_list",
    "organizer.picture_remove": "organizer.picture_edit",
    "organizer.feed_reset": "organizer.event_list",
}


def page_of_button() -> str:
    """The page that the request's button stands on."""
    arguments = request.view_args or {}
    for name, (endpoint, wanted) in PAGES.items():
        if name in arguments:
            return url_for(endpoint, **{one: arguments[one] for one in wanted})
    endpoint = BY_ENDPOINT.get(request.endpoint or "", "organizer.event_show")
    return url_for(endpoint, slug=arguments["slug"]) if "slug" in arguments else url_for("organizer.event_list")
