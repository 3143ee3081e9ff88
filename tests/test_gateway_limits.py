"""Clients that go away, full queues, engines that fail: nothing is left, nothing is lost."""

import asyncio
import os
import socket
import time

import httpx
import pytest
from gateway_server import serving, settings_of, studies_left, together, wait_until
from triton_double import doubles

from tools.engine.regions import SHARED_MEMORY

ZIP = {"Content-Type": "application/zip"}
FEATURES = "/api/models/ct3dcnn/features"
STUDY = b"PKpatient 01" + bytes(100_000)


@pytest.fixture
def triton():
    """One double."""
    stack, (double,) = doubles(1)
    with stack:
        yield double


@pytest.fixture
def two_tritons():
    stack, found = doubles(2)
    with stack:
        yield found


@pytest.fixture(autouse=True)
def _nothing_is_left():
    yield
    wait_until(lambda: not studies_left(), 10)


def post(url, study=STUDY, **headers):
    return httpx.post(f"{url}{FEATURES}", content=study, headers=ZIP | headers, timeout=30)


def started(url, study=STUDY, *, sent=None, path=FEATURES, **headers):
    """A connection on which a study, or the first bytes of it, have been sent."""
    host, _, port = url.removeprefix("http://").partition(":")
    connection = socket.create_connection((host, int(port)))
    lines = {"Host": host, "Content-Length": len(study), **ZIP, **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    connection.sendall(f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + study[:sent])
    return connection


def is_idle(app):
    admission = app.state.studies.admission
    return not (admission.places or admission.at_work or app.state.studies.regions.held_bytes)


def test_to_another_machine_goes_the_study_with_its_length_never_in_chunks(triton):
    with serving(settings_of(triton.url)) as (url, _):
        answer = post(url)

    assert answer.json()["rows"][0]["patient_id"] == "patient 01"
    assert answer.json()["rows"][0]["features"] == [0.5, 1.25]
    assert triton.studies == [STUDY]
    (headers,) = triton.headers
    assert "transfer-encoding" not in headers
    assert int(headers["content-length"]) == len(STUDY) + int(
        headers["inference-header-content-length"]
    )
    assert headers["accept-encoding"] == "identity"


def test_what_a_double_tells_of_its_model_is_listed(triton):
    with serving(settings_of(triton.url)) as (url, _):
        (model,) = httpx.get(f"{url}/api/models").json()["models"]

    assert model == {
        "name": "ct3dcnn",
        "features": 2,
        "prefix": "t1",
        "weights": "trained",
        "trained_modalities": None,
    }


def test_a_client_that_goes_away_in_mid_upload_leaves_nothing(triton):
    with serving(settings_of(triton.url)) as (url, app):
        connection = started(url, sent=50_000)
        wait_until(lambda: app.state.studies.regions.held_bytes == 50_000)
        assert app.state.studies.admission.places == 1
        connection.close()
        wait_until(lambda: is_idle(app))
        assert not studies_left()
    assert not triton.studies


def test_a_client_that_goes_away_in_mid_work_leaves_its_turn_to_the_answer_alone(triton):
    triton.held = asyncio.Event()
    with serving(settings_of(triton.url)) as (url, app):
        connection = started(url)
        wait_until(lambda: triton.studies)
        connection.close()
        wait_until(lambda: not studies_left())
        assert (app.state.studies.admission.places, app.state.studies.admission.at_work) == (1, 1)
        assert app.state.studies.regions.held_bytes == 0
        triton.held.set()
        wait_until(lambda: is_idle(app))
        assert post(url).is_success


def test_a_client_that_goes_away_while_it_waits_leaves_the_queue(triton):
    triton.held = asyncio.Event()
    with serving(settings_of(triton.url, GATEWAY_AT_WORK="1")) as (url, app):
        first = started(url)
        wait_until(lambda: triton.studies)
        waiting = started(url)
        wait_until(lambda: app.state.studies.regions.held_bytes == 2 * len(STUDY))
        waiting.close()
        wait_until(lambda: app.state.studies.admission.places == 1)
        assert app.state.studies.regions.held_bytes == len(STUDY)
        triton.held.set()
        wait_until(lambda: is_idle(app))
        first.close()
    assert len(triton.studies) == 1


def test_beyond_the_queue_are_refusals_and_then_it_goes_on(triton):
    triton.held = asyncio.Event()
    bounds = {"GATEWAY_AT_WORK": "1", "GATEWAY_WAITING": "1", "GATEWAY_OF_ONE_USER": "1"}
    with serving(settings_of(triton.url, **bounds)) as (url, app):
        connections = [started(url, **{"test-user": user}) for user in "ab"]
        wait_until(lambda: app.state.studies.admission.places == 2)

        yours = post(url, **{"test-user": "a"})
        full = post(url, **{"test-user": "c"})
        assert (yours.status_code, yours.json()["code"]) == (429, "too_many_of_yours")
        assert (full.status_code, full.json()["code"]) == (503, "queue_full")
        for refused in (yours, full):
            assert int(refused.headers["Retry-After"]) >= 1

        triton.held.set()
        wait_until(lambda: is_idle(app))
        assert post(url, **{"test-user": "c"}).is_success
        for connection in connections:
            connection.close()


def test_the_refusal_comes_before_the_study_is_sent(triton):
    bounds = {"GATEWAY_AT_WORK": "1", "GATEWAY_WAITING": "1", "GATEWAY_OF_ONE_USER": "1"}
    with serving(settings_of(triton.url, **bounds)) as (url, app):
        first = started(url, sent=10)
        wait_until(lambda: app.state.studies.admission.places == 1)
        with started(url, sent=0, Expect="100-continue") as second:
            assert b" 429 " in second.recv(1000)
        first.close()


@pytest.mark.parametrize("chunked", [False, True])
def test_a_study_above_the_limit_is_refused(triton, chunked):
    def chunks():
        for _ in range(40):
            yield bytes(100_000)

    content = chunks() if chunked else bytes(4_000_000)
    with serving(settings_of(triton.url, GATEWAY_STUDY_MIB="1")) as (url, app):
        answer = post(url, content)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
        wait_until(lambda: is_idle(app))
        assert not studies_left()


def test_a_form_above_the_limit_is_refused(triton):
    with serving(settings_of(triton.url, GATEWAY_STUDY_MIB="1")) as (url, _):
        answer = httpx.post(f"{url}{FEATURES}", files={"file": ("x", bytes(2_000_000))})

    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_without_room_for_one_more_it_is_said(triton):
    triton.held = asyncio.Event()
    with serving(settings_of(triton.url, GATEWAY_HELD_MIB="1")) as (url, app):
        first = started(url, b"PK" + bytes(800_000))
        wait_until(lambda: triton.studies)
        answer = post(url, b"PK" + bytes(800_000))
        assert (answer.status_code, answer.json()["code"]) == (503, "no_room")
        assert int(answer.headers["Retry-After"]) >= 1
        triton.held.set()
        wait_until(lambda: is_idle(app))
        assert post(url, b"PK" + bytes(800_000)).is_success
        first.close()


def test_a_sender_that_trickles_is_let_go(triton, monkeypatch):
    monkeypatch.setattr("gateway.uploads.body.PATIENCE_SECONDS", 0.3)
    with serving(settings_of(triton.url)) as (url, app), started(url, sent=100) as connection:
        assert b" 408 " in connection.recv(1000)
        wait_until(lambda: is_idle(app))


def test_a_slow_sender_that_goes_on_is_not(triton, monkeypatch):
    monkeypatch.setattr("gateway.uploads.body.PATIENCE_SECONDS", 0.5)
    monkeypatch.setattr("gateway.uploads.body.LEAST_BYTES", 1000)
    with serving(settings_of(triton.url)) as (url, _), started(url, sent=0) as connection:
        for start in range(0, len(STUDY), 10_000):
            connection.sendall(STUDY[start : start + 10_000])
            time.sleep(0.1)
        assert b" 200 " in connection.recv(1000)


def test_what_takes_too_long_is_given_up_and_its_turn_comes_back(triton):
    triton.held = asyncio.Event()
    with serving(settings_of(triton.url, GATEWAY_SECONDS="1")) as (url, app):
        answer = post(url)
        assert (answer.status_code, answer.json()["code"]) == (504, "too_slow")
        assert not studies_left()
        assert app.state.studies.admission.at_work == 1
        triton.held.set()
        wait_until(lambda: is_idle(app))


def test_a_triton_that_never_answers_gives_its_turn_back(triton):
    triton.held = asyncio.Event()
    with serving(settings_of(triton.url, GATEWAY_SECONDS="0.5")) as (url, app):
        assert post(url).status_code == 504
        wait_until(lambda: is_idle(app), 5)
    triton.held.set()


@pytest.mark.parametrize(
    "error",
    [
        "in ensemble 'ct3dcnn', Stub process 'ct3dcnn__v1_preprocess_0_0' is not healthy.",
        "Request for unknown model: 'ct3dcnn' has no available versions",
        None,
    ],
)
def test_an_interrupted_study_goes_to_another_engine(two_tritons, error):
    first, second = two_tritons
    first.errors = second.errors = [error]
    with serving(settings_of(first.url, second.url)) as (url, _):
        wait_until(lambda: len(httpx.get(f"{url}/api/models").json()["models"]) == 1)
        assert post(url).is_success

    assert len(first.studies) + len(second.studies) == 2


def test_an_interrupted_study_goes_to_the_same_engine_when_it_is_back(triton):
    triton.errors = ["Stub process is not healthy", None]
    with serving(settings_of(triton.url)) as (url, _):
        assert post(url).is_success

    assert triton.studies == [STUDY] * 3


def test_a_study_that_models_die_of_is_given_up(triton):
    triton.errors = ["Stub process is not healthy"] * 100
    with serving(settings_of(triton.url)) as (url, app):
        answer = post(url)
        assert (answer.status_code, answer.json()["code"]) == (503, "retry")
        assert is_idle(app)

    assert len(triton.studies) == 3


def test_triton_s_own_words_are_not_shown(triton):
    triton.errors = ["failed to stat /home/DOE/x"]
    with serving(settings_of(triton.url)) as (url, _):
        answer = post(url)

    assert (answer.status_code, answer.json()["code"]) == (502, "service_error")
    assert "DOE" not in answer.text


def test_a_full_queue_of_the_engine_is_said_as_it_is(triton):
    triton.errors = ["in ensemble 'ct3dcnn', busy: too many studies are waiting"]
    with serving(settings_of(triton.url)) as (url, _):
        answer = post(url)

    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert int(answer.headers["Retry-After"]) >= 1


def test_studies_are_shared_by_the_engines(two_tritons):
    first, second = two_tritons
    first.held = second.held = asyncio.Event()

    async def call(client):
        return await client.post(f"{url}{FEATURES}", content=STUDY, headers=ZIP)

    with serving(settings_of(first.url, second.url)) as (url, app):
        wait_until(lambda: all(engine.is_in for engine in app.state.engines))
        connections = [started(url) for _ in range(8)]
        wait_until(lambda: len(first.studies) + len(second.studies) == 8)
        assert (len(first.studies), len(second.studies)) == (4, 4)
        first.held.set()
        wait_until(lambda: is_idle(app))
        for connection in connections:
            connection.close()
        assert all(answer.is_success for answer in together(*[call] * 10))


def test_without_an_engine_it_is_not_ready_and_says_so():
    with serving(settings_of("127.0.0.1:9"), ready=False) as (url, _):
        assert httpx.get(f"{url}/readyz").status_code == 503
        assert httpx.get(f"{url}/livez").is_success
        answer = post(url)

    assert (answer.status_code, answer.json()["code"]) == (503, "retry")


def test_a_late_canary_counts_when_nothing_else_is_in_flight(triton, monkeypatch):
    monkeypatch.setattr("gateway.engines.canary.EVERY_SECONDS", 0.05)
    monkeypatch.setattr("gateway.engines.canary.LATE_SECONDS", 0.3)
    monkeypatch.setattr("gateway.engines.canary.LOOK_SECONDS", 0.05)
    with serving(settings_of(triton.url)) as (url, app):
        triton.held = asyncio.Event()
        connection = started(url)
        wait_until(lambda: triton.studies)
        triton.answers_canaries = False
        time.sleep(1.0)
        assert app.state.engines.is_ready  # busy, and so not dead
        triton.held.set()
        connection.recv(100)
        wait_until(lambda: httpx.get(f"{url}/readyz").status_code == 503)
        triton.answers_canaries = True
        wait_until(lambda: httpx.get(f"{url}/readyz").is_success)
        connection.close()


def test_the_gateway_ends_with_studies_in_it(triton):
    triton.held = asyncio.Event()
    with serving(settings_of(triton.url)) as (url, _):
        connection = started(url)
        wait_until(lambda: triton.studies)
        connection.close()
    assert not studies_left()
    triton.held.set()


def test_a_large_answer_is_relayed_in_chunks(triton):
    triton.answer_bytes = 5_000_000
    with serving(settings_of(triton.url)) as (url, app):
        raw = {"Inference-Header-Content-Length": "0"}
        with httpx.stream(
            "POST", f"{url}/v2/models/ct3dcnn/infer", content=STUDY, headers=raw
        ) as answer:
            chunks = list(answer.iter_raw())
        wait_until(lambda: is_idle(app))

    assert sum(map(len, chunks)) > 5_000_000
    assert triton.studies == [STUDY]


def test_a_client_that_leaves_an_answer_lets_go_of_all(triton):
    triton.answer_bytes = 20_000_000
    with serving(settings_of(triton.url)) as (url, app):
        raw = {"Inference-Header-Content-Length": "0"}
        with started(url, path="/v2/models/ct3dcnn/infer", **raw) as connection:
            connection.recv(100)
        wait_until(lambda: is_idle(app))
        assert post(url).is_success


def test_a_refusal_that_quotes_words_of_an_interruption_is_a_refusal(triton):
    words = "no region is named Stub process has no available versions"
    triton.errors = [f"in ensemble 'ct3dcnn', no_regions: {words}"]
    with serving(settings_of(triton.url)) as (url, _):
        answer = post(url)

    assert (answer.status_code, answer.json()["code"]) == (422, "no_regions")
    assert len(triton.studies) == 1


def test_a_client_that_goes_away_while_its_study_is_sent_on_leaves_nothing(triton):
    """A Triton that does not get all of a study does nothing with it."""
    triton.reads = asyncio.Event()
    with serving(settings_of(triton.url)) as (url, app):
        connection = started(url, b"PK" + bytes(30_000_000))
        wait_until(lambda: triton.begun)
        connection.close()
        wait_until(lambda: not studies_left())
        triton.reads.set()
        wait_until(lambda: is_idle(app))
        assert post(url).is_success

    assert triton.studies == [STUDY]


def test_what_a_killed_gateway_left_is_removed_at_the_start():
    left = SHARED_MEMORY / f"deepfeatures-1-1-study-{'0' * 31}1"  # no process starts at tick 1
    left.touch()
    os.utime(left, (time.time() - 31,) * 2)
    try:
        with serving(settings_of("127.0.0.1:9"), ready=False):
            wait_until(lambda: not left.exists())
    finally:
        left.unlink(missing_ok=True)


def test_a_model_that_fails_over_a_canary_gets_no_studies_until_it_answers_one(triton):
    triton.canary_error = "in ensemble 'ct3dcnn', Stub process is not healthy"
    with serving(settings_of(triton.url, GATEWAY_SECONDS="4"), ready=False) as (url, _):
        wait_until(lambda: httpx.get(f"{url}/api/models").json()["models"])
        assert httpx.get(f"{url}/readyz").status_code == 503
        answer = post(url)
        assert (answer.status_code, answer.json()["code"]) == (503, "retry")
        assert not triton.studies
        triton.canary_error = ""
        wait_until(lambda: httpx.get(f"{url}/readyz").is_success)
        assert post(url).is_success
