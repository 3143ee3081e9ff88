"""The engine, as an operator has it: `deepfeatures serve`, attacked."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import tritonclient.grpc
import tritonclient.http
from engine_service import DEEPFEATURES, Service
from phantoms import file_bytes, slices, thorax, zip_of
from tritonclient.utils import InferenceServerException

from imaging.cores import usable_cores
from tools.client import ServiceError, infer, send
from tools.engine import processes, regions
from tools.engine.control import Control
from tools.engine.ports import free_ports
from tools.engine.processes import Stub
from tools.engine.recycling import Recycling
from tools.engine.regions import SHARED_MEMORY
from tools.engine.repository import instances
from tools.engine.run import running
from tools.engine.settings import EngineSettings
from tools.shared_study import local_access

SMALL = thorax(shape=(10, 12, 6))
STUDY = zip_of(*slices(SMALL))
MODEL_PROCESSES = instances(usable_cores()) + 2


def wait_until(condition, seconds):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    started = Service(tmp_path_factory.mktemp("service"))
    wait_until(lambda: started.page("/readyz")[0] == 200, 90)
    yield started
    started.process.terminate()
    started.process.wait(40)


@contextmanager
def client_beside(service, expected):
    """A client that sends studies all the while; gives the codes of what it got."""
    codes, done = Counter(), threading.Event()

    def send():
        while not done.is_set():
            try:
                found = infer(service.url, "ct3dcnn", STUDY).features
                codes["right" if np.array_equal(found, expected) else "WRONG"] += 1
            except ServiceError as error:
                codes[error.code] += 1
                time.sleep(0.1)

    thread = threading.Thread(target=send)
    thread.start()
    yield codes
    done.set()
    thread.join()


def test_extract_waits_for_a_service_that_was_interrupted(service, tmp_path):
    (tmp_path / "study.zip").write_bytes(STUDY)
    before = service.page("/state")[1]["reloads"]
    os.kill(service.stubs()["ct3dcnn__v1_preprocess"], signal.SIGKILL)

    command = [DEEPFEATURES, "extract", tmp_path / "study.zip", "--csv", "--url", service.url]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 2
    wait_until(lambda: service.page("/state")[1]["reloads"] > before, 40)


def test_doctor_finds_the_service_well_and_within_its_memory(service):
    command = [DEEPFEATURES, "doctor", "--json", f"--state-port={service.state_port}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    found = {check["name"]: check["found"] for check in json.loads(done.stdout)["checks"]}
    assert done.returncode == 0
    assert found["service"].startswith("ready; ")
    assert int(found["service memory"].split()[0]) < 1430  # MiB over all processes: 1.5 GB


@pytest.mark.parametrize("name", ["SIGKILL", "SIGSTOP"])
@pytest.mark.parametrize("victim", ["ct3dcnn__v1_preprocess", "ct3dcnn__v1_extractor", "Triton"])
def test_what_is_killed_or_stopped_comes_back_by_itself(service, victim, name):
    expected = infer(service.url, "ct3dcnn", STUDY).features
    before = service.page("/state")[1]
    pid = before["triton_pid"] if victim == "Triton" else service.stubs()[victim]

    def brought_back():
        state = service.page("/state")[1]
        changed = any(state.get(kind, 0) > before[kind] for kind in ("reloads", "restarts"))
        return changed and service.page("/readyz")[0] == 200

    with client_beside(service, expected) as codes:
        os.kill(pid, getattr(signal, name))
        wait_until(brought_back, 40)
        answered = codes["right"]
        wait_until(lambda: codes["right"] > answered, 20)

    assert set(codes) <= {"right", "retry", "unreachable"}
    assert processes.state(pid) == "X"
    # What was replaced ends when its work is done, or when it is found to be stuck.
    wait_until(lambda: len(service.processes_of_models()) == MODEL_PROCESSES, 30)
    assert len(service.regions()) == MODEL_PROCESSES


EXTRACTOR_PEAK_BYTES = 1_700_000_000
"""As docs/operations.md states: the idle process, one row at a time, the requests themselves."""


def test_the_extractor_stays_within_its_memory_whatever_the_rows(service):
    five_rows = zip_of(*(each for _ in range(5) for each in slices(SMALL)))
    forty_rows = zip_of(*(each for _ in range(40) for each in slices(SMALL)))

    assert len(infer(service.url, "ct3dcnn", forty_rows).rows) == 40
    with ThreadPoolExecutor(8) as clients:
        answers = clients.map(infer, [service.url] * 8, ["ct3dcnn"] * 8, [five_rows] * 8)
        assert [len(answer.rows) for answer in answers] == [5] * 8

    status = Path("/proc", str(service.stubs()["ct3dcnn__v1_extractor"]), "status").read_text()
    peak_kib = int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])
    assert peak_kib * 1024 < EXTRACTOR_PEAK_BYTES


LONG = zip_of(*(each for _ in range(20) for each in slices(SMALL)))
"""A study of twenty rows: seconds for the network."""

LARGE = zip_of(*slices(SMALL), bytes(300 << 20), method=zipfile.ZIP_STORED)
"""A study with an entry that is no DICOM: 300 MiB to be handed over, nothing to be computed."""


def maps_studies(service):
    """Say whether a process of the service has a region with a study in its memory."""
    triton = service.page("/state")[1]["triton_pid"]
    pids = [triton, *(stub.pid for stub in processes.stubs(triton))]
    return any("-study-" in Path("/proc", str(pid), "maps").read_text() for pid in pids)


def studies_of(client):
    """Regions with studies that a process gave their names."""
    return list(SHARED_MEMORY.glob(f"deepfeatures-{client.pid}-*-study-*"))


def test_a_client_that_is_killed_in_the_middle_leaves_no_memory(service, tmp_path):
    (tmp_path / "study.zip").write_bytes(LONG)
    call = [DEEPFEATURES, "extract", tmp_path / "study.zip", "--url", service.url]
    with subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as client:
        wait_until(lambda: maps_studies(service), 20)
        client.kill()

    assert infer(service.url, "ct3dcnn", STUDY).rows
    wait_until(lambda: not maps_studies(service), 40)
    assert not studies_of(client)


REGISTERING = """
import sys, time
from tritonclient.http import InferenceServerClient
from tritonclient.utils import shared_memory
from tools.engine.command import KEY_HEADER
from tools.engine.regions import study_region_name

name = study_region_name()
shared_memory.create_shared_memory_region(name, name, 1 << 20)
client = InferenceServerClient(sys.argv[1])
client.register_system_shared_memory(name, f"/{name}", 1 << 20, headers={KEY_HEADER: sys.argv[2]})
time.sleep(60)
"""


def test_what_a_killed_client_registered_is_let_go_of(service):
    access = local_access(service.url)
    control = Control(access.http_url, access.key)
    call = [sys.executable, "-c", REGISTERING, service.url, access.key]
    with subprocess.Popen(call) as client:
        wait_until(control.registered_regions, 20)
        client.kill()

    wait_until(lambda: not control.registered_regions(), 40)
    assert not maps_studies(service)
    for left in studies_of(client):  # in half a minute, by the service
        left.unlink()


def test_a_process_that_kept_too_much_is_replaced_when_it_is_idle(service):
    before = service.page("/state")[1]["recycled"]
    send(service.url, "ct3dcnn", LARGE)

    wait_until(lambda: service.page("/state")[1]["recycled"] > before, 60)

    wait_until(lambda: len(service.processes_of_models()) == MODEL_PROCESSES, 30)
    assert max(regions.size_bytes(region.name) for region in service.regions()) < 256 << 20
    assert infer(service.url, "ct3dcnn", STUDY).rows


def test_a_process_is_replaced_when_idle_or_late_if_it_kept_too_much(monkeypatch):
    ticks, kept = iter(range(100)), {"busy": 300 << 20, "small": 1 << 20}
    monkeypatch.setattr(processes, "cpu_ticks", lambda _: next(ticks))
    monkeypatch.setattr(regions, "size_bytes", kept.get)
    busy, small = Stub(0, "model", "busy"), Stub(0, "model", "small")
    watched = Recycling()

    assert [watched.due([small, busy], now) for now in (0, 50, 61)] == [None, None, busy]
    monkeypatch.setattr(processes, "cpu_ticks", lambda _: 0)
    assert [Recycling().due([busy], now) for now in (0, 6)] == [None, None]
    calm = Recycling()
    assert [calm.due([busy], now) for now in (0, 4, 6)] == [None, None, busy]


def test_beyond_the_queue_a_study_is_refused_as_busy_and_nothing_else_is_lost(service):
    before = service.page("/state")[1]

    def code(study):
        try:
            return "rows" if infer(service.url, "ct3dcnn", study).rows else "none"
        except ServiceError as error:
            return error.code

    with ThreadPoolExecutor(121) as clients:
        codes = Counter(clients.map(code, [LONG, *[STUDY] * 120]))

    assert set(codes) == {"rows", "busy"}
    assert codes["rows"] >= 32
    assert infer(service.url, "ct3dcnn", STUDY).rows
    after = service.page("/state")[1]
    assert [after[kind] - before[kind] for kind in ("reloads", "restarts")] == [0, 0]


def test_regions_are_private(service):
    infer(service.url, "ct3dcnn", STUDY)

    wait_until(lambda: all(r.stat().st_mode & 0o077 == 0 for r in service.regions()), 5)


DOORS = {
    "load": lambda client: client.load_model("ct3dcnn"),
    "unload": lambda client: client.unload_model("ct3dcnn"),
    "index": lambda client: client.get_model_repository_index(),
    "config": lambda client: client.get_model_config("ct3dcnn"),
    "statistics": lambda client: client.get_inference_statistics(),
    "register": lambda client: client.register_system_shared_memory("x", "/x", 8),
    "log settings": lambda client: client.update_log_settings({"log_verbose_level": 1}),
    "trace": lambda client: client.update_trace_settings(settings={"trace_rate": "1"}),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_without_the_key_only_inference_is_open(service, protocol, door):
    port = service.http if protocol == "http" else service.grpc
    library = tritonclient.http if protocol == "http" else tritonclient.grpc
    client = library.InferenceServerClient(f"127.0.0.1:{port}")

    with pytest.raises(InferenceServerException, match="(?i)restricted|key"):
        DOORS[door](client)

    assert client.is_model_ready("ct3dcnn")


def test_another_server_on_the_machine_is_not_disturbed(service):
    http, grpc, metrics = free_ports(3)
    theirs = {region.name for region in service.regions()}

    with running(EngineSettings(http, grpc, metrics)) as other:
        assert infer(other.settings.http_url, "ct3dcnn", STUDY).rows

    assert {region.name for region in service.regions()} == theirs
    assert infer(service.url, "ct3dcnn", STUDY).rows


def test_nothing_about_a_patient_is_in_the_log(service):
    texts = ("PatientID", "PatientName", "SeriesDescription", "InstitutionName")
    marked = dict.fromkeys(texts, "hush")
    good = [file_bytes(each) for each in slices(SMALL, **marked)]
    bad = [content.replace(rb"1.75\2.5", rb"hush\2.5") for content in good]

    infer(service.url, "ct3dcnn", zip_of(*good))
    with pytest.raises(ServiceError, match="^bad_attribute: ") as refused:
        infer(service.url, "ct3dcnn", zip_of(*bad))

    assert "hush" not in str(refused.value)
    assert "hush" not in service.log.read_text()
    assert "hush" not in str(service.page("/state"))


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_whichever_way_it_ends_no_process_and_no_region_is_left(tmp_path, name):
    service = Service(tmp_path)
    wait_until(lambda: service.page("/readyz")[0] == 200, 90)
    pids = service.pids()

    service.process.send_signal(getattr(signal, name))

    wait_until(lambda: service.process.poll() is not None, 30)
    wait_until(lambda: all(processes.state(pid) in processes.GONE for pid in pids), 30)
    assert not service.regions()
    assert service.process.returncode == (-9 if name == "SIGKILL" else 0)


def test_a_broken_model_stops_the_start_with_a_sentence(tmp_path):
    model = tmp_path / "models" / "broken"
    (model / "1").mkdir(parents=True)
    (model / "1" / "model.py").write_text("raise RuntimeError('out of order')\n")
    tensor = '{ name: "X" data_type: TYPE_FP32 dims: [ 1 ] }'
    config = f'backend: "python"\ninput [ {tensor} ]\noutput [ {tensor} ]\n'
    (model / "config.pbtxt").write_text(config)

    service = Service(tmp_path, "--model-repository", tmp_path / "models")

    assert service.process.wait(60) == 1
    assert "the model broken cannot be loaded: " in service.log.read_text()
    assert not service.regions()


HANGING_MODEL = '''
import time
from pathlib import Path

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    """Answers until the file `hang` is there; takes it away, and then never answers again."""

    def execute(self, requests):
        file = Path(__file__).with_name("hang")
        if file.exists():
            file.unlink()
            time.sleep(3600)
        texts = pb_utils.Tensor("ROWS", np.array([b"{}"], np.object_))
        report = pb_utils.Tensor("REPORT", np.array([b"{}"], np.object_))
        preview = pb_utils.Tensor("PREVIEW", np.array([b""], np.object_))
        features = pb_utils.Tensor("FEATURES", np.zeros((1, 2), np.float32))
        return [pb_utils.InferenceResponse([texts, report, preview, features]) for _ in requests]
'''

HANGING_CONFIG = """
backend: "python"
input [ { name: "DICOM_ZIP" data_type: TYPE_UINT8 dims: [ -1 ] } ]
output [
  { name: "FEATURES" data_type: TYPE_FP32 dims: [ -1, 2 ] },
  { name: "ROWS" data_type: TYPE_STRING dims: [ -1 ] },
  { name: "REPORT" data_type: TYPE_STRING dims: [ 1 ] },
  { name: "PREVIEW" data_type: TYPE_STRING dims: [ -1 ] }
]
instance_group [ { kind: KIND_CPU count: 1 } ]
"""


def test_a_model_that_hangs_without_using_the_processor_is_brought_back(tmp_path):
    model = tmp_path / "models" / "ct3dcnn"
    (model / "1").mkdir(parents=True)
    (model / "1" / "model.py").write_text(HANGING_MODEL)
    (model / "config.pbtxt").write_text(HANGING_CONFIG)
    service = Service(tmp_path, "--model-repository", tmp_path / "models")
    wait_until(lambda: service.page("/readyz")[0] == 200, 60)

    (model / "1" / "hang").touch()
    wait_until(lambda: service.page("/state")[1].get("restarts") == 1, 90)

    assert infer(service.url, "ct3dcnn", STUDY).features.shape == (1, 2)
    assert "nothing else moves" in service.log.read_text()
    service.process.terminate()
    assert service.process.wait(40) == 0
