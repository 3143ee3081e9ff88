"""The digests that tell one set of weights from another, in config.pbtxt and in every row."""

import hashlib
from pathlib import Path

from tools.model_parameters import state_parameters


def file_sha256(file: Path) -> str:
    """Return the SHA-256 of a file."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def weights_sha256(savedmodel: Path) -> str:
    """Return the SHA-256 over the names and contents of a SavedModel's files.

    It is that of `find . -type f | LC_ALL=C sort | xargs sha256sum | sha256sum` in its folder.
    """
    paths = (path for path in savedmodel.rglob("*") if path.is_file())
    files = sorted(f"./{path.relative_to(savedmodel)}" for path in paths)
    lines = (f"{file_sha256(savedmodel / name)}  {name}\n" for name in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def write_digest(savedmodel: Path, config: Path) -> None:
    """Put the digest of a SavedModel in the config.pbtxt of the model that labels its rows."""
    state_parameters(config, {"weights_sha256": weights_sha256(savedmodel)})
