"""Real Tritons and their gateway: one is killed under load, and no study is lost or mixed up."""

import logging
import threading
from dataclasses import replace

import httpx
import numpy as np
import pydicom
import pytest
from gateway_server import serving, settings_of, studies_left, together, wait_until
from phantoms import slices, zip_of
from test_preprocess import SMALL

from tools.client import infer
from tools.engine.installation import find_installation
from tools.engine.ports import free_ports
from tools.engine.process import TritonProcess
from tools.engine.regions import SHARED_MEMORY

ZIP = {"Content-Type": "application/zip"}
FEATURES = "/api/models/ct3dcnn/features"

HUSH = "HUSH"
"""A marker in whatever of a study could name a patient."""


@pytest.fixture
def second(server):
    """Another Triton, which a test may kill."""
    http_port, grpc_port, metrics_port = free_ports(3)
    settings = replace(server, http_port=http_port, grpc_port=grpc_port, metrics_port=metrics_port)
    process = TritonProcess(settings, find_installation())
    try:
        process.wait_for_canary()
        yield process
    finally:
        process.kill()


def test_a_triton_that_is_killed_under_load_loses_no_study(server, second):
    studies = {f"patient {n}": zip_of(*slices(SMALL, PatientID=f"patient {n}")) for n in range(40)}
    urls = (server.http_url, second.settings.http_url)
    bounds = {"GATEWAY_OF_ONE_USER": "40", "GATEWAY_AT_WORK": "6", "GATEWAY_WAITING": "64"}
    with serving(settings_of(*urls, **bounds)) as (url, app):
        engines = list(app.state.engines)
        wait_until(lambda: all(engine.is_in for engine in engines))

        def call(patient):
            async def post(client):
                answer = await client.post(
                    f"{url}{FEATURES}", content=studies[patient], headers=ZIP
                )
                return patient, answer

            return post

        def kill_it_at_work():
            wait_until(lambda: engines[1].pending > 1)
            second.kill()

        killer = threading.Thread(target=kill_it_at_work)
        killer.start()
        answers = together(*map(call, studies))
        killer.join()
        wait_until(lambda: not app.state.studies.admission.places)
        assert app.state.engines.is_ready
        assert not engines[1].is_in

    for patient, answer in answers:
        assert answer.status_code == 200, answer.text
        assert [row["patient_id"] for row in answer.json()["rows"]] == [patient]
    assert not studies_left()


def test_a_triton_that_does_not_see_the_region_gets_the_bytes(server, tmp_path, monkeypatch):
    study = zip_of(*slices(SMALL))
    monkeypatch.setattr("gateway.uploads.region.SHARED_MEMORY", tmp_path)
    with serving(settings_of(server.http_url)) as (url, app):
        assert all(engine.is_local for engine in app.state.engines)
        answer = httpx.post(f"{url}{FEATURES}", content=study, headers=ZIP, timeout=60)

    direct = infer(server.http_url, "ct3dcnn", study)
    np.testing.assert_array_equal(
        np.array([row["features"] for row in answer.json()["rows"]], np.float32), direct.features
    )
    assert not list(tmp_path.iterdir())


def marked_study():
    """A study with the marker in all attributes of text, and in the names of its entries."""
    datasets = slices(SMALL)
    for dataset in datasets:
        for element in pydicom.Dataset(dataset):
            if element.VR in ("PN", "LO", "SH", "ST", "LT"):
                element.value = HUSH
        for keyword in ("PatientName", "PatientID", "PatientComments", "SeriesDescription"):
            setattr(dataset, keyword, HUSH)
    return zip_of(*datasets)


@pytest.mark.parametrize("content", ["answered", "refused", "broken"])
def test_nothing_of_a_study_is_in_a_log_or_a_name(server, caplog, content):
    study = marked_study()
    sent = {"answered": study, "refused": study[:-40], "broken": HUSH.encode() * 1000}[content]
    caplog.set_level(logging.DEBUG)
    with serving(settings_of(server.http_url)) as (url, _):
        form = {"file": (f"{HUSH}.zip", sent, f"application/{HUSH}")}
        answers = [
            httpx.post(f"{url}{FEATURES}", files=form, data={"roi": HUSH}, timeout=60),
            httpx.post(f"{url}{FEATURES}", files=form, timeout=60),
            httpx.post(f"{url}{FEATURES}", files=form, params={HUSH: HUSH}, timeout=60),
            httpx.post(f"{url}{FEATURES}", files=form, data={HUSH: HUSH}, timeout=60),
            httpx.post(f"{url}{FEATURES}", content=sent, headers=ZIP, timeout=60),
            httpx.post(
                f"{url}/v2/models/ct3dcnn/infer",
                content=sent,
                headers={"Inference-Header-Content-Length": "0", "x-df-roi": HUSH},
                timeout=60,
            ),
        ]
        names = [path.name for path in SHARED_MEMORY.iterdir()]

    assert (HUSH in answers[4].text) == (content == "answered")
    logged = "\n".join(
        record.getMessage()
        for record in caplog.records
        if record.threadName != threading.main_thread().name  # that of the clients
    )
    assert "deepfeatures-" not in logged
    assert HUSH not in logged
    assert not any(HUSH in name for name in names)
    assert not studies_left()
