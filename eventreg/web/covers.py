"""Drawn covers: an SVG made of an event's slug and category, the same each time, calm enough to be repeated.

The category chooses the colours, the slug the motif and its proportions. Presentation attributes only: the
strict style policy of the site holds for these files too.
"""

import base64
import hashlib
import math
from collections.abc import Callable

WIDTH, HEIGHT = 1200, 400

PALETTES = (
    # ground, then three inks that lie quietly on it
    ("#e9dfd0", "#b9573f", "#d9a06b", "#7d6a58"),
    ("#d9e2dc", "#4f7a68", "#9ab8a4", "#2f4d49"),
    ("#dde3ea", "#4a6a8a", "#9fb4c8", "#2d4058"),
    ("#ece0dc", "#96364a", "#c98d8a", "#5c3a44"),
    ("#e8e3cf", "#8a7a33", "#c2b26a", "#5a5530"),
    ("#e1dde8", "#6b5a8c", "#aea2c4", "#43395c"),
    ("#dce5e6", "#3f7d86", "#8fb9bd", "#2b5058"),
    ("#ebe1d6", "#a4653a", "#cfa987", "#5d4a3d"),
)

Numbers = Callable[[float, float], float]


def draw(slug: str, category_key: str) -> str:
    """The cover as an SVG document.

    >>> draw("tea", "talk") == draw("tea", "talk") != draw("coffee", "talk")
    True
    """
    # The number spreads the categories that community calendars have most over different palettes.
    palette = PALETTES[_digest(f"colours-48:{category_key}")[0] % len(PALETTES)]
    digest = _digest(f"slug:{slug}")
    motif = MOTIFS[digest[0] % len(MOTIFS)]
    body = "".join(motif(palette, _numbers(digest[1:])))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{palette[0]}"/>{body}</svg>'
    )


def data_uri(slug: str, category_key: str) -> str:
    """The cover inside an address, for a page whose event has none of its own yet."""
    return "data:image/svg+xml;base64," + base64.b64encode(draw(slug, category_key).encode()).decode()


def version(slug: str, category_key: str) -> str:
    """Changes whenever the drawing does."""
    return hashlib.sha256(draw(slug, category_key).encode()).hexdigest()[:12]


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _numbers(digest: bytes) -> Numbers:
    """Numbers between two bounds, taken from the digest byte by byte, round and round."""
    position = -1

    def take(low: float, high: float) -> float:
        nonlocal position
        position = (position + 1) % len(digest)
        return low + (high - low) * digest[position] / 255

    return take


def _circle(x: float, y: float, radius: float, fill: str, opacity: float = 1) -> str:
    return f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{radius:.0f}" fill="{fill}" fill-opacity="{opacity:.2f}"/>'


def _rings(palette: tuple[str, ...], take: Numbers) -> list[str]:
    """Rings round a point off the edge, like ripples."""
    x, y = take(150, 1050), take(330, 470)
    step = take(38, 62)
    rings = []
    for index in range(14, 0, -1):
        colour = palette[1 + index % 3]
        rings.append(
            f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{index * step:.0f}" fill="none" stroke="{colour}"'
            f' stroke-width="{step * 0.42:.0f}" stroke-opacity="{0.75 - index * 0.035:.2f}"/>'
        )
    return rings


def _hills(palette: tuple[str, ...], take: Numbers) -> list[str]:
    """Long waves lying one before another, and a disc above them."""
    parts = [_circle(take(200, 1000), take(90, 170), take(46, 84), palette[2], 0.9)]
    for layer in range(4):
        base = 190 + layer * 52
        height, length, shift = take(18, 46), take(260, 520), take(0, 6.28)
        points = [
            f"{x},{base + height * math.sin(x / length * 2 + shift + layer):.0f}" for x in range(0, WIDTH + 1, 40)
        ]
        fill = palette[(2, 1, 3, 3)[layer]]
        opacity = (0.55, 0.6, 0.55, 0.8)[layer]
        line = " L".join(points)
        parts.append(f'<path d="M0,{HEIGHT} L{line} L{WIDTH},{HEIGHT} Z" fill="{fill}" fill-opacity="{opacity}"/>')
    return parts


def _tiles(palette: tuple[str, ...], take: Numbers) -> list[str]:
    """Quarter circles on a grid of squares."""
    side = 100
    parts = []
    for column in range(WIDTH // side):
        for row in range(HEIGHT // side):
            pick, corner = int(take(0, 6.99)), int(take(0, 3.99))
            if pick > 3:  # noqa: PLR2004 - most squares stay empty, or it would shout
                continue
            left, top = column * side, row * side
            x, y = left + side * (corner % 2), top + side * (corner // 2)
            dx, dy = (1 if x == left else -1) * side, (1 if y == top else -1) * side
            sweep = 1 if dx * dy > 0 else 0
            fill = palette[1 + pick % 3]
            parts.append(
                f'<path d="M{x},{y} h{dx} A{side},{side} 0 0 {sweep} {x},{y + dy} Z" fill="{fill}" fill-opacity="0.8"/>'
            )
    return parts


def _discs(palette: tuple[str, ...], take: Numbers) -> list[str]:
    """A few large discs that overlap."""
    return [_circle(take(80, 1120), take(60, 340), take(110, 240), palette[1 + index % 3], 0.55) for index in range(5)]


def _bars(palette: tuple[str, ...], take: Numbers) -> list[str]:
    """Upright bars with round heads, like people in a row."""
    parts = []
    x = take(10, 50)
    index = 0
    while x < WIDTH - 40:
        width, height = take(34, 74), take(70, 320)
        fill = palette[1 + index % 3]
        parts.append(
            f'<rect x="{x:.0f}" y="{HEIGHT - height:.0f}" width="{width:.0f}" height="{height + 60:.0f}"'
            f' rx="{width / 2:.0f}" fill="{fill}" fill-opacity="0.75"/>'
        )
        x += width + take(14, 40)
        index += 1
    return parts


MOTIFS = (_rings, _hills, _tiles, _discs, _bars)
