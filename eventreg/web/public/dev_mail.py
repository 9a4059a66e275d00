"""/dev/mail: the mails that were kept because no mail server is set, for whoever tries the demo on this machine."""

import re
from dataclasses import dataclass
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

from flask import Response, abort, current_app, render_template
from flask_babel import gettext as _

from eventreg.errors import NotFound
from eventreg.mail import kept
from eventreg.web import kept_mail
from eventreg.web.public import blueprint

SHOWN = 100
HEADERS = ("From", "To", "Reply-To", "Date", "Subject", "Message-ID", "Auto-Submitted")
NO_STORE = "private, no-store"
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'; "
    "sandbox allow-popups allow-top-navigation-by-user-activation"
)
"""A mail brings its styles along; it runs nothing, loads nothing, and is no part of this site."""
_ADDRESS = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:)]")


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a mail: its type as the header has it, its name and size, and what can be shown of it.

    `pieces` are of plain text, with the address each leads to or ""; `source` is a calendar entry as it stands.
    """

    content_type: str
    file_name: str
    size: int
    pieces: list[tuple[str, str]]
    source: str


@blueprint.get("/dev/mail")
def dev_mail_list() -> Response:
    """Kept mails, newest first."""
    folder = _folder()
    names = kept.names(folder)
    mails = [(name, _head(folder, name)) for name in names[:SHOWN]]
    response = _page(render_template("public/dev_mail_list.html", mails=mails, count=len(names), folder=folder))
    kept_mail.remember_key(response)
    return response


@blueprint.get("/dev/mail/<name>")
def dev_mail_show(name: str) -> Response:
    """One mail: headers, text, calendar parts."""
    mail = _mail(_folder(), name)
    return _page(
        render_template(
            "public/dev_mail_show.html",
            name=name,
            subject=str(mail["Subject"]),
            headers=[(header, str(mail[header])) for header in HEADERS if header in mail],
            parts=[_part(part) for part in mail.walk() if not part.is_multipart()],
        )
    )


@blueprint.get("/dev/mail/<name>/html")
def dev_mail_html(name: str) -> Response:
    """The mail's HTML as a mail program would show it, shut in by its own policy."""
    body = _mail(_folder(), name).get_body(("html",))
    if body is None:
        raise NotFound(_("This mail has no HTML."))
    response = _page(body.get_content())
    response.headers["Content-Security-Policy"] = MAIL_POLICY
    return response


@blueprint.get("/dev/mail/<name>/download")
def dev_mail_download(name: str) -> Response:
    """The mail as it would have been sent."""
    response = Response(_bytes(_folder(), name), mimetype="message/rfc822")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return _private(response)


def _folder() -> Path:
    """The folder of kept mails, for a visitor on this machine who has the key; 404 for everybody else."""
    if not kept_mail.is_open():
        abort(404)
    if not kept_mail.has_key():
        raise NotFound(_("Kept mail opens with the address that the terminal of this site shows, next to “Mail”."))
    return Path(current_app.config["MAIL_FOLDER"])


def _bytes(folder: Path, name: str) -> bytes:
    content = kept.read(folder, name)
    if content is None:
        raise NotFound(_("There is no such mail."))
    return content


def _mail(folder: Path, name: str) -> EmailMessage:
    return _parsed(_bytes(folder, name))


def _head(folder: Path, name: str) -> dict[str, str]:
    mail = _parsed(_bytes(folder, name), headers_only=True)
    return {header.lower(): str(mail[header] or "") for header in ("Subject", "To", "Date")}


def _parsed(content: bytes, *, headers_only: bool = False) -> EmailMessage:
    from email import policy  # noqa: PLC0415 - the whole grammar of mail, which only the demo reads here

    return BytesParser(policy=policy.default).parsebytes(content, headersonly=headers_only)


def _part(part: EmailMessage) -> Part:
    payload = part.get_payload(decode=True)
    content = payload if isinstance(payload, bytes) else b""
    text, kind = content.decode("utf-8", "replace").replace("\r", ""), part.get_content_type()
    return Part(
        content_type=str(part["Content-Type"]),
        file_name=part.get_filename() or "",
        size=len(content),
        pieces=_pieces(text) if kind == "text/plain" else [],
        source=text if kind == "text/calendar" else "",
    )


def _pieces(text: str) -> list[tuple[str, str]]:
    """Text and the address it leads to, if any, so that the links of a mail can be followed."""
    pieces, end = [], 0
    for found in _ADDRESS.finditer(text):
        pieces += [(text[end : found.start()], ""), (found[0], found[0])]
        end = found.end()
    return [*pieces, (text[end:], "")]


def _page(html: str) -> Response:
    return _private(Response(html, mimetype="text/html"))


def _private(response: Response) -> Response:
    """Neither kept nor indexed, and no link out of it tells its address."""
    response.headers.update({"Cache-Control": NO_STORE, "X-Robots-Tag": "noindex", "Referrer-Policy": "no-referrer"})
    return response
