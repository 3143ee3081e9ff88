"""The tensors of a PyTorch checkpoint: a zip of stored numbers, and a pickle that names them."""

import math
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging.archive import Entry, Limits, open_archive
from imaging.errors import InputError
from tools.astra.checkpoint_error import CheckpointError
from tools.astra.state_pickle import MOST_BYTES, Tensor, read_state

LIMITS = Limits(zip_bytes=8 << 30, entries=20_000, inflated_bytes=8 << 30)
"""A thousand tensors of 32 bits take half a gigabyte; with a text model, one and a half."""

LARGEST_TENSOR = 1 << 27
"""Numbers: the largest of the network has 7 million, of text models that go with it 40 million."""

STATE = "/data.pkl"
NUMBERS = "/data/"
BYTE_ORDER = "/byteorder"

TYPES: Mapping[str, str] = MappingProxyType({"bfloat16": "<u2", "float16": "<f2", "float32": "<f4"})
"""Types of stored numbers that float32 holds exactly, as NumPy reads them: it has no bfloat16."""


class Checkpoint:
    """The tensors of a checkpoint by name; each is read when it is asked for."""

    def __init__(self, tensors: Mapping[str, Tensor], storages: Mapping[str, Entry]) -> None:
        self.names = frozenset(tensors)
        self._tensors = tensors
        self._storages = storages

    def shape(self, name: str) -> tuple[int, ...]:
        """Return a tensor's shape; refuse one that is not there, or that is too large."""
        if name not in self._tensors:
            raise CheckpointError(f"the checkpoint has no tensor {name}")
        shape = _whole_numbers(name, self._tensors[name].unverified_shape)
        if math.prod(shape) > LARGEST_TENSOR:
            raise CheckpointError(
                f"{name} of shape {shape} has more than {LARGEST_TENSOR} numbers: none is read"
            )
        return shape

    def is_bfloat16(self, name: str) -> bool:
        """Say whether a tensor that is there is stored as bfloat16."""
        return self._tensors[name].storage.kind == "bfloat16"

    def floats(self, name: str) -> NDArray[np.float32]:
        """Return a tensor of bfloat16, float16 or float32 numbers as float32, which holds them all.

        Refuses other types, storages that are missing or of another size than they say, and
        tensors that reach beyond their storage.
        """
        shape, tensor = self.shape(name), self._tensors[name]
        strides = _whole_numbers(name, tensor.unverified_strides)
        (offset,) = _whole_numbers(name, (tensor.unverified_offset,))
        numbers = self._numbers(name, tensor)
        last = offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=False))
        if len(strides) != len(shape) or 0 in shape or last >= len(numbers):
            raise CheckpointError(
                f"{name} of shape {shape}, strides {strides} and offset {offset} does not lie in "
                f"the {len(numbers)} numbers of its storage"
            )
        steps_bytes = [step * numbers.itemsize for step in strides]
        placed = np.lib.stride_tricks.as_strided(
            numbers[offset:], shape, steps_bytes, writeable=False
        )
        return _as_float32(placed)

    def _numbers(self, name: str, tensor: Tensor) -> NDArray[Any]:
        """Return the numbers of a tensor's storage, bfloat16 as the bits that it is."""
        kind, key, count = tensor.storage
        if kind not in TYPES:
            raise CheckpointError(f"{name} is {kind}; {', '.join(TYPES)} are read")
        if key not in self._storages:
            raise CheckpointError(f"storage {key} of {name} is not in the checkpoint")
        entry, dtype = self._storages[key], np.dtype(TYPES[kind])
        if entry.size_bytes != count * dtype.itemsize:
            raise CheckpointError(
                f"storage {key} of {name} has {entry.size_bytes} bytes; {count} numbers of {kind} "
                f"take {count * dtype.itemsize}"
            )
        return np.frombuffer(_content(entry), dtype)


def read_checkpoint(file: Path) -> Checkpoint:
    """Return the tensors of a checkpoint; only their list is read now.

    Refuses what is no zip that PyTorch writes, is damaged, or holds more than tensors: nothing in
    it is ever run.
    """
    try:
        buffer = np.memmap(file, np.uint8, "r").data
        entries = {entry.number: entry for entry in open_archive(buffer, LIMITS)}
        with zipfile.ZipFile(file) as listing:
            names = [info.filename for info in listing.infolist()]
    except (OSError, ValueError) as error:  # InputError among them; memmap refuses an empty file
        raise CheckpointError(f"{file} is no checkpoint that can be read: {error}") from error
    if len(set(names)) < len(names):
        raise CheckpointError(f"{file} is no checkpoint that can be read: it has a name twice")
    found = {names[number - 1]: entry for number, entry in entries.items()}
    folder = _folder(file, found)
    _refuse_big_endian(found.get(folder + BYTE_ORDER))
    state = read_state(bytes(_content(found[folder + STATE], MOST_BYTES)))
    storages = {
        name.removeprefix(folder + NUMBERS): entry
        for name, entry in found.items()
        if name.startswith(folder + NUMBERS)
    }
    return Checkpoint(_tensors(state), storages)


def _folder(file: Path, names: Iterable[str]) -> str:
    """Return the one folder that everything in the zip is in."""
    folders = [name.removesuffix(STATE) for name in names if name.endswith(STATE)]
    if len(folders) != 1:
        raise CheckpointError(
            f"{file} has {len(folders)} files data.pkl; one is needed, as torch.save writes it "
            "since PyTorch 1.6"
        )
    return folders[0]


def _refuse_big_endian(entry: Entry | None) -> None:
    """Refuse numbers of big-endian processors; files without the entry are older than those."""
    if entry is not None and bytes(_content(entry, 16)) != b"little":
        raise CheckpointError("the checkpoint's numbers are not little-endian, as is needed")


def _content(entry: Entry, most_bytes: int = LIMITS.inflated_bytes) -> memoryview:
    """Return the bytes of a stored file, whose checksum is right."""
    if entry.deflated or entry.size_bytes > most_bytes:
        raise CheckpointError(
            f"entry {entry.number} of the checkpoint is compressed, or larger than {most_bytes} "
            "bytes: PyTorch writes neither"
        )
    try:
        return entry.read()
    except InputError as error:
        raise CheckpointError(f"the checkpoint is damaged: {error}") from error


def _tensors(state: object) -> dict[str, Tensor]:
    """Return the tensors of a state_dict, or of the one that is kept under that name."""
    for holder in ("state_dict", "model_state_dict"):
        if isinstance(state, dict) and isinstance(state.get(holder), dict):
            state = state[holder]
    if not isinstance(state, dict):
        raise CheckpointError("the checkpoint holds no state_dict: a dictionary of tensors")
    return {name: value for name, value in state.items() if isinstance(value, Tensor)}


def _whole_numbers(name: str, values: object) -> tuple[int, ...]:
    """Return what should be whole numbers from 0 on, if it is."""
    if not isinstance(values, tuple) or not all(type(n) is int and n >= 0 for n in values):
        raise CheckpointError(f"the shape, strides or offset of {name} are no whole numbers")
    return values


def _as_float32(values: NDArray[Any]) -> NDArray[np.float32]:
    if values.dtype.kind == "f":
        return values.astype(np.float32)
    # The bits of bfloat16 are the upper half of those of the same float32.
    return (values.astype(np.uint32) << np.uint32(16)).view(np.float32)
