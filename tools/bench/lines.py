"""A straight line through measurements, and how far they are from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Line:
    """seconds = fixed + each * size.

    r_squared: the part of the variance that the line explains, 1 for all of it.
    largest_deviation: the largest distance from the line, relative to its value there.
    """

    fixed: float
    each: float
    r_squared: float
    largest_deviation: float

    def as_json(self) -> dict[str, Any]:
        return {name: round(value, 6) for name, value in vars(self).items()}


def line_through(sizes: Sequence[float], seconds: Sequence[float]) -> Line:
    """Return the line of least squares."""
    x, y = np.asarray(sizes, float), np.asarray(seconds, float)
    each, fixed = np.polyfit(x, y, 1)
    on_line = fixed + each * x
    rest, all_of_it = np.sum((y - on_line) ** 2), np.sum((y - y.mean()) ** 2)
    return Line(
        float(fixed),
        float(each),
        float(1 - rest / all_of_it) if all_of_it else 1.0,
        float(np.max(np.abs(y / on_line - 1))),
    )
