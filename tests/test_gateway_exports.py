"""Rows that the gateway answered, as files, points and comparisons: with the real Triton."""

import asyncio
import csv
import io
import json
import time
import zipfile

import httpx
import numpy as np
import openpyxl
import pyarrow.parquet as pq
import pytest
from gateway_server import serving, settings_of, together
from result_rows import answered, cohort, document_of
from test_region_rows import TUMOUR, study_with

from gateway.problems import ProblemError
from gateway.results import desk as desk_module
from gateway.results.desk import Desk
from gateway.results.export import MEDIA_TYPES

FILES = ("csv", "zip", "xlsx", "parquet")


@pytest.fixture(scope="module")
def gateway(server):
    with serving(settings_of(server.http_url)) as (url, _):
        yield url


@pytest.fixture(scope="module")
def study():
    return study_with(TUMOUR)


@pytest.fixture(scope="module")
def answer(gateway, study):
    """A study's answer, as the page gets it."""
    return extracted(gateway, study, "json").json()


def extracted(gateway, study, form):
    headers = {"Content-Type": "application/zip", "Accept": MEDIA_TYPES[form]}
    url = f"{gateway}/api/models/ct3dcnn/features"
    return httpx.post(url, content=study, headers=headers, timeout=60)


def sent(gateway, path, document, **more):
    return httpx.post(f"{gateway}/api/{path}", json=document, timeout=60, **more)


def answers_of(*answers, **more):
    return {
        "model": "ct3dcnn",
        "answers": [{"name": f"{n}.zip", **answer} for n, answer in enumerate(answers, 1)],
        **more,
    }


def features_in(form, content):
    """The features of all rows in a file, as another program reads them."""
    if form == "parquet":
        table = pq.read_table(io.BytesIO(content))
        names = [name for name in table.column_names if name.startswith("ct3dcnn1_")]
        return np.stack([table[name].to_numpy() for name in names], axis=1)
    if form == "xlsx":
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True)
        _, *rows = book["Features"].iter_rows(values_only=True)
        return np.float32([row[5:] for row in rows])
    texts = [content.decode()] if form == "csv" else []
    if form == "zip":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = [each for each in archive.namelist() if each.startswith("features_album_")]
            texts = [archive.read(name).decode() for name in names]
    rows = [row for text in texts for row in list(csv.reader(io.StringIO(text)))[1:]]
    return np.float32([row[3:] for row in rows])


@pytest.mark.parametrize("form", FILES)
def test_rows_are_exported_with_the_numbers_of_the_network(gateway, answer, form):
    exported = sent(gateway, f"exports/{form}", answers_of(answer, title="Lung ä"))

    assert exported.status_code == 200
    assert exported.headers["content-type"].startswith(MEDIA_TYPES[form])
    assert exported.headers["content-disposition"] == (
        f"attachment; filename*=UTF-8''features_album_Lung%20%C3%A4.{form}"
    )
    expected = np.float32([row["features"] for row in answer["rows"]])
    np.testing.assert_array_equal(features_in(form, exported.content), expected)


@pytest.mark.parametrize("form", FILES)
def test_a_study_can_be_had_in_each_form_at_once(gateway, study, answer, form):
    had = extracted(gateway, study, form)

    assert had.headers["content-type"].startswith(MEDIA_TYPES[form])
    expected = np.float32([row["features"] for row in answer["rows"]])
    np.testing.assert_array_equal(features_in(form, had.content), expected)


def test_methods_tell_what_the_model_of_this_service_does(gateway, answer):
    content = sent(gateway, "exports/zip", answers_of(answer)).content

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        told = archive.read("methods.md").decode()
        assert json.loads(archive.read("provenance.json"))["parameters"]["antialias"] == "none"
    assert "DEMONSTRATION WEIGHTS" in told
    assert "Interpolation was linear" in told


@pytest.mark.parametrize(
    ("path", "document", "status", "code"),
    [
        ("exports/doc", {"model": "m", "answers": []}, 404, "not_found"),
        ("exports/csv", {"model": "m"}, 400, "bad_request"),
        ("exports/csv", [], 400, "bad_request"),
        ("comparisons", [], 400, "bad_request"),
        ("comparisons", {"first": {"model": "m", "answers": []}}, 400, "bad_request"),
        ("projections", {"rows": [{"features": [1]}, {"features": [1, 2]}]}, 400, "bad_request"),
        ("projections", {"rows": [{"features": [1]}] * 20_001}, 413, "too_large"),
    ],
)
def test_a_document_that_cannot_be_has_a_code(gateway, path, document, status, code):
    refused = sent(gateway, path, document)

    assert (refused.status_code, refused.json()["code"]) == (status, code)


def test_mixed_versions_are_refused_and_what_differs_is_named(gateway):
    document = document_of(cohort(answered("A")))
    other = document_of(cohort(answered("B", weights_sha256="f" * 64)))
    document["answers"] += other["answers"]

    refused = sent(gateway, "exports/xlsx", document)

    assert (refused.status_code, refused.json()["code"]) == (409, "mixed_versions")
    assert "weights_sha256" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Content-Type": "text/plain"}, "unsupported_media_type"),
        ({"Content-Type": "application/json", "Content-Encoding": "gzip"}, "content_encoding"),
    ],
)
def test_only_json_is_taken_and_as_it_is(gateway, headers, code):
    refused = httpx.post(f"{gateway}/api/exports/csv", content=b"{}", headers=headers)

    assert (refused.status_code, refused.json()["code"]) == (415, code)


def test_a_document_above_the_limit_is_refused_before_it_is_sent(gateway, monkeypatch):
    monkeypatch.setattr(desk_module, "DOCUMENT_BYTES", 10)

    for content in (b"x" * 11, iter([b"x" * 6, b"x" * 5])):
        refused = httpx.post(
            f"{gateway}/api/exports/csv",
            content=content,
            headers={"Content-Type": "application/json"},
        )
        assert (refused.status_code, refused.json()["code"]) == (413, "too_large")


def test_rows_are_projected(gateway):
    found = sent(
        gateway,
        "projections",
        {"rows": [{"features": each} for each in ([0, 0, 5], [1, 2, 5], [2, 4, 5])]},
    ).json()

    assert found["explained"] == pytest.approx([1, 0, 0])
    assert [round(score[0], 6) for score in found["scores"]] == [-1.414214, 0, 1.414214]
    assert found["constant"] == 1


def test_two_runs_are_compared(gateway, answer):
    run = answers_of(answer)

    found = sent(gateway, "comparisons", {"first": run, "second": run}).json()

    assert found["counts"]["identical"] == len(answer["rows"]) == 2


def test_others_are_answered_while_a_large_cohort_is_written(gateway):
    """Reading and writing go on in threads: a probe waits for none of them."""
    document = json.dumps(document_of(cohort(*(answered(f"P{n}") for n in range(100))))).encode()
    waited = []

    async def export(client):
        headers = {"Content-Type": "application/json"}
        url = f"{gateway}/api/exports/xlsx"
        assert (await client.post(url, content=document, headers=headers)).is_success

    async def probe(client):
        for _ in range(20):
            start = time.monotonic()
            assert (await client.get(f"{gateway}/livez")).is_success
            waited.append(time.monotonic() - start)
            await asyncio.sleep(0.02)

    together(export, export, export, probe)

    assert sorted(waited)[len(waited) // 2] < 0.5


@pytest.mark.anyio
async def test_no_more_than_two_documents_are_worked_on_and_what_is_held_is_bounded(monkeypatch):
    monkeypatch.setattr(desk_module, "HELD_BYTES", 8)
    at_once, most = 0, 0

    async def answer_of(desk, body):
        async def receive():
            return {"type": "http.request", "body": body, "more_body": False}

        headers = [(b"content-type", b"application/json")]
        scope = {"type": "http", "method": "POST", "headers": headers}
        return await desk.answer(desk_module.Request(scope, receive), work)

    def work(body):
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        time.sleep(0.02)
        at_once -= 1
        return bytes(body)

    desk = Desk()
    assert await asyncio.gather(*(answer_of(desk, b"1") for _ in range(6))) == [b"1"] * 6
    assert most == 2
    with pytest.raises(ProblemError) as refused:
        await answer_of(desk, b"123456789")
    assert (refused.value.status, refused.value.code) == (503, "no_room")
    assert await answer_of(desk, b"12345678") == b"12345678"
