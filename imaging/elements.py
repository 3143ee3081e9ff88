"""The elements of an object's header, walked over in memory: the wanted ones are taken.

pydicom takes the same out of a file, in some 0.8 ms an object, and a study has hundreds. What looks
as the standard says that objects look (PS3.5 7.1) is read here. Whatever looks otherwise is not
judged, but left to pydicom, which knows how writers err.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from pydicom.charset import convert_encodings, default_encoding
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import (
    DataElement,
    RawDataElement,
    convert_raw_data_element,
    empty_value_for_VR,
)
from pydicom.filereader import read_sequence
from pydicom.tag import BaseTag, Tag
from pydicom.valuerep import EXPLICIT_VR_LENGTH_16, EXPLICIT_VR_LENGTH_32

LONG = EXPLICIT_VR_LENGTH_32
VRS = {vr.encode(): str(vr) for vr in EXPLICIT_VR_LENGTH_16 | LONG}
"""Value representations; those of LONG have a length of 32 bits, the others of 16 (PS3.5 7.1.2)."""

EXPLICIT = struct.Struct("<I2sH")
IMPLICIT = struct.Struct("<II")
LENGTH = struct.Struct("<I")

UNDEFINED_LENGTH = 0xFFFFFFFF

Elements = dict[BaseTag, RawDataElement | DataElement]


class UnusualError(Exception):
    """The bytes are not what the standard describes."""


class CutError(Exception):
    """The header goes on behind the bytes that were given."""


def as_stored(tag: int) -> int:
    """Return a tag as its four bytes read as one number: group and element change places."""
    return (tag & 0xFFFF) << 16 | tag >> 16


CHARACTER_SET = Tag("SpecificCharacterSet")
PIXELS = frozenset(map(as_stored, (0x7FE00008, 0x7FE00009, 0x7FE00010)))
ITEM, ITEM_END, SEQUENCE_END = map(as_stored, (0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD))


@dataclass
class Walk:
    """A place in the bytes of an object, which moves on as they are read.

    is_whole: whether nothing follows the bytes.
    """

    data: bytes
    at: int
    is_implicit: bool
    is_whole: bool

    @property
    def is_over(self) -> bool:
        return self.is_whole and self.at == len(self.data)

    def header(self) -> tuple[int, str | None, int]:
        """Return an element's tag as stored, representation and length; stop at its value."""
        try:
            if self.is_implicit:
                tag, length = IMPLICIT.unpack_from(self.data, self.at)
                self.at += 8
                return tag, None, length
            tag, code, length = EXPLICIT.unpack_from(self.data, self.at)
            self.at += 8
            vr = VRS.get(code)
            if vr in LONG:
                (length,) = LENGTH.unpack_from(self.data, self.at)
                self.at += 4
            elif vr is None:
                raise UnusualError
        except struct.error as error:
            raise self._ended() from error
        return tag, vr, length

    def mark(self) -> tuple[int, int]:
        """Return tag and length of an item or of an end, which never have a representation."""
        try:
            tag, length = IMPLICIT.unpack_from(self.data, self.at)
        except struct.error as error:
            raise self._ended() from error
        return tag, length

    def value(self, length: int) -> bytes:
        """Return the value of an element; stop behind it."""
        start, self.at = self.at, self.at + length
        if self.at > len(self.data):
            raise self._ended()
        return self.data[start : self.at]

    def pass_items(self) -> None:
        """Stop behind a sequence of undefined length, whatever is in it (PS3.5 7.5.2)."""
        while True:
            tag, length = self.mark()
            self.at += 8
            if tag == SEQUENCE_END:
                return
            if tag != ITEM:
                raise UnusualError
            if length == UNDEFINED_LENGTH:
                self._pass_item()
            else:
                self.at += length

    def _pass_item(self) -> None:
        while self.mark()[0] != ITEM_END:
            _, _, length = self.header()
            if length == UNDEFINED_LENGTH:
                self.pass_items()
            else:
                self.at += length
        self.at += 8

    def _ended(self) -> Exception:
        return UnusualError() if self.is_whole else CutError()


def wanted_elements(walk: Walk, wanted: Mapping[int, BaseTag]) -> Elements:
    """Return the wanted elements of a data set, as pydicom gives them; stop before its pixels.

    wanted: tags by what `as_stored` makes of them; CHARACTER_SET should be one of them.
    Raises CutError or UnusualError where the header cannot be followed to its end.
    """
    elements: Elements = {}
    encoding: str | list[str] = default_encoding
    while not walk.is_over:
        start = walk.at
        tag, vr, length = walk.header()
        if tag in PIXELS:
            walk.at = start
            break
        found = wanted.get(tag)
        if length == UNDEFINED_LENGTH:
            sequence = _passed_sequence(walk, tag, vr)
            if found is not None:
                elements[found] = _sequence(walk, sequence, found, encoding)
        elif found is None:
            walk.at += length
        else:
            elements[found] = _raw(walk, found, vr, length)
            if found is CHARACTER_SET:
                encoding = encoding_of(elements)
    return elements


def encoding_of(elements: Elements) -> str | list[str]:
    """Return the encodings that a data set's SpecificCharacterSet names."""
    stated = elements.get(CHARACTER_SET)
    if not isinstance(stated, RawDataElement):
        return default_encoding
    return convert_encodings(convert_raw_data_element(stated).value)


def _raw(walk: Walk, tag: BaseTag, vr: str | None, length: int) -> RawDataElement:
    at = walk.at
    value: Any = walk.value(length) if length else empty_value_for_VR(vr, raw=True)
    return RawDataElement(tag, vr, length, value, at, walk.is_implicit, True)


def _passed_sequence(walk: Walk, tag: int, vr: str | None) -> int:
    """Return where the items of a sequence of undefined length begin; stop behind it."""
    start = walk.at
    if vr not in (None, "SQ") or (vr is None and not _is_sequence(as_stored(tag), walk)):
        raise UnusualError
    walk.pass_items()
    return start


def _is_sequence(tag: int, walk: Walk) -> bool:
    """Say whether an element without representation is a sequence: as pydicom decides it."""
    try:
        return dictionary_VR(tag) == "SQ"
    except KeyError:
        return walk.mark()[0] == ITEM


def _sequence(walk: Walk, start: int, tag: BaseTag, encoding: str | list[str]) -> DataElement:
    file = BytesIO(walk.data)
    file.seek(start)
    items = read_sequence(file, walk.is_implicit, True, UNDEFINED_LENGTH, encoding)
    if file.tell() != walk.at:
        raise UnusualError
    return DataElement(tag, "SQ", items, start, is_undefined_length=True)
