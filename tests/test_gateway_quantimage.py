"""The profile of QuantImage-V2 over HTTP: of one study, and of a job."""

import csv
import io

import httpx
import numpy as np
import pytest
from gateway_server import serving, settings_of
from jobs_world import jobs_gateway
from log_stream import logged
from phantoms import slices, zip_of
from test_gateway_features import ZIP, features
from test_region_rows import PHANTOM, TUMOUR, box
from test_regions_objects import rtstruct

from tools.phantom import phantom_zip

ASKED = {"profile": "quantimage", "allow": "demonstration"}

COLUMNS = ["patient_id", "modality", "VOI", "feature_name", "feature_value"]

NODE = box("node", (34.5, 23.5), (44.5, 35.5), range(18, 22))


def study_of(*regions, uid="1.2.840.7", **attributes):
    image = slices(PHANTOM, Modality="CT", StudyInstanceUID=uid, **attributes)
    return zip_of(*image, rtstruct(image, regions))


@pytest.fixture(scope="module")
def gateway(server):
    with serving(settings_of(server.http_url)) as (url, _):
        yield url


@pytest.fixture(scope="module")
def study():
    return study_of(TUMOUR, NODE, PatientID="P1")


@pytest.fixture(scope="module")
def rows(gateway, study):
    """The rows of the profile, and those of the usual answer."""
    long = features(gateway, study, **ASKED)
    assert long.status_code == 200, long.text
    return long.json(), features(gateway, study, regions="all").json()


def test_each_region_has_a_row_a_feature_and_the_whole_volume_none(rows):
    long, usual = rows

    assert [list(row) for row in long] == [COLUMNS] * 2 * 256
    assert [(row["VOI"], row["feature_name"]) for row in long] == [
        (name, f"tex_ct3dcnn1_{n:03}") for name in ("GTV ä", "node") for n in range(256)
    ]
    assert {(row["patient_id"], row["modality"]) for row in long} == {("P1", "CT")}
    assert [row["feature_value"] for row in long] == [
        value for row in usual["rows"] for value in row["features"]
    ]


def test_values_read_back_to_the_float32_of_the_network(rows):
    values = [row["feature_value"] for row in rows[0]]

    assert [float(str(np.float32(value))) for value in values] == values


def test_csv_has_the_same_rows(gateway, study, rows):
    accept = "application/zip, text/csv;q=0.9, */*;q=0.1"

    answer = features(gateway, study, headers={**ZIP, "Accept": accept}, **ASKED)

    assert answer.headers["content-type"].startswith("text/csv")
    found = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [{**row, "feature_value": float(row["feature_value"])} for row in found] == rows[0]


def test_the_option_of_a_form_is_heard(gateway, study, rows):
    answer = httpx.post(
        f"{gateway}/api/models/ct3dcnn/features?profile=quantimage",
        files={"file": ("study.zip", study, "application/zip")},
        data={"allow": "demonstration", "roi": "node"},
        timeout=60,
    )

    assert answer.json() == rows[0][256:]


@pytest.mark.parametrize(
    ("query", "accept", "status", "code"),
    [
        ({"profile": "quantimage"}, "*/*", 422, "demonstration_weights"),
        (ASKED | {"allow": "untrained_modality"}, "*/*", 422, "demonstration_weights"),
        (ASKED | {"regions": "whole"}, "*/*", 422, "bad_option"),
        (ASKED | {"profile": "okapy"}, "*/*", 400, "bad_query"),
        (ASKED | {"profile": ["quantimage", "quantimage"]}, "*/*", 400, "bad_query"),
        (ASKED | {"colour": "red"}, "*/*", 400, "unknown_option"),
        (ASKED, "application/vnd.apache.parquet", 406, "not_acceptable"),
    ],
)
def test_what_cannot_be_answered_is_refused_before_the_study_is_looked_at(
    gateway, query, accept, status, code
):
    answer = features(gateway, b"no zip", headers={**ZIP, "Accept": accept}, **query)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_study_without_regions_is_refused(gateway):
    answer = features(gateway, phantom_zip(), **ASKED)

    assert (answer.status_code, answer.json()["code"]) == (422, "no_regions")


def test_two_regions_of_one_name_are_refused_without_it(gateway):
    twice = (TUMOUR, ("GTV ä", NODE[1]))

    with logged() as log:
        answer = features(gateway, study_of(*twice), **ASKED)

    assert (answer.status_code, answer.json()["code"]) == (422, "ambiguous_region")
    assert "region 1 of " in answer.json()["detail"]
    assert "ambiguous_region" in log.getvalue()
    assert "GTV" not in answer.text + log.getvalue()


@pytest.fixture(scope="module")
def job(server, tmp_path_factory):
    """A client of a gateway with jobs, and one of two studies: the second has a name twice."""
    database = f"sqlite:///{tmp_path_factory.mktemp('jobs') / 'jobs.sqlite'}"
    with jobs_gateway(server.http_url, database) as (client, _):
        begun = client.ask(
            "POST",
            json={
                "source": {"kind": "uploads"},
                "studies": [{"key": "good"}, {"key": "twice"}],
                "model": "ct3dcnn",
                "options": {"regions": "auto"},
            },
        ).json()
        sent = study_of(TUMOUR, PatientID="P1"), study_of(TUMOUR, TUMOUR, uid="1.2.840.8")
        for position, content in enumerate(sent):
            path = f"/{begun['id']}/studies/{position}/file"
            assert client.ask("PUT", path, content=content, headers=ZIP).is_success
        yield client, client.ended(begun["id"])["id"]


def results(job, form, **query):
    client, job_id = job
    return client.ask("GET", f"/{job_id}/results.{form}", params=query)


def test_rows_of_a_job_name_their_study_and_others_are_told_beside_them(job):
    found = results(job, "json", **ASKED).json()

    assert [list(row) for row in found["rows"]] == [["study_uid", *COLUMNS]] * 256
    assert {(row["study_uid"], row["VOI"]) for row in found["rows"]} == {("1.2.840.7", "GTV ä")}
    (other,) = found["without_rows"]
    assert (other["key"], other["position"], other["code"]) == ("twice", 1, "ambiguous_region")


def test_a_job_of_demonstration_weights_is_asked_for_by_name(job):
    found = results(job, "json", profile="quantimage").json()

    assert found["rows"] == []
    assert {study["code"] for study in found["without_rows"]} == {"demonstration_weights"}


def test_csv_of_a_job_does_not_leave_out_a_study(job):
    refused = results(job, "csv", **ASKED)

    assert (refused.status_code, refused.json()["code"]) == (422, "ambiguous_region")
    assert "study 1" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("form", "query", "status", "code"),
    [
        ("parquet", ASKED, 404, "not_found"),
        ("json", ASKED | {"profile": "okapy"}, 400, "bad_query"),
        ("json", ASKED | {"allow": "everything"}, 422, "bad_option"),
    ],
)
def test_results_that_there_are_not_have_a_code(job, form, query, status, code):
    answer = results(job, form, **query)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
