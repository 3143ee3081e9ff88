"""Triton's protocol through the gateway: tritonclient and curl work, and nothing else gets by."""

import http.client
import json
import shutil
import subprocess
from contextlib import closing
from types import MappingProxyType

import httpx
import numpy as np
import pytest
import tritonclient.http
from gateway_server import serving, settings_of, studies_left, wait_until
from phantoms import slices, thorax, zip_of
from tritonclient.utils import InferenceServerException

from imaging.shared_study import PARAMETER
from tools.client import infer
from tools.engine.access import local_access
from tools.engine.command import KEY_HEADER
from tools.engine.regions import SHARED_MEMORY, study_region_name

RAW = {"Inference-Header-Content-Length": "0"}
BEARER = MappingProxyType({"Authorization": "Bearer some.token"})
INFER = "/v2/models/ct3dcnn/infer"


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


@pytest.fixture
def client(gateway):
    with tritonclient.http.InferenceServerClient(gateway.removeprefix("http://")) as client:
        yield client


def tensor_of(study):
    tensor = tritonclient.http.InferInput("DICOM_ZIP", [len(study)], "UINT8")
    tensor.set_data_from_numpy(np.frombuffer(study, np.uint8))
    return tensor


def test_tritonclient_gets_what_triton_answers(client, server, study):
    answer = client.infer("ct3dcnn", [tensor_of(study)], headers=dict(BEARER))

    direct = infer(server.http_url, "ct3dcnn", study)
    np.testing.assert_array_equal(answer.as_numpy("FEATURES"), direct.features)
    assert [json.loads(row) for row in answer.as_numpy("ROWS")] == direct.rows


@pytest.mark.parametrize("binary", [True, False])
def test_tritonclient_chooses_outputs_options_and_an_id(client, study, binary):
    outputs = [tritonclient.http.InferRequestedOutput("ROWS", binary_data=binary)]

    answer = client.infer(
        "ct3dcnn",
        [tensor_of(study)],
        model_version="1",
        outputs=outputs,
        request_id="one-1",
        parameters={"preview": False, "regions": "whole"},
        headers=dict(BEARER),
    )

    assert [output["name"] for output in answer.get_response()["outputs"]] == ["ROWS"]
    assert answer.get_response()["id"] == "one-1"
    assert len(answer.as_numpy("ROWS")) == 1


def test_tritonclient_converts_to_nifti(client, study):
    answer = client.infer("dicom_to_nifti", [tensor_of(study)], headers=dict(BEARER))

    assert answer.as_numpy("NIFTI")[0][:2] == b"\x1f\x8b"


def test_tritonclient_sees_health_and_metadata(client):
    assert client.is_server_live(headers=dict(BEARER))
    assert client.is_server_ready(headers=dict(BEARER))
    assert client.is_model_ready("ct3dcnn", headers=dict(BEARER))
    assert client.is_model_ready("ct3dcnn", "1", headers=dict(BEARER))
    assert client.get_server_metadata(headers=dict(BEARER))["name"] == "triton"
    (given,) = client.get_model_metadata("ct3dcnn", headers=dict(BEARER))["inputs"]
    assert given["name"] == "DICOM_ZIP"


def test_tritonclient_shows_the_words_of_a_refusal(client):
    with pytest.raises(InferenceServerException, match="not_a_zip"):
        client.infer("ct3dcnn", [tensor_of(b"hello")], headers=dict(BEARER))
    with pytest.raises(InferenceServerException, match="unknown_model"):
        client.infer("ct4dcnn", [tensor_of(b"hello")], headers=dict(BEARER))


def test_tritonclient_has_no_way_to_what_is_restricted(client):
    for call in (
        client.get_model_repository_index,
        client.get_system_shared_memory_status,
        client.get_inference_statistics,
        client.get_trace_settings,
        client.get_log_settings,
        lambda: client.get_model_config("ct3dcnn"),
        lambda: client.load_model("ct3dcnn"),
        lambda: client.unload_model("ct3dcnn"),
        lambda: client.register_system_shared_memory("x", "/x", 1),
        lambda: client.unregister_system_shared_memory(),
    ):
        with pytest.raises(InferenceServerException, match="not_found|unknown_model"):
            call()


def test_a_raw_answer_is_that_of_triton(gateway, server, study):
    headers = {**RAW, "X-DF-Preview": "false", "Content-Type": "application/octet-stream"}
    ours, direct = (
        httpx.post(f"{base}{INFER}", content=study, headers=headers, timeout=60)
        for base in (gateway, f"http://{server.http_url}")
    )

    assert ours.status_code == direct.status_code == 200
    for name in ("Content-Type", "Inference-Header-Content-Length", "Content-Length"):
        assert len(ours.headers[name]) == len(direct.headers[name])
    length = int(ours.headers["Inference-Header-Content-Length"])
    described = json.loads(ours.content[:length])["outputs"]
    assert [each["name"] for each in described] == [
        each["name"] for each in json.loads(direct.content[:length])["outputs"]
    ]
    assert ours.content[-1024:] == direct.content[-1024:]  # FEATURES


@pytest.mark.skipif(not shutil.which("curl"), reason="there is no curl")
@pytest.mark.parametrize("chunked", [(), ("-H", "Transfer-Encoding: chunked")])
def test_curl_sends_a_raw_request(gateway, study, tmp_path, chunked):
    (tmp_path / "study.zip").write_bytes(study)
    command = ["curl", "-sS", "-i", "--data-binary", f"@{tmp_path / 'study.zip'}", *chunked]
    headers = [
        word for name, value in {**RAW, **BEARER}.items() for word in ("-H", f"{name}: {value}")
    ]

    answer = subprocess.run([*command, *headers, f"{gateway}{INFER}"], capture_output=True)

    assert answer.returncode == 0, answer.stderr
    assert b"200 OK" in answer.stdout, answer.stdout
    assert b'"name":"FEATURES"' in answer.stdout


def test_a_refusal_of_the_model_is_as_triton_says_it(gateway, server):
    ours, direct = (
        httpx.post(f"{base}{INFER}", content=b"hello", headers=RAW)
        for base in (gateway, f"http://{server.http_url}")
    )

    assert (ours.status_code, ours.json()) == (direct.status_code, direct.json())


def asked(gateway, stated, study=b"PK", **headers):
    """The answer to JSON, or to a text in place of it, before a zip."""
    head = stated if isinstance(stated, bytes) else json.dumps(stated).encode()
    length = {"Inference-Header-Content-Length": str(len(head))}
    return httpx.post(f"{gateway}{INFER}", content=head + study, headers=length | headers)


def request_of(study=b"PK", **more):
    tensor = {
        "name": "DICOM_ZIP",
        "datatype": "UINT8",
        "shape": [len(study)],
        "parameters": {"binary_data_size": len(study)},
    }
    return {"inputs": [tensor | more.pop("tensor", {})]} | more


def test_what_the_tests_below_change_is_understood(gateway):
    answer = asked(gateway, request_of())

    assert answer.status_code == 400
    assert answer.json() == {
        "error": "in ensemble 'ct3dcnn', not_a_zip: the 2 bytes that came are not a zip file"
    }


SHARED = {"shared_memory_region": "r", "shared_memory_byte_size": 2, "shared_memory_offset": 0}
NAMES = ["shared_memory_study", "Shared_Memory_Study", "shared_memory_region", "SHARED_MEMORY_x"]


@pytest.mark.parametrize(
    "stated",
    [
        *(request_of(parameters={name: "x"}) for name in NAMES),
        *(request_of(parameters={f"x-df-{name}": "x"}) for name in NAMES),
        *(request_of(tensor={"parameters": {"binary_data_size": 2, name: 2}}) for name in SHARED),
        request_of(tensor={"parameters": SHARED}),
        request_of(outputs=[{"name": "ROWS", "parameters": SHARED}]),
        request_of(outputs=[{"name": "ROWS", "shared_memory_region": "r"}]),
        request_of(shared_memory_region="r"),
        request_of(parameters={"preview": {PARAMETER: "x"}}),
        request_of(parameters=[PARAMETER]),
        json.dumps(request_of(parameters={PARAMETER: "x"})).replace("_", "\\u005f").encode(),
        b'{"parameters": {}, "parameters": {"shared_memory_study": "x"}, '
        + json.dumps(request_of()).encode()[1:],
        json.dumps(request_of(parameters={PARAMETER: "x"})).encode("utf-16"),
        b"\xef\xbb\xbf" + json.dumps(request_of()).encode(),
        json.dumps(request_of()).encode() + b"{}",
        b"/**/" + json.dumps(request_of()).encode(),
        b"[" * 60000,
        b"{" * 60000,
        b"[]",
        b"null",
        b"\xff",
        request_of(parameters={"sequence_id": 1}),
        request_of(parameters={"priority": 1}),
        request_of(parameters={"timeout": 1}),
        request_of(parameters={"roi": 1}),
        request_of(parameters={"roi": "r" * 8193}),
        request_of(parameters={"roi": "\0r"}),
        request_of(parameters={"roi": "\ud800"}),
        request_of(parameters={"binary_data_output": "true"}),
        request_of(id="a\nb"),
        request_of(id=["a"]),
        request_of(id="a" * 65),
        request_of(tensor={"shape": [0], "parameters": {"binary_data_size": 0}}),
        request_of(tensor={"shape": [-2], "parameters": {"binary_data_size": -2}}),
        request_of(tensor={"shape": [True], "parameters": {"binary_data_size": True}}),
        request_of(tensor={"shape": [2.0]}),
        request_of(tensor={"shape": [1, 2]}),
        request_of(tensor={"shape": [3]}),
        request_of(tensor={"shape": [3], "parameters": {"binary_data_size": 3}}),
        request_of(tensor={"data": [80, 75]}),
        request_of(tensor={"datatype": "BYTES"}),
        request_of(tensor={"name": "VOLUMES"}),
        request_of(inputs=[]),
        request_of(inputs=request_of()["inputs"] * 2),
        request_of(outputs=[{"name": "ROWS", "parameters": {"classification": 3}}]),
        request_of(outputs=[{"name": "../x"}]),
        request_of(outputs=[{"name": "ROWS"}] * 17),
        {},
    ],
)
def test_what_is_not_understood_is_refused(gateway, stated):
    answer = asked(gateway, stated)

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert answer.json()["error"].startswith("bad_request: ")


@pytest.fixture
def region():
    """Another user's study, by whose name it can be read once."""
    file = SHARED_MEMORY / study_region_name()
    file.write_bytes(zip_of(*slices(thorax())))
    yield file
    file.unlink()


@pytest.mark.parametrize("name", ["x-df-shared_memory_study", "X-DF-Shared_Memory_Study"])
def test_a_region_is_not_read_by_a_header(gateway, region, study, name):
    answer = httpx.post(f"{gateway}{INFER}", content=study, headers={**RAW, name: region.name})

    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_option")
    assert region.exists()


def test_a_header_that_is_none_of_the_options_stays_here(gateway, server, study):
    """The admin header would open what is restricted, if there were a way to it."""
    key = {KEY_HEADER: local_access(server.http_url).key}

    assert httpx.post(f"{gateway}/v2/repository/index", headers=key).status_code == 404
    assert httpx.get(f"{gateway}/v2/models/ct3dcnn/config", headers=key).status_code == 404
    assert asked(gateway, request_of(study), study, **key).is_success


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 400),
        ({"Inference-Header-Content-Length": "-1"}, 400),
        ({"Inference-Header-Content-Length": "0x0"}, 400),
        ({"Inference-Header-Content-Length": "+0"}, 400),
        ({"Inference-Header-Content-Length": "65537"}, 400),
        ({"Inference-Header-Content-Length": "65536"}, 400),
        ({"Inference-Header-Content-Length": ""}, 400),
        ({**RAW, "Content-Encoding": "gzip"}, 415),
        ({**RAW, "X-DF-Roi": "ö".encode()}, 400),
    ],
)
def test_headers_that_are_not_understood_are_refused(gateway, headers, status):
    answer = httpx.post(f"{gateway}{INFER}", content=b"PK", headers=headers)

    assert answer.status_code == status
    assert answer.json()["error"]


def test_a_header_that_is_there_twice_is_refused(gateway):
    for name in ("Inference-Header-Content-Length", "X-DF-Roi"):
        headers = [*RAW.items(), (name, "0"), (name, "0")]
        assert httpx.post(f"{gateway}{INFER}", content=b"PK", headers=headers).status_code == 400


def test_an_empty_study_is_refused(gateway):
    answer = httpx.post(f"{gateway}{INFER}", content=b"", headers=RAW)

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


def status_of(gateway, method, path, **headers):
    """The status of a path that is sent byte for byte; clients would normalise it."""
    with closing(http.client.HTTPConnection(gateway.removeprefix("http://"))) as connection:
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        return connection.getresponse().status


@pytest.mark.parametrize(
    "path",
    [
        "/v2/repository/index",
        "/v2/repository/models/ct3dcnn/load",
        "/v2/models/ct3dcnn/../../repository/index",
        "/v2/models/ct3dcnn/%2e%2e/%2e%2e/repository/index",
        "/v2/models/..%2Frepository%2Findex",
        "/v2/models/ct3dcnn%2Fconfig",
        "/v2/models/ct3dcnn%00/ready",
        "/v2/models/ct3dcnn;x/ready",
        "/v2/models/ct3dcnn/versions/1%2f..%2fconfig",
        "/v2/models/ct3dcnn/versions/0x1/ready",
        "/v2/models/ct3dcnn/versions/-1/ready",
        "/v2/models/../ready",
        "/v2/models/./ready",
        "/v2/models/ct3dcnn__v1_extractor",
        "/v2/models/ct3dcnn__v1_preprocess/ready",
        "/v2/models/ct3dcnn%5F%5Fv1_preprocess",
        "/v2/models/ct3dcnn/config",
        "/v2/models/ct3dcnn/stats",
        "/v2/models/stats",
        "/v2/models/ct3dcnn/trace/setting",
        "/v2/models/ct3dcnn/",
        "/v2/",
        "//v2",
        "/v2//models/ct3dcnn",
        "/v2/models//ct3dcnn",
        "/V2",
        "/v2/MODELS/ct3dcnn",
        "/v2/models/CT3DCNN",
        "/v2/health/READY",
        "/%76%32",
        "/v2x",
        "/v2/logging",
        "/v2/trace/setting",
        "/v2/systemsharedmemory/status",
        "/v2/systemsharedmemory/region/x/register",
        "/v2/cudasharedmemory/status",
        "/v2/models/ct3dcnn/generate",
        "/metrics/../v2/repository/index",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_trick_with_a_path_gets_by(gateway, method, path):
    assert status_of(gateway, method, path) in (404, 405)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "HEAD"])
@pytest.mark.parametrize("path", ["/v2", INFER, "/v2/health/live"])
def test_other_methods_are_refused(gateway, method, path):
    assert status_of(gateway, method, path) == 405


def test_a_query_is_refused(gateway):
    assert httpx.post(f"{gateway}{INFER}?roi=x", content=b"PK", headers=RAW).status_code == 400


def test_a_version_that_is_not_there_is_no_interruption(gateway, study):
    answer = httpx.post(
        f"{gateway}/v2/models/ct3dcnn/versions/7/infer", content=study, headers=RAW, timeout=10
    )

    assert answer.status_code in (400, 404)
