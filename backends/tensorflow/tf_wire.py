"""Protobuf's wire format, as far as reading a SavedModel needs it: no schema, no generated code.

TensorFlow's own classes would do it too, after 3 s and 400 MB for the import. The format:
https://protobuf.dev/programming-guides/encoding/. Nothing is copied but what is asked for, so that
the weights inside a graph cost nothing.
"""

from collections.abc import Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
"""Wire types. Groups, 3 and 4, are older than TensorFlow: it has none."""


class BrokenMessageError(ValueError):
    """The bytes are no protobuf message, or only the beginning of one."""


def submessages(message: memoryview, number: int) -> Iterator[memoryview]:
    """Yield the values, messages or strings, of one field, which may be repeated."""
    for field, value in _fields(message):
        if field == number and isinstance(value, memoryview):
            yield value


def submessage(message: memoryview, number: int) -> memoryview:
    """Return a field that is a message; an empty one if it is missing, as protobuf has it."""
    found = memoryview(b"")
    for found in submessages(message, number):  # noqa: B007  the last one counts
        pass
    return found


def strings(message: memoryview, number: int) -> list[str]:
    """Return the values of a repeated string."""
    return [_text(value) for value in submessages(message, number)]


def string(message: memoryview, number: int) -> str:
    """Return a string; "" if it is missing."""
    return _text(submessage(message, number))


def integer(message: memoryview, number: int) -> int:
    """Return an int32, int64, bool or enum; 0 if it is missing."""
    value = 0
    for field, candidate in _fields(message):
        if field == number and isinstance(candidate, int):
            value = candidate
    return value - (1 << 64) if value >> 63 else value  # negative numbers are 64-bit complements


def entries(message: memoryview, number: int) -> Iterator[tuple[str, memoryview]]:
    """Yield the keys and values of a `map<string, Message>`: entries with the fields 1 and 2."""
    for entry in submessages(message, number):
        yield string(entry, 1), submessage(entry, 2)


def has(message: memoryview, number: int) -> bool:
    """Return whether the message states this field."""
    return any(field == number for field, _ in _fields(message))


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == VARINT:
            value, position = _varint(message, position)
            yield number, value
            continue
        length, position = _length(message, position, wire_type)
        if position + length > len(message):
            raise BrokenMessageError(
                f"field {number} should have {length} bytes, and {len(message) - position} follow"
            )
        yield number, message[position : position + length]
        position += length


def _length(message: memoryview, position: int, wire_type: int) -> tuple[int, int]:
    if wire_type == BYTES:
        return _varint(message, position)
    if wire_type == FIXED64:
        return 8, position
    if wire_type == FIXED32:
        return 4, position
    raise BrokenMessageError(f"wire type {wire_type} at byte {position}: 0, 1, 2 or 5 is needed")


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    value = 0
    for count, byte in enumerate(message[position : position + 10]):
        value |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, position + count + 1
    raise BrokenMessageError(f"the number at byte {position} does not end")


def _text(value: memoryview) -> str:
    try:
        return str(value, "utf-8")
    except UnicodeDecodeError as error:
        raise BrokenMessageError("a string is not UTF-8") from error
