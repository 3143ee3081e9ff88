"""What a file may unpack to, looked up before anything of it is unpacked.

A few KB can declare terabytes: compressed, never written, or in another file of this machine, which
an HDF5 file may name. Sizes are read from the directory of a zip and the headers of an HDF5 file.
"""

import zipfile
from collections.abc import Iterator
from typing import IO

import h5py

from tools.networks.network import NetworkError

MOST_BYTES = 4 << 30
"""Weights of 3D networks have 10 MB to 1 GB."""

MOST_INFLATED = 100
"""Times its own size that a file may unpack to: weights hardly compress."""

ALWAYS_ALLOWED_BYTES = 64 << 20
"""Whatever a file compresses to, so much is no harm."""

MOST_ENTRIES = 100_000


def check_zip(archive: zipfile.ZipFile, *, size_bytes: int) -> None:
    """Refuse a zip that would unpack to too much; size_bytes is the file's own."""
    entries = archive.infolist()
    if len(entries) > MOST_ENTRIES:
        raise _too_many(len(entries))
    _check_unpacked(sum(entry.file_size for entry in entries), size_bytes)


def check_hdf5(file: h5py.File, *, size_bytes: int) -> None:
    """Refuse an HDF5 file that would unpack to too much, or that leads to other files.

    size_bytes: of the file itself.
    """
    unpacked = 0
    for path, dataset in _datasets(file):
        if dataset.external or dataset.is_virtual:
            raise NetworkError(
                f"{path} in the file keeps its values in another file: {_ALL_IN_ONE}"
            )
        unpacked += dataset.nbytes
    _check_unpacked(unpacked, size_bytes)


def open_checked_hdf5(source: str | IO[bytes], *, size_bytes: int) -> h5py.File:
    """Return an HDF5 file, open for reading and within bounds.

    Raises NetworkError, also if it is broken.
    """
    try:
        file = h5py.File(source, "r")
        check_hdf5(file, size_bytes=size_bytes)
    except (OSError, KeyError, ValueError, RuntimeError) as error:
        if isinstance(error, NetworkError):
            raise
        raise NetworkError(f"the HDF5 file is broken or incomplete: {error}") from error
    return file


_ALL_IN_ONE = "a file with all of its weights in it is needed"


def _datasets(file: h5py.File) -> Iterator[tuple[str, h5py.Dataset]]:
    """Yield all arrays with their paths, and refuse links that lead elsewhere or in circles."""
    waiting: list[tuple[str, h5py.Group]] = [("", file)]
    seen = 0
    while waiting:
        path, group = waiting.pop()
        for name in group:
            seen += 1
            if seen > MOST_ENTRIES:
                raise _too_many(seen)
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise NetworkError(f"{path}/{name} in the file is a link: {_ALL_IN_ONE}")
            entry = group[name]
            if isinstance(entry, h5py.Group):
                waiting.append((f"{path}/{name}", entry))
            elif isinstance(entry, h5py.Dataset):
                yield f"{path}/{name}", entry


def _check_unpacked(unpacked: int, size_bytes: int) -> None:
    allowed = max(ALWAYS_ALLOWED_BYTES, min(MOST_BYTES, MOST_INFLATED * size_bytes))
    if unpacked > allowed:
        raise NetworkError(
            f"the file has {size_bytes / 1e6:.1f} MB and would unpack to {unpacked / 1e6:.0f} MB; "
            f"{allowed / 1e6:.0f} MB are allowed: save the network without its optimizer, and "
            "without compression"
        )


def _too_many(count: int) -> NetworkError:
    return NetworkError(f"the file has {count} entries or more; {MOST_ENTRIES} are allowed")
