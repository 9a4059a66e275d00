"""Every figure, in the order of the table."""

from bench.figures import blocks, exports, feeds, mail, memory, pages, rsvp, rush, scale

FIGURES = (
    *pages.FIGURES,
    *feeds.FIGURES,
    *blocks.FIGURES,
    *rsvp.FIGURES,
    *rush.FIGURES,
    *mail.FIGURES,
    *exports.FIGURES,
    *scale.FIGURES,
    *memory.FIGURES,
)
