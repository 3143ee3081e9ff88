"""Documents that are sent in: what is read, and what is refused with a sentence."""

import json

import numpy as np
import pytest
from result_rows import answered, cohort, document_of

from gateway.results import document as module
from gateway.results.cohort import Study
from gateway.results.document import (
    DocumentError,
    TooManyValuesError,
    as_json,
    cohort_of,
    matrix_of,
    read_json,
)


def read(document):
    return cohort_of(read_json(bytearray(json.dumps(document).encode())), {})


def with_row(**changes):
    document = document_of(cohort())
    document["answers"][0]["rows"][1].update(changes)
    return document


def test_what_is_written_is_read_again():
    given = cohort(answered("A"), Study("b.zip", code="not_a_zip"))

    again = cohort_of(read_json(bytearray(as_json(given))), {given.model: given.parameters})

    assert again.labels == given.labels
    np.testing.assert_array_equal(again.features, given.features)
    assert [(study.name, study.code) for study in again.studies] == [
        ("A.zip", ""),
        ("b.zip", "not_a_zip"),
    ]
    assert as_json(again) == as_json(given)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"patient_id": None}, "row 2 of answer 1 has no text patient_id"),
        ({"weights_sha256": 5}, "has no text weights_sha256"),
        ({"volume_ml": "5"}, "has a volume_ml of another type"),
        ({"roi_number": True}, "has a roi_number of another type"),
        ({"roi_number": 2**63}, "has a roi_number of another type"),
        ({"shape": [1, 2]}, "has a shape of another type"),
        ({"voxel_mm": [1, 2, "3"]}, "has a voxel_mm of another type"),
        ({"unit_notes": "x"}, "has a unit_notes of another type"),
        ({"unit": "\ud800"}, "has a unit of another type"),
        ({"quality": [{"code": "X", "severity": "bad", "number": 1}]}, "has a quality"),
        ({"quality": {}, "acquisition": 5}, "has an acquisition"),
        ({"acquisition": {"KVP": {}}}, "has an acquisition"),
        ({"feature_prefix": "window"}, "has a feature_prefix"),
        ({"features": []}, "features are lists of numbers"),
        ({"features": [1, "2"]}, "features are lists of numbers"),
        ({"features": [1, True]}, "features are lists of numbers"),
        ({"features": [1e39]}, "a feature is not finite"),
        ({"features": [10**400]}, "a feature is not finite"),
        ({"features": 5}, "row 2 of answer 1 is no object with features"),
        ({"features": [1.0]}, "rows of answer 1 have different numbers of features"),
    ],
)
def test_a_row_that_cannot_be_is_refused_by_its_number(changes, sentence):
    with pytest.raises(DocumentError, match=sentence):
        read(with_row(**changes))


@pytest.mark.parametrize(
    "document",
    [
        [],
        {},
        {"model": "m", "answers": {}},
        {"model": 5, "answers": []},
        {"model": "m", "answers": [], "title": "x" * 201},
        {"model": "m", "answers": [5]},
        {"model": "m", "answers": [{"rows": {}}]},
        {"model": "m", "answers": [{"rows": [5]}]},
        {"model": "m", "answers": [{"name": 5}]},
        {"model": "m", "answers": [{"report": []}]},
        {"model": "m", "answers": [{"code": None}]},
    ],
)
def test_other_documents_are_refused(document):
    with pytest.raises(DocumentError):
        read(document)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b'{"a": NaN}', b'{"a": Infinity}', b"[" * 100_000, b"1 2"]
)
def test_what_is_no_json_is_refused(body):
    with pytest.raises(DocumentError):
        read_json(bytearray(body))


def rows_of(body):
    return matrix_of(read_json(bytearray(body)))


def test_features_of_rows_are_a_matrix():
    found = rows_of(b'{"rows": [{"features": [1, 2.5], "roi": "a"},\n{"features": [3, -4e2]}]}')

    np.testing.assert_array_equal(found, [[1, 2.5], [3, -400]])
    assert rows_of(b'{"rows": []}').shape == (0, 0)


@pytest.mark.parametrize(
    "rows",
    [
        "null",
        "[null]",
        "[[1]]",
        "[{}]",
        '[{"features": null}]',
        '[{"features": []}]',
        '[{"features": [null]}]',
        '[{"features": [[1]]}]',
        '[{"features": [true]}]',
        '[{"features": ["1"]}]',
        '[{"features": [NaN]}]',
        '[{"features": [1e999]}]',
        '[{"features": [1e39]}]',
        '[{"features": [1]}, {"features": [1, 2]}]',
        "[" * 100_000,
    ],
)
def test_other_rows_are_refused(rows):
    with pytest.raises(DocumentError):
        rows_of(b'{"rows": %s}' % rows.encode())


@pytest.mark.parametrize("body", [b"[]", b"{}", b"1"])
def test_what_has_no_rows_is_refused(body):
    with pytest.raises(DocumentError):
        rows_of(body)


def test_too_many_rows_or_values_are_refused(monkeypatch):
    with pytest.raises(TooManyValuesError, match="20001 rows of 1: at most 20000 of 4096"):
        rows_of(b'{"rows": [' + b'{"features": [1]},' * 20_000 + b'{"features": [1]}]}')
    monkeypatch.setattr(module, "LARGEST_VALUES", 10)
    with pytest.raises(TooManyValuesError, match="more than 10 values"):
        read_json(bytearray(b"[1,2,3,4,5,6,7,8,9,10,11]"))
