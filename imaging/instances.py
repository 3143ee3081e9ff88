"""One DICOM object of the zip: the attributes that are used here, read with as little as possible.

Usual headers are read in memory; the others by pydicom, through a file that inflates as it is read,
up to the pixels.
"""

import logging
import math
import warnings
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import pydicom
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian

from imaging.archive import Entry, EntryReader, Limits
from imaging.attributes import ATTRIBUTES
from imaging.decoding.deflated import DeflatedEntry
from imaging.errors import InputError
from imaging.headers import (
    DATASET_AT,
    PREAMBLE_BYTES,
    PREFIX,
    PYDICOM_FAILURES,
    Known,
    SharingDataset,
    usual_header,
)

EXPLICIT_FIRST_TAGS = (b"\x02\x00", b"\x08\x00")
"""How an object without preamble starts: group 0002 or 0008, little endian."""

FILE_META_BYTES = 1024
"""The preamble and the file meta information, where the transfer syntax stands (PS3.10 7.1)."""


@dataclass(frozen=True)
class Instance:
    """One DICOM object: where it is in the zip, its attributes, and where its pixels begin.

    header: only the attributes of ATTRIBUTES.
    pixels_at: offset of the first element of group 7FE0 in the inflated entry, or its end.
    """

    entry: Entry
    header: pydicom.Dataset
    transfer_syntax: UID
    pixels_at: int

    def states(self, keyword: str) -> bool:
        """Say whether an attribute is there, be it empty."""
        return keyword in self.header

    def text(self, keyword: str) -> str:
        """Return an attribute as text, empty if it is absent."""
        value = self._value(keyword)
        return "" if value is None else str(value).strip()

    def texts(self, keyword: str) -> tuple[str, ...]:
        """Return the values of an attribute of several, none if it is absent."""
        value = self._value(keyword)
        if value is None or value == "":
            return ()
        return (value,) if isinstance(value, str) else tuple(str(item) for item in value)

    def stated(self, keyword: str) -> tuple[str, ...]:
        """Return the values of an attribute as text, none if it is absent, empty or broken."""
        try:
            value = self._value(keyword)
            items = value if _is_several(value) else [value]
            return tuple(str(item).strip() for item in items if item not in (None, ""))
        except InputError:
            return ()

    def numbers(self, keyword: str, count: int) -> tuple[float, ...]:
        """Return exactly `count` finite numbers; refuse anything else."""
        values = self._decimals(keyword) or self._converted(keyword)
        if len(values) != count or not all(map(math.isfinite, values)):
            raise self._broken(keyword)
        return values

    def _converted(self, keyword: str) -> tuple[float, ...]:
        value = self._value(keyword)
        if value is None or value == "":
            raise InputError("missing_attribute", f"entry {self.entry.number} has no {keyword}")
        try:
            return tuple(float(item) for item in (value if _is_several(value) else [value]))
        except (TypeError, ValueError) as error:
            raise self._broken(keyword) from error

    def _decimals(self, keyword: str) -> tuple[float, ...] | None:
        header = self.header
        return header.decimals(keyword) if isinstance(header, SharingDataset) else None

    def number(self, keyword: str, default: float | None = None) -> float:
        """Return one finite number, or `default` where the attribute is absent."""
        if default is not None and self._value(keyword) in (None, ""):
            return default
        return self.numbers(keyword, 1)[0]

    def count(self, keyword: str, default: int | None = None) -> int:
        """Return a whole number above or equal to 0, or `default` where it is absent."""
        number = self.number(keyword, default)
        if number < 0 or number != int(number):
            raise self._broken(keyword)
        return int(number)

    def items(self, keyword: str) -> "tuple[Instance, ...]":
        """Return the items of a sequence, to be read like objects; none if it is absent."""
        try:
            items = tuple(self._value(keyword) or ())
        except PYDICOM_FAILURES as error:
            raise self._broken(keyword) from error
        return tuple(
            Instance(self.entry, item, self.transfer_syntax, self.pixels_at) for item in items
        )

    def statement(self, keywords: Iterable[str]) -> Hashable:
        """Return something that is equal of objects of a study only if they state these alike.

        Nothing is converted for it: what holds for one object holds for those of its statement.
        """
        if isinstance(self.header, SharingDataset):
            return self.header.statement(keywords)
        return object()

    def equals(self, other: "Instance", keyword: str) -> bool:
        """Say whether another object has the same value of an attribute, or has none either."""
        return bool(self._value(keyword) == other._value(keyword))

    def data(self, keyword: str) -> bytes:
        """Return an attribute of plain bytes, empty if it is absent."""
        value = self._value(keyword)
        return value if isinstance(value, bytes) else b""

    def _value(self, keyword: str) -> Any:
        try:
            return self.header.get(keyword)
        except PYDICOM_FAILURES as error:
            raise self._broken(keyword) from error

    def _broken(self, keyword: str) -> InputError:
        return InputError(
            "bad_attribute", f"entry {self.entry.number} has a {keyword} that cannot be used"
        )


def _is_several(value: Any) -> bool:
    return hasattr(value, "__iter__") and not isinstance(value, str)


def quiet_pydicom() -> None:
    """Stop pydicom's warnings and logs, which quote the values of attributes."""
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    logging.getLogger("pydicom").disabled = True
    warnings.filterwarnings("ignore", module="pydicom")


def read_instance(entry: Entry, limits: Limits, *, known: Known | None = None) -> Instance | None:
    """Return the DICOM object of a zip entry, or None if the entry is not DICOM or unreadable.

    known: values of the objects read so far of the same study; those of this one are added.
    """
    if header := usual_header(entry, limits, Known() if known is None else known):
        usual = Instance(entry, header.dataset, header.transfer_syntax, header.pixels_at)
        return usual if usual.states("SOPClassUID") else None
    return _unusual_instance(entry, limits)


def _unusual_instance(entry: Entry, limits: Limits) -> Instance | None:
    file = _HeaderFile(entry.open(limits.header_bytes))
    start = file.read(FILE_META_BYTES)
    has_preamble = start[PREAMBLE_BYTES:DATASET_AT] == PREFIX
    if not has_preamble and start[:2] not in EXPLICIT_FIRST_TAGS:
        return None
    try:
        return _read_header(entry, file, is_bare=not has_preamble)
    except _DeflatedHereError:
        return _read_deflated(DeflatedEntry.within(entry, file.tell(), limits), limits)


def _read_header(entry: Entry, file: "_HeaderFile", *, is_bare: bool) -> Instance | None:
    file.seek(0)
    try:
        header = pydicom.dcmread(
            file, stop_before_pixels=True, specific_tags=ATTRIBUTES, force=is_bare
        )
        has_class = bool(header.get("SOPClassUID"))
        syntax = UID(header.file_meta.get("TransferSyntaxUID") or ImplicitVRLittleEndian)
    except PYDICOM_FAILURES as error:
        if isinstance(error, InputError) and error.code == "zip_corrupt":
            raise
        return None
    return Instance(entry, header, syntax, file.tell()) if has_class else None


def _read_deflated(entry: DeflatedEntry, limits: Limits) -> Instance | None:
    """Return the object whose data set is deflated; it is read like one without preamble."""
    try:
        file = _HeaderFile(entry.open(limits.header_bytes))
        instance = _read_header(entry, file, is_bare=True)
    except _DeflatedHereError:
        return None  # no data set begins with file meta information
    return instance and replace(instance, transfer_syntax=DeflatedExplicitVRLittleEndian)


class _DeflatedHereError(Exception):
    """pydicom is about to read, and to inflate, all that follows."""


class _HeaderFile:
    """A file that is never read whole: pydicom does that with deflated objects, and only there."""

    def __init__(self, file: EntryReader) -> None:
        self._file = file
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        if size < 0:
            raise _DeflatedHereError
        return self._file.read(size)
