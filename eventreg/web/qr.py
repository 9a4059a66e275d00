"""Addresses as QR codes, for a phone's camera and for the door."""

from markupsafe import Markup


def drawn(address: str) -> Markup:
    """The address as inline SVG with presentation attributes only, four modules of quiet zone round it."""
    import segno  # noqa: PLC0415 - for one page in many

    svg = segno.make_qr(address, error="m").svg_inline(
        scale=4, border=4, dark="#000", light="#fff", omitsize=True, svgclass=None, lineclass=None
    )
    return Markup(svg)  # noqa: S704 - drawn here; it holds nobody's markup
