"""A region as an object of the zip holds it, before it is known on which grid it is wanted."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pydicom
from pydicom.datadict import keyword_dict
from pydicom.dataset import Dataset

from imaging.archive import Limits
from imaging.errors import InputError
from imaging.geometry import Grid
from imaging.headers import PYDICOM_FAILURES
from imaging.instances import Instance
from imaging.regions.mask import Drawn


@dataclass(frozen=True)
class Drawing:
    """One region of an RTSTRUCT or a SEG.

    name: as it is written, in any script; it may hold patient data, and belongs in no message.
    frame_uid: FrameOfReferenceUID of its coordinates, "" if that is not said.
    series_uids: SeriesInstanceUIDs of the images that it names.
    on: returns its voxels on a grid, or refuses by an InputError.
    """

    name: str
    number: int
    frame_uid: str
    series_uids: frozenset[str]
    on: Callable[[Grid], Drawn]


READING_FAILURES = (*PYDICOM_FAILURES, ArithmeticError)
"""What malformed attributes raise where they are used."""


def read_dataset(instance: Instance, limits: Limits) -> Dataset:
    """Return all attributes of an object before its pixels; refuse more than the limit."""
    file = instance.entry.open(limits.header_bytes)
    try:
        dataset = pydicom.dcmread(file, stop_before_pixels=True, force=True)
    except InputError:
        raise
    except PYDICOM_FAILURES as error:
        raise unreadable(instance) from error
    if file.tell() >= limits.header_bytes:
        raise InputError(
            "too_large",
            f"entry {instance.entry.number} has more than {limits.header_bytes} bytes "
            "of attributes",
        )
    return dataset


def unreadable(instance: Instance, why: str | Exception = "") -> InputError:
    """Return the error for an object of regions that is broken.

    why: a clause for the message; or what was raised, of which only a missing attribute is told,
        since its text may quote values.
    """
    if isinstance(why, Exception):
        missing = getattr(why, "name", None) or str(next(iter(why.args), ""))
        why = f"it has no {missing}" if missing in keyword_dict else ""
    sentence = f"entry {instance.entry.number} holds regions that cannot be read"
    return InputError("unreadable_regions", f"{sentence}: {why}" if why else sentence)


def items(dataset: Dataset, keyword: str) -> tuple[Dataset, ...]:
    """Return the items of a sequence, none if it is absent."""
    return tuple(dataset.get(keyword) or ())


def text(dataset: Dataset, keyword: str) -> str:
    """Return an attribute as it is written, "" if it is absent."""
    value: Any = dataset.get(keyword)
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    # A backslash in a name makes pydicom take it for several values (PS3.5 6.2, VR LO).
    return "\\".join(map(str, value)) if hasattr(value, "__iter__") else str(value)
