"""The header of an object in a zip: read in memory where it is as usual, else by pydicom."""

import struct
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import pydicom
from pydicom.datadict import dictionary_VR, keyword_for_tag
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.tag import Tag
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
)

from imaging.archive import Entry, Limits
from imaging.attributes import ATTRIBUTES
from imaging.elements import (
    CHARACTER_SET,
    CutError,
    Elements,
    UnusualError,
    as_stored,
    encoding_of,
    explicit_element,
)
from imaging.header_runs import Runs

PYDICOM_FAILURES = (
    AttributeError,
    BytesLengthException,
    EOFError,
    IndexError,
    InvalidDicomError,
    KeyError,
    MemoryError,
    NotImplementedError,
    OSError,
    OverflowError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)
"""What pydicom 3.0 raises over malformed files, by fuzzing: it has no base class of its own."""

FIRST_BYTES = 8 << 10
"""Most headers are shorter. For longer ones FURTHER times as much is inflated, again and again."""

FURTHER = 4

PREFIX, PREAMBLE_BYTES = b"DICM", 128
DATASET_AT = PREAMBLE_BYTES + len(PREFIX)
"""Where the file meta information begins (PS3.10 7.1)."""

GROUP_OF_COMMANDS, GROUP_OF_FILE = b"\x00\x00", b"\x02\x00"

UNUSUAL_SYNTAXES = (DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian)

SYNTAX = as_stored(Tag("TransferSyntaxUID"))
OF_OBJECT = {as_stored(tag): tag for tag in [*ATTRIBUTES, CHARACTER_SET]}
TAGS = {keyword_for_tag(tag): tag for tag in OF_OBJECT.values()}
"""One object for each tag: they are compared in Python, unless they are the same."""

DECIMALS = frozenset(word for word, tag in TAGS.items() if word and dictionary_VR(tag) == "DS")
"""Attributes of decimal strings: of some, as of the position, each slice has its own."""

SHARED_BYTES = 64
"""Values up to that size are kept for the objects to come: most are those of the whole series."""


@dataclass
class Known:
    """What the objects read so far of one study have in common: it is patients'.

    values: by what they were converted from. runs: of elements, as they are encoded.
    """

    values: dict[tuple[Any, ...], Any] = field(default_factory=dict)
    runs: dict[bool, Runs] = field(
        default_factory=lambda: {
            is_implicit: Runs(OF_OBJECT, is_implicit=is_implicit) for is_implicit in (False, True)
        }
    )


@dataclass(frozen=True)
class Header:
    """What is read of an object; pixels_at: where its pixels begin, or its end."""

    dataset: pydicom.Dataset
    transfer_syntax: UID
    pixels_at: int


class SharingDataset(pydicom.Dataset):
    """A data set that takes the values of equal elements from others of its study.

    To convert one takes pydicom some 15 µs, and the slices of a series state nearly all alike.
    """

    def __init__(self, elements: Elements, known: Known) -> None:
        super().__init__(elements)
        self._elements = elements  # in which pydicom converts what it is asked for
        self._known = known.values
        self._set = getattr(elements.get(CHARACTER_SET), "value", None)

    def get(self, key: Any, default: Any = None) -> Any:
        """Return a value by keyword, or an element by tag, as pydicom does."""
        tag = TAGS.get(key) if isinstance(key, str) else None
        if tag is None:
            return super().get(key, default)
        element = self._elements.get(tag)
        if element is None:
            return default
        if isinstance(element, RawDataElement) and element.length <= SHARED_BYTES:
            return self._shared(element, key)
        if isinstance(element, DataElement) and element.VR != "SQ":
            return element.value
        return super().get(key, default)

    def decimals(self, keyword: str) -> tuple[float, ...] | None:
        """Return the numbers of an element of plain decimal strings; None for pydicom to say."""
        element = self._elements.get(TAGS[keyword]) if keyword in DECIMALS else None
        if not isinstance(element, RawDataElement) or element.VR not in (None, "DS"):
            return None
        try:
            return tuple(map(float, element.value.split(b"\\"))) if element.value else None
        except ValueError:
            return None

    def statement(self, keywords: Iterable[str]) -> Hashable:
        """Return the elements of some attributes as they are stored, those yet to be converted."""
        found = (self._elements.get(TAGS[keyword]) for keyword in keywords)
        return tuple(
            (each.VR, each.value if isinstance(each, RawDataElement) else str(each.value))
            if each
            else None
            for each in found
        )

    def _shared(self, element: RawDataElement, keyword: str) -> Any:
        of_element = (element.tag, element.VR, element.value, self._set)
        try:
            return self._known[of_element]
        except KeyError:
            value = super().get(keyword)
            if not isinstance(value, pydicom.Sequence):  # whose items know whose they are
                self._known[of_element] = value
            return value


def usual_header(entry: Entry, limits: Limits, known: Known) -> Header | None:
    """Return the header of an object that is as the standard says; None for pydicom to judge."""
    size_bytes = FIRST_BYTES
    most = min(limits.header_bytes, entry.size_bytes)
    while True:
        data = entry.open(min(size_bytes, most)).read()
        try:
            return _header(data, known, is_whole=len(data) == entry.size_bytes)
        except CutError:
            if size_bytes >= most:
                return None
            size_bytes *= FURTHER
        except (UnusualError, *PYDICOM_FAILURES):
            return None


def _header(data: bytes, known: Known, *, is_whole: bool) -> Header:
    if data[PREAMBLE_BYTES:DATASET_AT] != PREFIX:
        raise UnusualError
    syntax, at = _transfer_syntax(data)
    is_implicit = syntax == ImplicitVRLittleEndian
    if is_implicit and data[at + 4 : at + 6].isalpha():
        raise UnusualError  # its length would be 16 KiB or more: it rather has a representation
    elements, at = known.runs[is_implicit].elements(data, at)
    if at == len(data) and not is_whole:
        raise CutError
    dataset = SharingDataset(elements, known)
    dataset.set_original_encoding(is_implicit, True, encoding_of(elements))
    return Header(dataset, syntax, at)


def _transfer_syntax(data: bytes) -> tuple[UID, int]:
    """Return the transfer syntax of the file meta information, and where the data set begins."""
    syntax, at = UID(""), DATASET_AT
    while data[at : at + 2] == GROUP_OF_FILE:
        tag, _, start, _, end = explicit_element(data, at)
        if tag == SYNTAX:
            syntax = _uid(data[start:end])
        at = end
    if data[at : at + 2] == GROUP_OF_COMMANDS:
        raise UnusualError
    if not syntax or syntax in UNUSUAL_SYNTAXES:
        raise UnusualError
    return syntax, at


@lru_cache(maxsize=64)
def _uid(value: bytes) -> UID:
    return UID(value.decode("ascii").rstrip("\0 "))
