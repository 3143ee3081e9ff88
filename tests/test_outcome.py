"""What `deepfeatures extract` writes with `--out`, by the ending of the file's name."""

import io

import numpy as np
import openpyxl
import pyarrow.parquet as pq
import pytest
from result_rows import answered
from rich.console import Console

from tools.client import Features, ServiceError
from tools.extract import FORMS
from tools.outcome import Outcome, write_files


@pytest.fixture
def outcome():
    """Two studies with rows, and one between them that was refused."""
    found = Outcome("ct3dcnn")
    first, second = answered("A", seed=1), answered("B", seed=2)
    found.add(first.name, Features(first.labels, first.features, first.report, ["", ""]))
    found.add_failure("bad.zip", ServiceError("not_a_zip", "the 0 bytes are not a zip"))
    found.add(second.name, Features(second.labels, second.features, second.report, ["", ""]))
    return found


def written(outcome, folder, form):
    file = folder / f"rows.{form}"
    write_files(outcome, form, file, Console(file=io.StringIO()))
    return file


def test_a_workbook_has_the_rows_and_what_was_refused(outcome, tmp_path):
    book = openpyxl.load_workbook(written(outcome, tmp_path, "xlsx"))

    assert [row[1] for row in book["Features"].iter_rows(min_row=2, values_only=True)] == [
        *("A", "A", "B", "B")
    ]
    assert [cell.value for cell in book["Exclusions"][2]][:3] == ["study", "not_a_zip", 1]


def test_parquet_has_the_numbers_of_each_study(outcome, tmp_path):
    table = pq.read_table(written(outcome, tmp_path, "parquet"))

    np.testing.assert_array_equal(
        table["test1_03"].to_numpy(), [features[3] for features in outcome.table.features]
    )


def test_the_forms_are_known_by_their_endings():
    assert set(FORMS) == {".csv", ".json", ".xlsx", ".zip", ".parquet"}
