"""What stops the service is said in one sentence before it starts."""

import shutil
import socket

import pytest

from tools.engine import preflight
from tools.engine.ports import free_ports
from tools.engine.settings import EngineError, EngineSettings
from tools.locations import data_folder


def settings(**changes):
    http, grpc, metrics = free_ports(3)
    return EngineSettings(http, grpc, metrics, **changes)


@pytest.fixture
def models(tmp_path):
    """A copy of the project's models, without the weights."""
    folder = tmp_path / "models"
    ignored = shutil.ignore_patterns("variables", "__pycache__")
    return shutil.copytree(data_folder("model_repository"), folder, ignore=ignored)


def test_this_machine_is_fine():
    assert [check.problem for check in preflight.checks(settings()) if check.problem] == []


def test_a_taken_port_is_named():
    wanted = settings()
    with socket.socket() as other:
        other.bind(("127.0.0.1", wanted.grpc_port))
        other.listen()

        with pytest.raises(EngineError, match=f"^port {wanted.grpc_port} on 127.0.0.1 is taken"):
            preflight.refuse(wanted)


def test_the_wheels_triton_listens_on_loopback_only():
    with pytest.raises(EngineError, match="listens on 127.0.0.1 only"):
        preflight.refuse(settings(address="0.0.0.0"))  # noqa: S104  (that is refused)


def test_an_empty_model_repository_is_refused(tmp_path):
    with pytest.raises(EngineError, match="holds no model"):
        preflight.refuse(settings(model_repository=tmp_path))


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [
        ("ct3dcnn__v1_extractor", "the ensemble ct3dcnn needs the model ct3dcnn__v1_extractor"),
        ("ct3dcnn__v1_extractor/1/model.savedmodel", "ct3dcnn__v1_extractor has no model.savedm"),
        ("dicom_to_nifti/1/model.py", "the model dicom_to_nifti has no model.py"),
        ("ct3dcnn/1", "the model ct3dcnn has no version"),
    ],
)
def test_what_a_model_misses_is_named(models, missing, sentence):
    path = models / missing
    shutil.rmtree(path) if path.is_dir() else path.unlink()

    with pytest.raises(EngineError, match=sentence):
        preflight.refuse(settings(model_repository=models))


def test_little_shared_memory_is_refused(monkeypatch):
    usage = shutil.disk_usage("/")._replace(free=64 << 20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)

    with pytest.raises(EngineError, match="^/dev/shm has 64 MiB free, 256 MiB are needed"):
        preflight.refuse(settings())
