"""What compressed frames say of themselves, read without decoding them.

A decoder is told how large its answer must be before it starts, and numbers get their sign from it.
"""

import struct
from dataclasses import dataclass

JPEG_FRAMES = {"jpeg": (0xC0, 0xC1, 0xC2, 0xC3), "jpegls": (0xF7,)}
"""Start-of-frame markers: baseline, extended, progressive, lossless (ITU-T T.81 B.1.1.3); T.87."""

JPEG_FRAME = struct.Struct(">BHHB")
"""Precision, lines, samples a line, components (T.81 B.2.2)."""

JPEG_END = b"\xff\xd9"
"""End of image. It cannot occur inside: entropy-coded 0xFF is followed by 0 (T.81 B.1.1.5)."""

J2K_START = b"\xff\x4f\xff\x51"
"""Start of codestream and image size (ITU-T T.800 A.4.1, A.5.1)."""

J2K_SIZE = struct.Struct(">8IHB")
J2K_SIZE_AT = 8
"""From the start: extents and origins of image and tiles, components, the first's precision."""


class BrokenCodestreamError(ValueError):
    """The frame is not what its transfer syntax says; the text says what is wrong."""


@dataclass(frozen=True)
class Codestream:
    """Extents of a compressed frame, and the bits and sign of its samples."""

    rows: int
    columns: int
    components: int
    precision: int
    signed: bool

    @property
    def dtype(self) -> str:
        """The type of its samples as decoders give them, little endian."""
        size = 1 if self.precision <= 8 else 2 if self.precision <= 16 else 4
        return f"<{'i' if self.signed else 'u'}{size}"


def read_codestream(codec: str, frame: bytes) -> Codestream:
    """Return what a frame of the codec declares; refuse what is no such frame or is cut short."""
    return _jpeg2000(frame) if codec == "jpeg2000" else _jpeg(codec, frame)


def _jpeg(codec: str, frame: bytes) -> Codestream:
    at = 2 if frame.startswith(b"\xff\xd8") else len(frame)
    while at + 4 <= len(frame) and frame[at] == 0xFF:
        marker, length = frame[at + 1], int.from_bytes(frame[at + 2 : at + 4], "big")
        if marker in JPEG_FRAMES[codec] and at + 4 + JPEG_FRAME.size <= len(frame):
            # libjpeg fills up what is missing at the end in silence.
            if frame.rfind(JPEG_END) < at:
                raise BrokenCodestreamError("it is cut short")
            precision, rows, columns, components = JPEG_FRAME.unpack_from(frame, at + 4)
            return Codestream(rows, columns, components, precision, signed=False)
        # A byte 0xFF before a marker is only a filler (T.81 B.1.1.2).
        at += 1 if marker == 0xFF else 2 + length
    raise BrokenCodestreamError("it is not in its transfer syntax")


def _jpeg2000(frame: bytes) -> Codestream:
    start = frame.find(J2K_START)  # at 0, or behind the boxes of a JP2 file
    if start < 0 or start + J2K_SIZE_AT + J2K_SIZE.size > len(frame):
        raise BrokenCodestreamError("it is not in its transfer syntax")
    right, bottom, left, top, *_, components, depth = J2K_SIZE.unpack_from(
        frame, start + J2K_SIZE_AT
    )
    return Codestream(
        rows=bottom - top,
        columns=right - left,
        components=components,
        precision=(depth & 0x7F) + 1,
        signed=bool(depth & 0x80),
    )
