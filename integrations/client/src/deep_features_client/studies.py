"""What is sent: zips as paths, bytes or file objects, and folders, as one kind of content."""

from __future__ import annotations

import io
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias

from deep_features_client.errors import Refused

StudyLike: TypeAlias = "str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO"
"""A zip as a path, its bytes, or a file object that is open for reading; or a folder's path."""

CHUNK_BYTES = 1 << 18

IN_MEMORY_BYTES = 64 << 20
"""A folder, or a stream that cannot go back, is kept in memory up to this, then in a file without a
name, which is gone with the program."""


@dataclass(frozen=True)
class Content:
    """A zip that can be read again for another try.

    file: open; the zip begins at `start` and has `size_bytes`.
    """

    file: BinaryIO
    start: int
    size_bytes: int

    def chunks(self) -> Iterator[bytes]:
        """Yield the zip from its beginning; raises Refused `study_changed` if it got shorter."""
        self.file.seek(self.start)
        left = self.size_bytes
        while left:
            chunk = self.file.read(min(left, CHUNK_BYTES))
            if not chunk:
                raise Refused("study_changed", "the zip became shorter while it was sent")
            left -= len(chunk)
            yield chunk


@contextmanager
def opened(study: StudyLike) -> Iterator[Content]:
    """Give the content of a study for the time of the block; the caller's file object stays open.

    Raises OSError if it cannot be read, TypeError if it is text, and Refused `empty_folder`.
    """
    if isinstance(study, io.TextIOBase):
        raise TypeError('a zip is not text: open it with "rb"')
    with ExitStack() as stack:
        if isinstance(study, (bytes, bytearray, memoryview)):
            file: BinaryIO = io.BytesIO(study)
        elif isinstance(study, (str, os.PathLike)):
            file = stack.enter_context(_of_path(Path(study)))
        elif study.seekable():
            file = study
        else:
            file = stack.enter_context(_spool())
            shutil.copyfileobj(study, file, CHUNK_BYTES)
            file.seek(0)
        start = file.tell()
        yield Content(file, start, file.seek(0, os.SEEK_END) - start)


def _of_path(path: Path) -> BinaryIO:
    return _packed(path) if path.is_dir() else path.open("rb")


def _packed(folder: Path) -> BinaryIO:
    """Return the files of a folder as a zip; entries are numbers, since names often hold patients'.

    Raises Refused `empty_folder`.
    """
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    if not paths:
        raise Refused("empty_folder", "the folder has no files")
    file = _spool()
    # The lowest level halves most images, and is faster than most networks.
    with zipfile.ZipFile(
        file, "w", zipfile.ZIP_DEFLATED, compresslevel=1, strict_timestamps=False
    ) as archive:
        for number, path in enumerate(paths):
            archive.write(path, f"{number:06}")
    file.seek(0)
    return file


def _spool() -> BinaryIO:
    """Return a file whose user closes it; it has all that is used here of a BinaryIO."""
    return tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES)  # type: ignore[return-value]
