"""Rows of a job as QuantImage-V2 stores them: several studies, several states."""

import csv
import io
import json
from types import SimpleNamespace

import pytest
from test_jobs_results import FEATURES, answer_of, stored

from gateway.jobs.quantimage import LONG_FORMS
from gateway.jobs.records import Stored
from gateway.jobs.results import Made
from gateway.problems import ProblemError


def job_of(**options):
    request = {"title": "Lungs", "options": options}
    return SimpleNamespace(row=SimpleNamespace(model="ct3dcnn", kind="kheops"), request=request)


def region_of(uid, **label):
    region = {"roi": "GTV", "roi_number": 1, "roi_source_uid": "1.2.9", "roi_link": "series"}
    return answer_of(FEATURES[:1], study_uid=uid, **region | label)


def written(form, *studies, job=None, **more):
    return LONG_FORMS[form].write(Made(job or job_of(), studies, {}, **more))


def test_rows_of_several_studies_are_told_apart_by_their_uid():
    studies = [stored(region_of(f"1.2.{n}"), n) for n in range(2)]

    lines = list(csv.reader(io.StringIO(written("csv", *studies).decode(), newline="")))

    assert lines == [
        ["study_uid", "patient_id", "modality", "VOI", "feature_name", "feature_value"],
        ["1.2.0", "P", "CT", "GTV", "tex_t1_0", "0.1"],
        ["1.2.0", "P", "CT", "GTV", "tex_t1_1", "1e-45"],
        ["1.2.1", "P", "CT", "GTV", "tex_t1_0", "0.1"],
        ["1.2.1", "P", "CT", "GTV", "tex_t1_1", "1e-45"],
    ]
    document = json.loads(written("json", *studies))
    assert [row["feature_value"] for row in document["rows"]] == [0.1, 1e-45] * 2
    assert document["without_rows"] == []


def test_studies_without_an_answer_are_told_of_by_their_state():
    failed = Stored(1, "1.2.1", "failed", "no_images", None)
    waiting = Stored(2, "1.2.2", "waiting", "", None)

    document = json.loads(written("json", stored(region_of("1.2.0")), failed, waiting))

    told = [(study["study_uid"], study["code"]) for study in document["without_rows"]]
    assert told == [("1.2.1", "no_images"), ("1.2.2", "waiting")]
    assert len(written("csv", stored(region_of("1.2.0")), failed, waiting).splitlines()) == 3


def test_a_study_that_is_there_twice_counts_once():
    twice = [stored(region_of("1.2.0"), n) for n in range(2)]

    document = json.loads(written("json", *twice))

    assert len(document["rows"]) == 2
    assert document["without_rows"][0]["code"] == "repeated_study"
    with pytest.raises(ProblemError, match="repeated_study"):
        written("csv", *twice)


@pytest.mark.parametrize("form", ["json", "csv"])
def test_rows_of_two_versions_cannot_be_told_apart(form):
    mixed = [stored(region_of("1.2.0")), stored(region_of("1.2.1", weights_sha256="other"), 1)]

    with pytest.raises(ProblemError, match="mixed_versions"):
        written(form, *mixed)


@pytest.mark.parametrize(
    ("job", "allow"),
    [(job_of(allow="demonstration"), frozenset()), (job_of(), frozenset({"demonstration"}))],
)
def test_demonstration_weights_are_allowed_by_the_job_or_by_who_takes_its_rows(job, allow):
    study = stored(region_of("1.2.0", weights="demonstration"))

    assert len(json.loads(written("json", study, job=job, allow=allow))["rows"]) == 2
    with pytest.raises(ProblemError, match="demonstration_weights"):
        written("csv", study)
