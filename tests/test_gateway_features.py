"""Features through the gateway: a zip in, rows out, over a real uvicorn and the real Triton."""

import csv
import io
import json

import httpx
import numpy as np
import pytest
from gateway_server import serving, settings_of, studies_left, together, wait_until
from phantoms import slices, thorax, zip_of
from test_preprocess import SMALL

from tools.client import infer
from tools.phantom import phantom_zip

ZIP = {"Content-Type": "application/zip"}


@pytest.fixture(scope="module")
def gateway(server):
    """The URL of a gateway to the Triton of the tests."""
    with serving(settings_of(server.http_url)) as (url, _):
        yield url


@pytest.fixture(scope="module")
def study():
    return zip_of(*slices(thorax()))


@pytest.fixture(autouse=True)
def _nothing_is_left():
    yield
    wait_until(lambda: not studies_left(), 10)


def features(gateway, content, *, headers=ZIP, **query):
    url = f"{gateway}/api/models/ct3dcnn/features"
    return httpx.post(url, content=content, headers=headers, params=query, timeout=60)


def test_the_answer_is_that_of_triton(gateway, server, study):
    answer = features(gateway, study)

    direct = infer(server.http_url, "ct3dcnn", study)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    found = answer.json()
    assert found["model"] == "ct3dcnn"
    assert [{**row, "features": None} for row in found["rows"]] == [
        {**row, "features": None} for row in direct.rows
    ]
    np.testing.assert_array_equal(
        np.array([row["features"] for row in found["rows"]], np.float32), direct.features
    )
    assert found["previews"] == direct.previews
    assert found["feature_names"][0] == "ct3dcnn1_000"
    assert len(found["feature_names"]) == 256
    assert found["report"]["series"] == direct.report["series"]


@pytest.mark.parametrize("kind", ["application/octet-stream", "application/x-zip-compressed"])
def test_other_names_for_a_zip_will_do(gateway, study, kind):
    assert features(gateway, study, headers={"Content-Type": kind}).is_success


def test_a_body_in_chunks_has_the_same_answer(gateway, study):
    def chunks():
        for start in range(0, len(study), 1000):
            yield study[start : start + 1000]

    answer = features(gateway, chunks(), headers=ZIP)

    assert answer.json()["rows"] == features(gateway, study).json()["rows"]


def test_a_form_has_the_same_answer(gateway, study):
    answer = httpx.post(
        f"{gateway}/api/models/ct3dcnn/features",
        files={"file": ("DOE JOHN.zip", study, "application/zip")},
        data={"preview": "false"},
        timeout=60,
    )

    assert answer.json()["rows"] == features(gateway, study).json()["rows"]
    assert answer.json()["previews"] == [""]


def test_csv_is_a_table(gateway, study):
    answer = features(gateway, study, headers={**ZIP, "Accept": "text/csv"})

    assert answer.headers["content-type"].startswith("text/csv")
    names, row = csv.reader(io.StringIO(answer.text))
    found = features(gateway, study).json()
    assert names == ["PatientID", "Modality", "ROI", *found["feature_names"]]
    assert [float(value) for value in row[3:]] == found["rows"][0]["features"]


@pytest.mark.parametrize(
    ("content", "query", "status", "code"),
    [
        (b"hello", {}, 422, "not_a_zip"),
        (b"", {}, 422, "not_a_zip"),
        (zip_of(), {}, 422, "zip_empty"),
        (phantom_zip("MR"), {}, 422, "untrained_modality"),
        (b"PK", {"colour": "red"}, 400, "unknown_option"),
        (b"PK", {"shared_memory_study": "x"}, 400, "unknown_option"),
        (b"PK", {"regions": "some"}, 422, "bad_option"),
        (b"PK", {"roi": ["a", "b"]}, 400, "bad_option"),
        (b"PK", {"roi": "\0GTV"}, 400, "bad_option"),
        (b"PK", {"roi": "r" * 8193}, 400, "bad_option"),
    ],
)
def test_a_refusal_has_a_code(gateway, content, query, status, code):
    answer = features(gateway, content, **query)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Content-Type": "application/json"}, 415, "unsupported_media_type"),
        ({}, 415, "unsupported_media_type"),
        ({**ZIP, "Content-Encoding": "gzip"}, 415, "content_encoding"),
        ({**ZIP, "Accept": "image/png"}, 406, "not_acceptable"),
        ({"Content-Type": "multipart/form-data"}, 400, "bad_form"),
    ],
)
def test_a_request_that_cannot_be_answered_has_a_code(gateway, headers, status, code):
    answer = features(gateway, b"PK", headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize("model", ["nothing", "ct3dcnn__v1_extractor", "dicom_to_nifti"])
def test_a_model_that_gives_no_features_is_unknown(gateway, model):
    answer = httpx.post(f"{gateway}/api/models/{model}/features", content=b"PK", headers=ZIP)

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_model")


def test_an_option_reaches_the_model(gateway):
    answer = features(gateway, phantom_zip("MR"), allow="untrained_modality", preview="false")

    (row,) = answer.json()["rows"]
    assert row["modality"] == "MR"
    assert answer.json()["previews"] == [""]


def test_the_models_are_listed(gateway):
    (model,) = httpx.get(f"{gateway}/api/models").json()["models"]

    assert model == {
        "name": "ct3dcnn",
        "features": 256,
        "prefix": "ct3dcnn1",
        "weights": "demonstration",
        "trained_modalities": ["CT"],
    }


def test_many_studies_at_once_get_their_own_answers(gateway):
    studies = {f"patient {n}": zip_of(*slices(SMALL, PatientID=f"patient {n}")) for n in range(24)}

    def call(patient, user):
        async def post(client):
            answer = await client.post(
                f"{gateway}/api/models/ct3dcnn/features",
                content=studies[patient],
                headers={**ZIP, "test-user": user},
            )
            return patient, answer

        return post

    calls = [call(patient, f"user {n % 3}") for n, patient in enumerate(studies)]
    for patient, answer in together(*calls):
        assert [row["patient_id"] for row in answer.json()["rows"]] == [patient], json.dumps(
            answer.json()
        )[:300]
