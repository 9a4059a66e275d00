"""Addresses as QR codes, for a phone's camera and for the door."""

import segno
from markupsafe import Markup


def drawn(address: str) -> Markup:
    """The address as inline SVG with presentation attributes only, four modules of quiet zone round it."""
    svg = segno.make_qr(address, error="m").svg_inline(
        scale=4, border=4, dark="#000", light="#fff", omitsize=True, svgclass=None, lineclass=None
    )
    return Markup(svg)  # noqa: S704 - drawn here; it holds nobody's markup
