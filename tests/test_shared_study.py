"""Studies through shared memory: the same answers as over HTTP, and nothing left behind."""

import errno
import os
import re
from pathlib import Path

import numpy as np
import pytest
from phantoms import slices, thorax, zip_of
from rich.console import Console
from test_pet_rows import pet_slices
from test_preprocess import SMALL

from imaging.errors import InputError
from imaging.shared_study import PARAMETER, mapped
from tools import extract, shared_study
from tools.client import ServiceError, features_of, infer, send, send_tensor
from tools.engine.access import FILE, write_access
from tools.engine.control import Control
from tools.engine.regions import (
    SHARED_MEMORY,
    region_prefix,
    remove_left_studies,
    study_region_name,
)
from tools.locations import CHECKOUT, data_folder
from tools.shared_study import Access, local_access, send_shared
from tools.studies import StudySource

STUDIES = {
    "real CT": (data_folder("sample") / "ct-chest-lidc-16.zip").read_bytes(),
    "phantom": zip_of(*slices(thorax())),
    "two studies": zip_of(
        *slices(SMALL, StudyInstanceUID="1.2.1"), *slices(thorax(), StudyInstanceUID="1.2.2")
    ),
    "PET": zip_of(*pet_slices()),
}
OPTIONS = {"allow": "untrained_modality"}


@pytest.fixture
def access(server):
    """What opens the service of the tests."""
    return local_access(server.http_url)


def left_behind(access):
    """Regions with studies that are registered, or have a name that this process gave."""
    registered = Control(access.http_url, access.key).registered_regions()
    own = SHARED_MEMORY.glob(f"deepfeatures-{os.getpid()}-*-study-*")
    return registered | {path.name for path in own}


@pytest.mark.parametrize("study", STUDIES.values(), ids=STUDIES)
def test_rows_and_features_equal_those_over_http_bit_for_bit(access, tmp_path, study):
    file = tmp_path / "study.zip"
    file.write_bytes(study)

    over_http = infer(access.http_url, "ct3dcnn", study, OPTIONS)

    for content in (study, memoryview(study), file):
        shared = features_of(send_shared(access, "ct3dcnn", content, OPTIONS))
        assert shared.rows == over_http.rows
        assert shared.previews == over_http.previews
        np.testing.assert_array_equal(shared.features, over_http.features)
    assert not left_behind(access)


@pytest.mark.parametrize(
    ("study", "code"),
    [(b"hello", "not_a_zip"), (b"", "not_a_zip"), (zip_of(), "zip_empty")],
)
def test_a_refusal_has_its_code_and_leaves_nothing(access, study, code):
    with pytest.raises(ServiceError) as refused:
        send_shared(access, "ct3dcnn", study)

    assert refused.value.code == code
    assert not left_behind(access)


def test_a_call_that_is_interrupted_leaves_nothing(access, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(shared_study, "send", interrupted)
    with pytest.raises(KeyboardInterrupt):
        send_shared(access, "ct3dcnn", STUDIES["phantom"])

    assert not left_behind(access)


def test_without_room_in_shared_memory_http_is_used(access, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    answer = send_shared(access, "ct3dcnn", STUDIES["phantom"])

    assert len(features_of(answer).rows) == 1
    assert not left_behind(access)


def test_to_a_service_that_does_not_see_the_region_http_is_used(access, tmp_path, monkeypatch):
    monkeypatch.setattr(shared_study, "SHARED_MEMORY", tmp_path)
    answer = send_shared(access, "ct3dcnn", STUDIES["phantom"])

    assert len(features_of(answer).rows) == 1
    assert not list(tmp_path.iterdir())


@pytest.fixture
def region():
    """The name of a region with a study; what is left of it is removed."""
    file = SHARED_MEMORY / study_region_name()
    file.write_bytes(STUDIES["phantom"])
    yield file
    file.unlink(missing_ok=True)


def test_a_region_is_for_one_request(access, region):
    assert send(access.http_url, "ct3dcnn", b"", {PARAMETER: region.name})

    with pytest.raises(ServiceError) as refused:
        send(access.http_url, "ct3dcnn", b"", {PARAMETER: region.name})
    assert refused.value.code == "no_region"


def test_a_header_does_not_name_a_region(access, region):
    """What strips or forwards headers need not know of it."""
    with pytest.raises(ServiceError) as refused:
        send(access.http_url, "ct3dcnn", b"", {f"x-df-{PARAMETER}": region.name})
    assert refused.value.code == "bad_option"
    assert region.exists()


def test_a_region_of_another_account_is_not_there(region):
    os.chown(region, 12345, -1)

    with pytest.raises(InputError, match="no_region"):
        mapped(region.name)
    assert region.exists()


@pytest.mark.parametrize("name", ["/etc/passwd", "../../etc/passwd", "deepfeatures-1-1-1-x", ""])
def test_a_name_that_is_none_of_a_study_is_not_looked_for(name):
    with pytest.raises(InputError, match="no_region"):
        mapped(name)


def test_a_link_is_not_followed(region, tmp_path):
    (tmp_path / "study.zip").write_bytes(STUDIES["phantom"])
    region.unlink()
    region.symlink_to(tmp_path / "study.zip")

    with pytest.raises(InputError, match="no_region"):
        mapped(region.name)


def test_a_study_whose_sender_is_gone_is_removed_after_a_while(region):
    left = region.rename(region.with_name(study_region_name().replace(str(os.getpid()), "1")))

    remove_left_studies(left.stat().st_mtime + 29)
    assert left.exists()
    remove_left_studies(left.stat().st_mtime + 31)
    assert not left.exists()


def test_a_region_that_a_restart_forgot_is_to_be_sent_again(access):
    tensor = shared_study.triton.InferInput("DICOM_ZIP", [8], "UINT8")
    tensor.set_shared_memory("deepfeatures-forgotten", 8)

    with pytest.raises(ServiceError) as refused:
        send_tensor(access.http_url, "ct3dcnn", tensor, parameters=None)

    assert refused.value.code == "retry"


def test_extract_uses_shared_memory_where_it_can(server, tmp_path, monkeypatch):
    file = tmp_path / "study.zip"
    file.write_bytes(STUDIES["phantom"])
    sent = []
    monkeypatch.setattr(
        extract, "send_shared", lambda *call: sent.append(call[2]) or send_shared(*call)
    )

    outcome = extract.extract(
        [StudySource("one", (file,))],
        server.http_url,
        Console(),
        model="ct3dcnn",
        parameters={},
        previews=None,
    )

    assert not outcome.failed
    assert sent == [file]


def test_only_our_own_service_on_this_machine_has_an_access(access):
    port = access.http_url.rpartition(":")[2]

    assert local_access(f"localhost:{port}") == access
    assert local_access(f"example.org:{port}") is None
    assert local_access("127.0.0.1:1") is None


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A private folder as a service of this process has it, with an access file."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    made = tmp_path / f"{region_prefix(99)}x"
    made.mkdir(mode=0o700)
    write_access(made, Access("127.0.0.1:9", "key"))
    return made


def test_the_key_is_for_this_account_alone(folder):
    assert local_access("127.0.0.1:9") == Access("127.0.0.1:9", "key")
    assert (folder / FILE).stat().st_mode & 0o777 == 0o600


def test_a_folder_that_others_may_enter_is_not_believed(folder):
    folder.chmod(0o755)

    assert local_access("127.0.0.1:9") is None


def test_the_key_of_a_service_that_ended_is_not_believed(folder):
    folder.rename(folder.with_name("deepfeatures-1-1-1-x"))

    assert local_access("127.0.0.1:9") is None


def test_what_the_manual_shows_for_tritonclient_works(server, access, tmp_path, monkeypatch):
    manual = (CHECKOUT / "docs" / "operations.md").read_text()
    (snippet,) = re.findall(r"```python\n(.*?)```", manual, re.DOTALL)
    (tmp_path / "study.zip").write_bytes(STUDIES["phantom"])
    monkeypatch.chdir(tmp_path)
    found = {"url": server.http_url}

    exec(compile(snippet, "operations.md", "exec"), found)  # noqa: S102  (our own text)

    expected = infer(server.http_url, "ct3dcnn", STUDIES["phantom"]).features
    np.testing.assert_array_equal(found["answer"].as_numpy("FEATURES"), expected)
    assert not left_behind(access)
    assert not Path("/dev/shm", found["name"]).exists()  # noqa: S108


def test_a_service_of_a_container_is_known_by_its_name_where_its_folder_is_seen(folder):
    (folder / FILE).unlink()
    access = Access("127.0.0.1:9", "key", hosts=("127.0.0.1", "triton"))
    write_access(folder, access)

    assert local_access("triton:9") == local_access("127.0.0.1:9") == access
    assert local_access("other:9") is None
    assert local_access("triton:8") is None
