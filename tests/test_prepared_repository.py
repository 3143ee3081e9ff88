"""The model repository that Triton gets: as the project's, with counts for the machine."""

import os
import tempfile
import threading
from collections import Counter
from pathlib import Path

import pytest
from google.protobuf import text_format
from test_service import SAMPLE
from tritonclient.grpc import model_config_pb2

from tools.client import ServiceError, infer
from tools.engine import repository
from tools.engine.access import FILE
from tools.engine.control import Control
from tools.engine.repository import PreparedRepository, instances
from tools.locations import data_folder
from tools.shared_study import local_access

SOURCE = data_folder("model_repository")


@pytest.mark.parametrize(("cores", "count"), [(1, 1), (2, 2), (4, 2), (6, 3), (8, 4), (64, 4)])
def test_instances_follow_the_cores_and_are_capped(cores, count):
    assert instances(cores) == count


@pytest.fixture
def prepared(tmp_path, monkeypatch):
    """The project's models as a machine with 6 cores gets them."""
    monkeypatch.setattr(repository, "usable_cores", lambda: 6)
    made = PreparedRepository((SOURCE,), tmp_path / "models")
    made.prepare()
    return made


def config(folder):
    return text_format.Parse((folder / "config.pbtxt").read_text(), model_config_pb2.ModelConfig())


def test_counts_are_filled_in_only_where_they_are_left_out(prepared):
    counts = {
        folder.name: [group.count for group in config(folder).instance_group]
        for folder in prepared.folder.iterdir()
    }

    assert counts == {
        "ct3dcnn": [],
        "ct3dcnn__v1_extractor": [1],
        "ct3dcnn__v1_preprocess": [3],
        "dicom_to_nifti": [1],
    }


def test_a_model_is_otherwise_as_it_was(prepared):
    for folder in prepared.folder.iterdir():
        stated, found = config(SOURCE / folder.name), config(folder)
        for group in (*stated.instance_group, *found.instance_group):
            group.count = 0
        assert found == stated
        assert (folder / "1").resolve() == SOURCE / folder.name / "1"


def test_where_there_is_a_gpu_a_model_has_its_configuration_for_one(prepared, monkeypatch):
    monkeypatch.setattr(repository, "NVIDIA_DEVICE", Path("/"))

    prepared.add("ct3dcnn__v1_extractor")

    assert config(prepared.folder / "ct3dcnn__v1_extractor").HasField("dynamic_batching")


def test_what_cannot_be_parsed_is_left_to_triton(tmp_path):
    model = tmp_path / "source" / "odd"
    model.mkdir(parents=True)
    (model / "config.pbtxt").write_text("of_a_later_version: 1")

    PreparedRepository((tmp_path / "source",), tmp_path / "models").prepare()

    assert (tmp_path / "models/odd/config.pbtxt").read_text() == "of_a_later_version: 1"


def test_triton_looks_at_once_for_processes_that_become_free(prepared):
    for folder in prepared.folder.iterdir():
        queue = config(folder).dynamic_batching.default_queue_policy
        assert queue == model_config_pb2.ModelQueuePolicy(), folder.name


@pytest.fixture
def running_models(server):
    """The models of the running server: the folder that it reads, and its restricted APIs."""
    access = local_access(server.http_url)
    (folder,) = (
        file.parent / "models"
        for file in Path(tempfile.gettempdir()).glob(f"deepfeatures-{os.getpid()}-*/{FILE}")
        if access.key in file.read_text()
    )
    return PreparedRepository((SOURCE,), folder), Control(access.http_url, access.key)


def test_models_are_replaced_under_load_and_no_request_fails(server, running_models):
    models, control = running_models
    codes, done = Counter(), threading.Event()

    def send():
        while not done.is_set():
            try:
                codes["rows"] += len(infer(server.http_url, "ct3dcnn", SAMPLE.read_bytes()).rows)
            except ServiceError as error:
                codes[error.code] += 1

    clients = [threading.Thread(target=send) for _ in range(2)]
    for client in clients:
        client.start()
    for number, model in enumerate(("ct3dcnn__v1_preprocess", "ct3dcnn__v1_extractor"), 1):
        models.renew(model, number)
        control.load(model)
    done.set()
    for client in clients:
        client.join()

    assert set(codes) == {"rows"}
