"""A sheet of XlsxWriter that takes many numbers of a row at once."""

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet


class _Numbers(NamedTuple):
    """Cells beside each other, as the decimals that they show."""

    texts: Sequence[str]


class NumberSheet(Worksheet):  # type: ignore[misc]  # the library states no types
    """Writes a row of numbers as one text: cell by cell, two million of them take six seconds.

    XlsxWriter has no way for it of its own. `_check_dimensions`, `table` and `_write_cell` are
    those parts of it that every cell passes; tests read what comes out with other programs.
    """

    def write_numbers(self, row: int, column: int, numbers: NDArray[np.float32]) -> None:
        """Write numbers from a column on, of a row that has a cell before it already.

        As the shortest decimals that are read as the same float32. What is not finite is an error
        that spreadsheets show.
        """
        if not np.isfinite(numbers).all():
            for place, number in enumerate(numbers.tolist(), column):
                self.write_number(row, place, number)
        elif len(numbers) and not self._check_dimensions(row, column + len(numbers) - 1):
            decimals = pa.array(numbers).cast(pa.string()).to_numpy(zero_copy_only=False)
            self.table[row][column] = _Numbers(decimals.tolist())

    def _write_cell(self, row: int, col: int, cell: Any) -> None:
        if not isinstance(cell, _Numbers):
            super()._write_cell(row, col, cell)
            return
        names = _names(col, len(cell.texts))
        cells = (
            f'<c r="{name}{row + 1}"><v>{text}</v></c>'
            for name, text in zip(names, cell.texts, strict=True)
        )
        self.fh.write("".join(cells))


@cache
def _names(first: int, count: int) -> list[str]:
    """Return the letters of columns."""
    return [xl_col_to_name(column) for column in range(first, first + count)]
