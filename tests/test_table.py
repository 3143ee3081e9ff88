"""Features as a table that other programs read."""

import csv
import io

import numpy as np
import pytest

from gateway.results.table import FeatureTable, MixedVersionsError

LABEL = {
    "patient_id": 'A, "B"',
    "modality": "CT",
    "roi": "GTV-1 ä",
    "weights_sha256": "w",
    "preprocessing_id": "p",
    "feature_prefix": "ct3dcnn1",
}


def written(table):
    file = io.StringIO(newline="")
    table.write_csv(file)
    return file.getvalue()


def test_a_table_reads_back_to_the_same_numbers():
    values = np.float32([1 / 3, 1e-9, 123456.789])
    table = FeatureTable()
    table.add([LABEL], values[np.newaxis])

    header, row = csv.reader(io.StringIO(written(table)))

    assert header == ["PatientID", "Modality", "ROI", "ct3dcnn1_0", "ct3dcnn1_1", "ct3dcnn1_2"]
    assert row[:3] == ['A, "B"', "CT", "GTV-1 ä"]
    np.testing.assert_array_equal(np.float32(row[3:]), values)


def test_lines_end_as_rfc_4180_has_it():
    table = FeatureTable()
    table.add([LABEL], np.zeros((1, 2), np.float32))

    assert written(table).count("\r\n") == written(table).count("\n") == 2


def test_the_index_is_padded_to_the_width_of_the_last_one():
    table = FeatureTable()
    table.add([LABEL], np.zeros((1, 256), np.float32))

    assert table.feature_names[0] == "ct3dcnn1_000"
    assert table.feature_names[-1] == "ct3dcnn1_255"


def test_rows_of_other_weights_are_refused():
    table = FeatureTable()
    table.add([LABEL], np.zeros((1, 2), np.float32))

    with pytest.raises(MixedVersionsError, match="weights_sha256 of this study differ"):
        table.add([LABEL | {"weights_sha256": "x"}], np.zeros((1, 2), np.float32))
    assert len(table.labels) == len(table.features) == 1
