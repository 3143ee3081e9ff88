"""Numbers and counts as a paper writes them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

DIGITS = 6
"""Significant ones; a paper has fewer, and the files have all."""

SHOWN = 12
"""Different values that are named one by one."""


def number(value: float) -> str:
    """Return a number without an exponent where that is short."""
    return f"{value:.{DIGITS}g}"


def span(values: Iterable[float | None]) -> str:
    """Return the one value that there is, or the least and the largest; "" without values."""
    found = [value for value in values if value is not None]
    if not found:
        return ""
    least, largest = number(min(found)), number(max(found))
    return least if least == largest else f"{least} to {largest}"


def spans(vectors: Iterable[Sequence[float] | None]) -> str:
    """Return the span along each axis, "0.7 × 0.7 to 0.9 × 5"; "" without values."""
    found = [vector for vector in vectors if vector is not None]
    return " × ".join(map(span, zip(*found, strict=True)))


def counted(values: Iterable[Any]) -> str:
    """Return each value and how often it comes, the frequent first: "CT (12), PT (3)"."""
    found = Counter(" ".join(str(value).split()) for value in values)
    counts = sorted(found.items(), key=lambda each: (-each[1], each[0]))
    shown = [f"{value} ({count})" for value, count in counts[:SHOWN]]
    further = len(counts) - SHOWN
    return ", ".join([*shown, f"and {further} others"] if further > 0 else shown)


def named(values: Iterable[Any]) -> str:
    """Return the one value that all have, or each and how often it comes."""
    found = list(values)
    return str(found[0]) if len(set(map(str, found))) == 1 else counted(found)


def times(count: int, one: str, *, many: str = "") -> str:
    """Return a number of things: "1 row", "2 rows"."""
    return f"{count} {one if count == 1 else many or one + 's'}"
