"""Frames of encapsulated pixel data (PS3.5 A.4), found by their offset tables and decoded."""

import itertools
from collections.abc import Iterator
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from pydicom.encaps import generate_frames
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from imaging.decoding.codestream import BrokenCodestreamError, Codestream, read_codestream
from imaging.decoding.deflated_frame import (
    BrokenDeflateError,
    DeflatedImageFrameCompression,
    decode_deflated,
)
from imaging.decoding.element import PixelElement
from imaging.decoding.layout import Cells, PixelLayout
from imaging.decoding.process import UndecodableError, decoder_process
from imaging.decoding.rle import BrokenRunsError, decode_rle
from imaging.errors import InputError
from imaging.headers import PYDICOM_FAILURES
from imaging.instances import Instance

CODECS = MappingProxyType(
    {
        RLELossless: "rle",
        JPEGBaseline8Bit: "jpeg",
        JPEGExtended12Bit: "jpeg",
        JPEGLossless: "jpeg",
        JPEGLosslessSV1: "jpeg",
        JPEGLSLossless: "jpegls",
        JPEGLSNearLossless: "jpegls",
        JPEG2000Lossless: "jpeg2000",
        JPEG2000: "jpeg2000",
        HTJ2KLossless: "jpeg2000",
        HTJ2KLosslessRPCL: "jpeg2000",
        HTJ2K: "jpeg2000",
        DeflatedImageFrameCompression: "deflate",
    }
)
"""Encapsulated transfer syntaxes that are read, with the decoder that reads them."""

FRAME_FAILURES = (BrokenCodestreamError, BrokenDeflateError, BrokenRunsError, UndecodableError)
"""What is raised over a frame that is broken; the text says why."""

EXACT_BITS = 24
"""OpenJPEG loses bits of larger samples in silence; float32 would not hold them either."""


def decoded_frames(
    element: PixelElement, instance: Instance, layout: PixelLayout
) -> NDArray[np.generic]:
    """Return encapsulated pixel data as stored numbers, [frame, row, column].

    Refuses missing frames, more than are declared, and those that cannot be decoded.
    """
    pixels = np.empty((layout.frames, layout.rows, layout.columns), layout.dtype)
    for index, frame in enumerate(encoded_frames(element, instance, layout)):
        pixels[index] = layout.numbers(
            decoded_frame(frame, index, syntax=instance.transfer_syntax, layout=layout)
        )
    return pixels


def encoded_frames(
    element: PixelElement, instance: Instance, layout: PixelLayout
) -> Iterator[bytes]:
    """Yield the compressed frames of an object; refuse another number, and frames that overlap."""
    if not element.is_encapsulated:
        raise InputError(
            "bad_pixels", f"entry {layout.entry_number} has plain pixels, but says compressed ones"
        )
    found, room_bytes = 0, len(element.value)
    frames = _frames(element.value, instance, layout)
    for frame in itertools.islice(frames, layout.frames):
        room_bytes -= len(frame)
        if room_bytes < 0:
            raise _improper(layout)
        yield frame
        found += 1
    if found < layout.frames:
        raise _undecodable(layout, found, "it is missing")
    if next(frames, None) is not None:
        raise InputError(
            "bad_pixels", f"entry {layout.entry_number} has more frames than NumberOfFrames says"
        )


def decoded_frame(frame: bytes, index: int, *, syntax: UID, layout: PixelLayout) -> Cells:
    """Return the cells of one compressed frame, [row, column]; refuse what cannot be decoded.

    index: which frame of the object it is, for messages.
    """
    try:
        return _decoded(frame, syntax, layout)
    except FRAME_FAILURES as error:
        raise _undecodable(layout, index, str(error)) from error


def _frames(value: memoryview, instance: Instance, layout: PixelLayout) -> Iterator[bytes]:
    """Yield compressed frames, each joined from its fragments."""
    table = (
        instance.data("ExtendedOffsetTable"),
        instance.data("ExtendedOffsetTableLengths"),
    )
    try:
        yield from generate_frames(
            bytes(value),
            number_of_frames=layout.frames,
            extended_offsets=table if all(table) else None,
        )
    except (*PYDICOM_FAILURES, RuntimeError) as error:
        raise _improper(layout) from error


def _improper(layout: PixelLayout) -> InputError:
    return InputError(
        "bad_pixels", f"entry {layout.entry_number} has compressed pixels without proper frames"
    )


def _decoded(frame: bytes, syntax: UID, layout: PixelLayout) -> Cells:
    codec = CODECS[syntax]
    if codec == "rle":
        return decode_rle(frame, layout)
    if codec == "deflate":
        return decode_deflated(frame, layout)
    stream = read_codestream(codec, frame)
    _refuse_misfit(stream, layout)
    samples = decoder_process().decode(codec, frame, stream)
    if stream.signed != layout.signed:
        # JPEG and JPEG-LS know no sign, and some writers of JPEG 2000 declare the wrong one: the
        # bits are right, and PixelRepresentation says what they mean.
        return layout.extended(samples, stream.precision)
    return samples


def _refuse_misfit(stream: Codestream, layout: PixelLayout) -> None:
    if (stream.rows, stream.columns) != (layout.rows, layout.columns):
        raise BrokenCodestreamError(
            f"it is {stream.columns} × {stream.rows}, not {layout.columns} × {layout.rows}"
        )
    if stream.components != 1:
        raise BrokenCodestreamError(f"it has {stream.components} values a pixel")
    if stream.precision > min(layout.bits_allocated, EXACT_BITS):
        raise BrokenCodestreamError(f"it has numbers of {stream.precision} bits")


def _undecodable(layout: PixelLayout, index: int, reason: str) -> InputError:
    where = f"entry {layout.entry_number}"
    if layout.frames > 1:
        where = f"frame {index + 1} of {where}"
    return InputError("bad_pixels", f"{where} cannot be decoded: {reason}")
