"""Event pictures: whatever image was uploaded becomes one bounded WebP without its metadata."""

import hashlib
import io
import warnings
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from eventreg import audit
from eventreg.errors import InvalidField
from eventreg.events.models import Picture
from eventreg.events.service import load

if TYPE_CHECKING:
    from PIL.Image import Image

WIDEST = 1600
MOST_PIXELS = 40_000_000
"""More than a phone's camera makes, and what decoding takes stays near 160 MB."""
MOST_BYTES = 12 * 1024 * 1024
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
LONGEST_ALT = 200


class Encoded(NamedTuple):
    """A picture as it is kept."""

    webp: bytes
    width: int
    height: int


def store(
    session: Session, *, event_id: int, encoded: Encoded, alt_text: str, actor: audit.Actor, now: datetime
) -> Picture:
    """Puts the picture in place of the event's earlier one.

    Encode it before the transaction begins: that may take a second, in which nobody else could write. An empty
    `alt_text` says that the picture adds nothing to the title. Raises: NotFound.
    """
    event = load(session, event_id)
    picture = session.get(Picture, event_id) or Picture(event_id=event_id)
    picture.digest = hashlib.sha256(encoded.webp).hexdigest()[:16]
    picture.alt_text = alt_text.strip()[:LONGEST_ALT]
    picture.webp, picture.width, picture.height = encoded
    session.add(picture)
    event.updated_at = now
    audit.record(session, actor=actor, action="event.picture_changed", now=now, event_id=event_id)
    session.flush()
    return picture


def remove(session: Session, *, event_id: int, actor: audit.Actor, now: datetime) -> None:
    """Takes the picture away; the drawn cover comes back. Nothing happens when there is none. Raises: NotFound."""
    event = load(session, event_id)
    picture = session.get(Picture, event_id)
    if picture is None:
        return
    session.delete(picture)
    event.updated_at = now
    audit.record(session, actor=actor, action="event.picture_removed", now=now, event_id=event_id)
    session.flush()


def of_event(session: Session, event_id: int) -> Picture | None:
    """What a page needs to know of the picture; its bytes are not read."""
    return session.scalar(select(Picture).where(Picture.event_id == event_id))


def with_bytes(session: Session, event_id: int, digest: str) -> Picture | None:
    """The picture of exactly that digest, bytes and all."""
    query = select(Picture).where(Picture.event_id == event_id, Picture.digest == digest)
    return session.scalar(query.options(undefer(Picture.webp)).execution_options(populate_existing=True))


def encode(data: bytes) -> Encoded:
    """The image as WebP, upright, at most 1600 px wide, without metadata.

    Raises: InvalidField("picture").
    """
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 - showing a picture does not need it

    if len(data) > MOST_BYTES:
        raise InvalidField("picture", _("The picture is larger than 12 MB. Save it smaller."))
    try:
        with warnings.catch_warnings():
            # Pillow warns of a decompression bomb by its own bound; ours is checked below, before any decoding.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                if image.width * image.height > MOST_PIXELS:
                    raise InvalidField("picture", _("The picture has more than 40 million pixels. Save it smaller."))
                return _as_webp(image)
    except UnidentifiedImageError as error:
        raise InvalidField("picture", _("That file is not a JPEG, PNG, WebP or GIF picture.")) from error
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise InvalidField("picture", _("The picture cannot be read; the file seems to be damaged.")) from error


def _as_webp(image: "Image") -> Encoded:
    from PIL import Image, ImageOps  # noqa: PLC0415 - as above

    image.draft("RGB", (WIDEST * 2, WIDEST * 2))  # a JPEG is decoded at the size it is needed
    upright = ImageOps.exif_transpose(image)
    flat = upright.convert("RGBA" if "transparency" in upright.info or upright.mode in {"RGBA", "LA", "PA"} else "RGB")
    flat.thumbnail((WIDEST, WIDEST * 2), Image.Resampling.LANCZOS)
    clean = Image.new(flat.mode, flat.size)
    clean.paste(flat)
    buffer = io.BytesIO()
    clean.save(buffer, "WEBP", quality=80, method=4)
    return Encoded(buffer.getvalue(), clean.width, clean.height)
