"""gRPC from other machines: who gets in, what is open, and that no study is lost."""

import json
import os
import signal
import threading
from collections import Counter
from contextlib import contextmanager

import grpc
import numpy as np
import pytest
from engine_service import Service
from gateway_server import wait_until
from phantoms import slices, thorax, zip_of
from remote_proxy import block, documented_client, make_certificates, needed, proxy_before, run
from tritonclient.grpc import InferInput
from tritonclient.grpc import service_pb2 as messages
from tritonclient.utils import InferenceServerException

from tools.client import infer
from tools.engine.ports import free_ports
from tools.engine.regions import SHARED_MEMORY, study_region_name
from tools.engine.state import EngineState
from tools.engine.state_page import state_page

SERVICE = "/inference.GRPCInferenceService/"

KEY = ("triton-grpc-protocol-deepfeatures-key", "any")

CALLS = [each.name for each in messages.DESCRIPTOR.services_by_name["GRPCInferenceService"].methods]

OPEN = ("ModelMetadata", "ModelReady", "ServerLive", "ServerMetadata", "ServerReady")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the certificates: of ada and of bob, who is revoked, and eve, not listed."""
    needed("haproxy", "openssl")
    folder = tmp_path_factory.mktemp("proxy")
    make_certificates(folder, "ada", "eve", "quantimage")
    (folder / "clients.txt").write_text("ada\nquantimage\n")
    run(block("openssl ca .* -revoke", "sh"), folder)
    return folder


@pytest.fixture(scope="module")
def state():
    return EngineState(status="ready")


@pytest.fixture(scope="module")
def proxy(server, folder, state):
    """The proxy before the Triton of the tests, with the page that its launcher would have."""
    (port,) = free_ports(1)
    with (
        state_page(state, "127.0.0.1", port),
        proxy_before([(server.grpc_port, port)], folder) as proxy,
    ):
        yield proxy


@contextmanager
def client_of(proxy, name="ada"):
    with documented_client().client_of(f"localhost:{proxy.port}", **proxy.files(name)) as client:
        yield client


@pytest.fixture(scope="module")
def client(proxy):
    with client_of(proxy) as client:
        yield client


@pytest.fixture(scope="module")
def channel(proxy):
    """A channel below tritonclient, for calls that it does not have."""
    files = {name: path.read_bytes() for name, path in proxy.files("ada").items()}
    credentials = grpc.ssl_channel_credentials(files["ca"], files["key"], files["certificate"])
    with grpc.secure_channel(f"localhost:{proxy.port}", credentials) as channel:
        yield channel


@pytest.fixture(scope="module")
def study():
    return zip_of(*slices(thorax()))


def answer_to(channel, path, request=b"", metadata=()):
    """The status of a call that is refused; OK for one that is answered."""
    try:
        channel.unary_unary(path)(request, metadata=metadata, timeout=30)
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


def test_the_documented_client_gets_what_triton_answers(client, server, study):
    answer = documented_client().extract(client, study, preview="false")

    direct = infer(server.http_url, "ct3dcnn", study)
    np.testing.assert_array_equal(answer.as_numpy("FEATURES"), direct.features)


def test_a_refusal_comes_through_as_the_engine_says_it(client):
    with pytest.raises(InferenceServerException, match="not_a_zip: ") as refused:
        documented_client().extract(client, b"no zip")

    assert refused.value.status() == "StatusCode.INVALID_ARGUMENT"


@pytest.mark.parametrize("call", OPEN)
def test_questions_that_a_client_of_inferences_asks_are_open(channel, call):
    request = b""
    if call.startswith("Model"):
        request = messages.ModelReadyRequest(name="ct3dcnn").SerializeToString()

    assert answer_to(channel, SERVICE + call, request) is grpc.StatusCode.OK


@pytest.mark.parametrize("call", [each for each in CALLS if each not in (*OPEN, "ModelInfer")])
def test_no_other_call_of_triton_is_offered_whatever_key_comes_with_it(channel, call):
    assert answer_to(channel, SERVICE + call, metadata=[KEY]) is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize(
    "path",
    [
        "/grpc.health.v1.Health/Check",
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        "/",
        "/inference.GRPCInferenceService/ServerLive/",
        "//inference.GRPCInferenceService/RepositoryIndex",
        "/inference.GRPCInferenceService/ServerLive/../RepositoryIndex",
        "/inference.GRPCInferenceService/serverlive",
        "/inference.GRPCInferenceService/%53erverLive",
    ],
)
def test_no_other_service_is_reached_by_any_path(channel, path):
    assert answer_to(channel, path) is grpc.StatusCode.UNIMPLEMENTED


def test_compressed_messages_are_refused(client):
    tensor = InferInput("DICOM_ZIP", [1], "UINT8")
    tensor.set_data_from_numpy(np.zeros(1, np.uint8))

    with pytest.raises(InferenceServerException, match="not compressed") as refused:
        client.infer("ct3dcnn", [tensor], compression_algorithm="gzip")

    assert refused.value.status() == "StatusCode.UNIMPLEMENTED"


def test_a_study_of_the_engines_machine_cannot_be_named(client, study):
    region = SHARED_MEMORY / study_region_name()
    region.touch(mode=0o600)
    try:
        region.write_bytes(study)
        with pytest.raises(InferenceServerException, match="no_region: "):
            documented_client().extract(client, b"", shared_memory_study=region.name)
        assert region.exists()
    finally:
        region.unlink(missing_ok=True)


def live(proxy, **files):
    with documented_client().client_of(f"localhost:{proxy.port}", **files) as client:
        return client.is_server_live()


def test_nobody_is_let_in_without_a_certificate(proxy):
    assert live(proxy, **proxy.files("ada"))

    with pytest.raises(InferenceServerException, match="UNAVAILABLE"):
        live(proxy, **{**proxy.files("ada"), "certificate": None, "key": None})


def test_nobody_is_let_in_with_a_certificate_of_another_authority(proxy, tmp_path):
    make_certificates(tmp_path, "ada")

    with pytest.raises(InferenceServerException, match="UNAVAILABLE"):
        live(proxy, **proxy.files("ada", tmp_path))


def test_nobody_is_let_in_with_a_certificate_that_was_revoked(proxy):
    with pytest.raises(InferenceServerException, match="UNAVAILABLE"):
        live(proxy, **proxy.files("quantimage"))


def test_who_is_not_in_the_list_is_told_so(proxy):
    with pytest.raises(InferenceServerException, match="not let in") as refused:
        live(proxy, **proxy.files("eve"))

    assert refused.value.status() == "StatusCode.PERMISSION_DENIED"


def test_the_log_has_who_and_which_call_and_nothing_that_a_client_makes_up(proxy, channel):
    answer_to(channel, "/DOE^JANE", metadata=[("x-df-roi", "DOE^JANE")])
    answer_to(channel, f"{SERVICE}ServerReady")

    def told():
        lines = (proxy.folder / "log").read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    wait_until(lambda: told()[-1]["call"].endswith("ServerReady"))
    assert (told()[-2]["client"], told()[-2]["call"]) == ("ada", "other")
    assert "JANE" not in (proxy.folder / "log").read_text()


def test_an_engine_that_is_not_ready_gets_no_calls_until_it_is(proxy, state, channel):
    """Last of those with this proxy: it takes a while to believe that the engine is back."""
    state.status = "recovering"
    wait_until(lambda: not proxy.engines_up())
    path = f"{SERVICE}ServerLive"
    assert answer_to(channel, path) is grpc.StatusCode.UNAVAILABLE

    state.status = "ready"
    wait_until(proxy.engines_up)
    assert answer_to(channel, path) is grpc.StatusCode.OK


class Senders:
    """Threads that send a study again and again by the documented client; what each got."""

    def __init__(self, proxy, study, *, threads):
        self._proxy, self._study = proxy, study
        self._stop = threading.Event()
        self.answered, self.failed, self.features = Counter(), [], []
        self._threads = [
            threading.Thread(target=self._run, args=(number,)) for number in range(threads)
        ]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, number):
        with client_of(self._proxy) as client:
            while not self._stop.is_set():
                try:
                    answer = documented_client().extract(client, self._study, preview="false")
                except InferenceServerException as error:
                    self.failed.append(str(error))
                else:
                    self.features.append(answer.as_numpy("FEATURES"))
                    self.answered[number] += 1

    def until_all_have_got(self, more):
        """Return when every thread has got so many answers more."""
        before = self.answered.copy()
        wait_until(
            lambda: all(
                self.answered[number] >= before[number] + more
                for number in range(len(self._threads))
            ),
            120,
        )


def with_more():
    """The study with 3 MB beside it, which no proxy keeps to send it again."""
    beside = np.random.default_rng(0).bytes(3 << 20)
    return zip_of(*slices(thorax()), beside)


NETWORK = "ct3dcnn__v1_extractor"


@pytest.mark.long
def test_no_study_is_lost_when_a_model_a_triton_and_a_launcher_are_killed(folder, tmp_path, study):
    paths = [tmp_path / name for name in ("one", "two")]
    for path in paths:
        path.mkdir()
    one, two = services = [Service(path) for path in paths]
    try:
        for service in services:
            wait_until(lambda service=service: service.page("/readyz")[0] == 200, 120)
        expected = infer(one.url, "ct3dcnn", study).features
        engines = [(service.grpc, service.state_port) for service in services]
        with proxy_before(engines, folder) as proxy, Senders(proxy, with_more(), threads=4) as all_:
            all_.until_all_have_got(2)
            dead = one.stubs()[NETWORK]
            os.kill(dead, signal.SIGKILL)
            # While its model is loaded again, whose new process Triton leaves behind.
            wait_until(lambda: one.stubs().get(NETWORK, dead) != dead, 60)
            os.kill(one.page("/state")[1]["triton_pid"], signal.SIGKILL)
            all_.until_all_have_got(2)
            wait_until(lambda: one.page("/readyz")[0] == 200 and proxy.engines_up() == 2, 120)
            two.process.kill()
            wait_until(lambda: proxy.engines_up() == 1)
            all_.until_all_have_got(2)
        assert not all_.failed
        assert all(np.array_equal(each, expected) for each in all_.features)
    finally:
        for service in services:
            service.process.terminate()
            service.process.wait()
