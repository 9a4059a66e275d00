import io
import zlib
from collections.abc import Callable
from datetime import datetime

import pytest
from PIL import Image
from sqlalchemy.orm import Session

from eventreg.audit import Actor, history
from eventreg.errors import InvalidField
from eventreg.events import pictures
from eventreg.events.models import Event

MakeEvent = Callable[..., Event]
OLGA = Actor("organizer", 1, "Olga Ortega")


def an_image(kind: str = "JPEG", size: tuple[int, int] = (640, 480), **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, "#96152f").save(buffer, kind, **options)
    return buffer.getvalue()


def with_place_in_exif() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    exif[0x010F] = "Secret Camera"
    return an_image(exif=exif)


def a_bomb() -> bytes:
    """A PNG of 60,000 by 60,000 pixels in a few hundred bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    header = (60_000).to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


def test_picture_is_kept_as_webp_of_at_most_1600_pixels(session: Session, make_event: MakeEvent, now: datetime) -> None:
    event_id = make_event().id
    picture = pictures.store(
        session,
        event_id=event_id,
        encoded=pictures.encode(an_image(size=(3200, 1200))),
        alt_text=" A hall ",
        actor=OLGA,
        now=now,
    )
    stored = pictures.with_bytes(session, event_id, picture.digest)
    assert stored is not None
    assert (stored.width, stored.height, stored.alt_text) == (1600, 600, "A hall")
    with Image.open(io.BytesIO(stored.webp)) as image:
        assert (image.format, image.size) == ("WEBP", (1600, 600))
    assert pictures.with_bytes(session, event_id, "0" * 16) is None


def test_picture_loses_its_metadata_and_stands_upright() -> None:
    webp, width, height = pictures.encode(with_place_in_exif())
    with Image.open(io.BytesIO(webp)) as image:
        assert (width, height, dict(image.getexif())) == (480, 640, {})
    assert b"Secret Camera" not in webp


def test_second_picture_takes_the_place_of_the_first(session: Session, make_event: MakeEvent, now: datetime) -> None:
    event_id = make_event().id
    first = pictures.store(
        session, event_id=event_id, encoded=pictures.encode(an_image()), alt_text="One", actor=OLGA, now=now
    ).digest
    second = pictures.store(
        session,
        event_id=event_id,
        encoded=pictures.encode(an_image(size=(100, 50))),
        alt_text="Two",
        actor=OLGA,
        now=now,
    ).digest
    assert first != second
    assert pictures.with_bytes(session, event_id, first) is None
    pictures.remove(session, event_id=event_id, actor=OLGA, now=now)
    pictures.remove(session, event_id=event_id, actor=OLGA, now=now)
    assert [one.action for one in history.of_event(session, event_id, limit=9)] == [
        "event.picture_removed",
        "event.picture_changed",
        "event.picture_changed",
    ]
    assert pictures.of_event(session, event_id) is None


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_common_formats_are_taken(kind: str) -> None:
    assert pictures.encode(an_image(kind))[1:] == (640, 480)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        an_image()[:400],
        an_image("PNG")[:60],
        a_bomb(),
        b"x" * (pictures.MOST_BYTES + 1),
        an_image("BMP"),
    ],
    ids=["nothing", "only-a-head", "svg", "cut-jpeg", "cut-png", "bomb", "too-many-bytes", "bmp"],
)
def test_what_is_no_sound_picture_is_refused_by_name(data: bytes) -> None:
    with pytest.raises(InvalidField) as refused:
        pictures.encode(data)
    assert refused.value.field == "picture"
