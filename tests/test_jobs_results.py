"""Rows of a job as they are kept, and as files."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from triton_double import LABEL

from gateway.jobs.records import Stored
from gateway.jobs.results import FORMS, Made
from gateway.problems import ProblemError
from gateway.results.answer import Answer
from gateway.results.packing import packed, unpacked, version_of
from gateway.results.table import FeatureTable

FEATURES = np.array([[0.1, 1e-45], [np.float32(1) / 3, -3.4e38]], np.float32)

JOB = SimpleNamespace(
    row=SimpleNamespace(model="ct3dcnn", kind="kheops"), request={"title": "Lungs"}
)


def answer_of(features=FEATURES, **label):
    table = FeatureTable()
    table.add([LABEL | label] * len(features), features)
    return Answer(table, {"series": []}, ["a picture"] * len(features))


def stored(answer, position=0):
    return Stored(position, f"1.2.{position}", "done", "", packed(answer))


def test_what_is_kept_reads_back_to_the_same_numbers_without_pictures():
    content = packed(answer_of(patient_id="Zoë"))

    found = unpacked(content)

    np.testing.assert_array_equal(found.features, FEATURES)
    assert found.features.dtype == np.float32
    assert [label["patient_id"] for label in found.labels] == ["Zoë", "Zoë"]
    assert found.report == {"series": []}
    assert b"picture" not in content


def test_an_answer_without_rows_is_kept_too():
    found = unpacked(packed(answer_of(np.zeros((0, 2), np.float32))))

    assert (len(found.labels), found.features.size) == (0, 0)


def test_versions_differ_by_what_rows_are_computed_by():
    same = version_of(answer_of()), version_of(answer_of(patient_id="other"))
    others = [
        version_of(answer_of(**{name: "other"}))
        for name in ("weights_sha256", "preprocessing_id", "feature_prefix")
    ]

    assert same[0] == same[1]
    assert len({same[0], *others}) == 4


@pytest.mark.parametrize("form", sorted(FORMS.keys() - {"json"}))
def test_rows_of_two_versions_are_no_file(form):
    mixed = [stored(answer_of()), stored(answer_of(weights_sha256="other"), 1)]

    with pytest.raises(ProblemError, match="mixed_versions") as refused:
        FORMS[form].write(Made(JOB, mixed, {}))

    assert refused.value.status == 409
    assert '{"versions": "older"}' in refused.value.sentence


def test_rows_are_left_out_by_their_codes():
    lossy = {"quality": [{"code": "LOSSY", "severity": "warn", "number": 1.0}]}
    studies = [stored(answer_of(patient_id="kept")), stored(answer_of(patient_id="out", **lossy))]
    made = Made(JOB, studies, {}, excluded=frozenset({"LOSSY"}))

    csv = FORMS["csv"].write(made).decode()
    answers = json.loads(FORMS["json"].write(made))["answers"]

    assert [line.split(",")[0] for line in csv.splitlines()] == ["PatientID", "kept", "kept"]
    assert [len(each["rows"]) for each in answers] == [2, 0]
    assert [each["code"] for each in answers[1]["excluded"]] == ["LOSSY", "LOSSY"]


def test_json_has_rows_of_two_versions():
    mixed = [stored(answer_of()), stored(answer_of(weights_sha256="other"), 1)]

    assert b'"weights_sha256": "other"' in FORMS["json"].write(Made(JOB, mixed, {}))
