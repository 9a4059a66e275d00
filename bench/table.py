"""The table as Markdown: every figure beside its limit, medians, and how far the rounds lay apart."""

from collections.abc import Sequence
from statistics import median

from bench.figure import Mark, Result

HEAD = ("figure", "measured", "limit, measured in the same rounds", "score (lowest to highest)", "mark", "")


def markdown(
    results: Sequence[Result], left_out: Sequence[tuple[str, str]], head: Sequence[str], why: Sequence[str] = ()
) -> str:
    """The whole text; `why` are pieces that explain what is missed."""
    rows = [HEAD, *(_cells(result) for result in results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = [_line(rows[0], widths), "|" + "|".join("-" * (width + 2) for width in widths) + "|"]
    lines += [_line(row, widths) for row in rows[1:]]
    parts = ["# Benchmark", "\n".join(f"- {line}" for line in head), "\n".join(lines)]
    if notes := [f"- {result.name}: {note}" for result in results for note in _notes(result)]:
        parts.append("\n".join(notes))
    if left_out:
        parts.append("Left out:\n\n" + "\n".join(f"- {name}: {reason}" for name, reason in left_out))
    parts.append(_closing(results))
    parts += why
    return "\n\n".join(parts) + "\n"


def missed(results: Sequence[Result]) -> list[str]:
    """The figures of which a mark is missed."""
    return [result.name for result in results if not _met(result)]


def _closing(results: Sequence[Result]) -> str:
    asked = [result for result in results if result.row.mark is not None]
    missed = [result.row.title for result in asked if not _met(result)]
    if not missed:
        return f"All {len(asked)} marks are met."
    return f"{len(missed)} of {len(asked)} marks are missed: {'; '.join(missed)}."


def _cells(result: Result) -> tuple[str, ...]:
    row, samples = result.row, result.samples
    measured = f"{number(median(sample.measured for sample in samples))} {row.unit}"
    limits = [sample.limit for sample in samples if sample.limit is not None]
    limit = f"{row.limit}: {number(median(limits))} {row.unit}" if limits else row.limit
    mark = f"{row.mark.kind} {number(row.mark.value)}" if row.mark else ""
    verdict = "" if row.mark is None else ("met" if _met(result) else "**missed**")
    return row.title, measured, limit, _score(result), mark, verdict


def _score(result: Result) -> str:
    if result.row.score == "itself" and result.row.mark is None:
        return ""
    scores = result.scores
    middle = number(median(scores))
    return f"{middle} ({number(min(scores))} to {number(max(scores))})" if len(scores) > 1 else middle


def _met(result: Result) -> bool:
    mark: Mark | None = result.row.mark
    return mark is None or mark.is_met(median(result.scores))


def _notes(result: Result) -> list[str]:
    return list(dict.fromkeys(sample.note for sample in result.samples if sample.note))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"


def number(value: float) -> str:
    """Three figures that mean something.

    >>> [number(value) for value in (0.0123, 0.5, 1.301, 43.21, 4321.9)]
    ['0.012', '0.50', '1.30', '43.2', '4,322']
    """
    size = abs(value)
    if size >= 100:
        return f"{value:,.0f}"
    if size >= 10:
        return f"{value:.1f}".removesuffix(".0")
    return f"{value:.2f}" if size >= 0.1 or size == 0 else f"{value:.2g}"
