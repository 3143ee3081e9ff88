"""Pixels of every encoding are the numbers that were encoded, or are refused by name."""

import gzip
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
import zlib
from pathlib import Path

import imagecodecs
import nibabel as nib
import numpy as np
import pydicom
import pytest
from isal import isal_zlib
from phantoms import ct_slice, file_bytes, slices, thorax, zip_of
from pydicom.encaps import encapsulate, encapsulate_extended, generate_frames
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    MPEG2MPML,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from imaging.archive import Limits, open_archive
from imaging.decoding import encapsulated
from imaging.decoding.codestream import read_codestream
from imaging.decoding.process import DecoderLimits, DecoderProcess, UndecodableError
from imaging.errors import InputError
from imaging.instances import read_instance
from imaging.options import Options
from imaging.preprocess import nifti_files
from imaging.volume import stored_frames, stored_plane

DEFLATED_FRAMES = "1.2.840.10008.1.2.8.1"
"""Deflated Image Frame Compression (PS3.5 A.4.13), newer than pydicom 3.0."""

PYDICOM_FILES = Path(pydicom.__file__).parent / "data" / "test_files"


def ramp(bits, *, signed=False, shape=(37, 53)):
    """Whole numbers over the whole range of `bits`, with noise: no two rows or columns alike."""
    rows, columns = shape
    noise = np.random.default_rng(5).integers(0, 1 << max(bits - 4, 0), shape)
    values = (np.outer(np.arange(rows), np.arange(columns)) << bits) // (rows * columns) + noise
    values = np.clip(values, 0, (1 << bits) - 1)
    values[0, :2] = 0, (1 << bits) - 1
    return values - (1 << bits - 1) if signed else values


def stored_object(planes, syntax, *, frames=None, table=False, bits=None, **attributes):
    """An object with these numbers as they are stored, and with `frames` as its compressed ones."""
    size = 8 * planes.dtype.itemsize
    bits = bits or size
    dataset = ct_slice(
        planes[0],
        syntax=syntax,
        BitsAllocated=size,
        BitsStored=bits,
        HighBit=bits - 1,
        PixelRepresentation=int(planes.dtype.kind == "i"),
        NumberOfFrames=len(planes),
        **attributes,
    )
    if frames is None:
        order = ">" if syntax == ExplicitVRBigEndian else "<"
        dataset.PixelData = planes.astype(planes.dtype.newbyteorder(order)).tobytes()
        return dataset
    content = encapsulate(frames, has_bot=True)
    if table:
        content, dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths = (
            encapsulate_extended(frames)
        )
    dataset.PixelData = content
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    return dataset


def instance_of(content, limits=None):
    (entry,) = open_archive(memoryview(zip_of(content)), Limits())
    return read_instance(entry, limits or Limits())


@pytest.fixture
def decoder(monkeypatch):
    """A decoder of this test alone, with little time and memory."""
    process = DecoderProcess(DecoderLimits(memory_bytes=400 << 20, frame_s=2.0))
    monkeypatch.setattr(encapsulated, "decoder_process", lambda: process)
    yield process
    process.close()


def jpeg(bits, **options):
    return lambda plane: imagecodecs.jpeg8_encode(plane, bitspersample=bits, **options)


def jpeg2000(plane):
    return imagecodecs.jpeg2k_encode(plane, 0, reversible=True, codecformat="j2k")


def high_throughput(plane):
    return imagecodecs.htj2k_encode(plane, reversible=True)


def deflated(content):
    """Raw deflate, as Python's own zlib writes it."""
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflater.compress(content) + deflater.flush()


def with_deflated_frames(content):
    """A file of JPEG 2000 renamed: pydicom 3.0 cannot write a transfer syntax it does not know."""
    return content.replace(JPEG2000Lossless.encode(), DEFLATED_FRAMES.encode() + b"\0", 1)


def unsigned(plane, bits):
    """The lowest bits of two's complement: how JPEG and JPEG-LS get signed numbers."""
    return (plane.astype(int) & ((1 << bits) - 1)).astype(f"u{plane.dtype.itemsize}")


def run_lengths(plane):
    dataset = stored_object(plane[None], ExplicitVRLittleEndian)
    dataset.compress(RLELossless)  # by pydicom's own encoder
    return next(generate_frames(dataset.PixelData, number_of_frames=1))


LOSSLESS = {
    "RLE": (RLELossless, run_lengths),
    "JPEG lossless, first predictor": (JPEGLosslessSV1, jpeg(12, lossless=True, predictor=1)),
    **{
        f"JPEG lossless, predictor {number}": (
            JPEGLossless,
            jpeg(12, lossless=True, predictor=number),
        )
        for number in range(2, 8)
    },
    "JPEG lossless, all 16 bits": (JPEGLossless, jpeg(16, lossless=True, predictor=6)),
    "JPEG-LS": (JPEGLSLossless, imagecodecs.jpegls_encode),
    "JPEG 2000": (JPEG2000Lossless, jpeg2000),
    "HTJ2K": (HTJ2KLossless, high_throughput),
    "HTJ2K, the general syntax": (HTJ2K, high_throughput),
}


@pytest.mark.parametrize("name", LOSSLESS)
@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
def test_twelve_bits_come_out_as_they_went_in(name, signed):
    syntax, encode = LOSSLESS[name]
    plane = ramp(12, signed=signed).astype("i2" if signed else "u2")
    frame = encode(unsigned(plane, 12) if "JPEG-LS" in name or "lossless" in name else plane)

    found = stored_plane(instance_of(stored_object(plane[None], syntax, frames=[frame], bits=12)))

    np.testing.assert_array_equal(found, plane)
    assert found.dtype == plane.dtype


@pytest.mark.parametrize("kind", ["u1", "i1", "u2", "i2"])
@pytest.mark.parametrize(
    "name", ["RLE", "JPEG-LS", "JPEG 2000", "HTJ2K", "JPEG lossless, all 16 bits"]
)
def test_all_bits_come_out_as_they_went_in(name, kind):
    syntax, encode = LOSSLESS[name]
    bits = 8 * np.dtype(kind).itemsize
    plane = ramp(bits, signed=kind[0] == "i").astype(kind)
    if name.startswith("JPEG lossless"):
        encode = jpeg(bits, lossless=True, predictor=1)
    frame = encode(unsigned(plane, bits) if "JPEG-LS" in name or "lossless" in name else plane)

    found = stored_plane(instance_of(stored_object(plane[None], syntax, frames=[frame])))

    np.testing.assert_array_equal(found, plane)


@pytest.mark.parametrize("kind", ["u1", "i1", "u2", "i2", "u4", "i4"])
@pytest.mark.parametrize(
    "syntax",
    [
        ImplicitVRLittleEndian,
        ExplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
    ],
)
def test_plain_numbers_come_out_as_they_went_in(syntax, kind):
    bits = 8 * np.dtype(kind).itemsize
    planes = np.stack([ramp(bits, signed=kind[0] == "i"), ramp(bits - 1)]).astype(kind)
    dataset = stored_object(planes, syntax)
    if bits == 8:
        dataset["PixelData"].VR = "OB"

    found = stored_frames(instance_of(dataset))

    np.testing.assert_array_equal(found, planes)


@pytest.mark.parametrize("kind", ["u1", "i1", "u2", "i2", "u4", "i4"])
def test_frames_that_are_deflated_one_by_one_come_out_as_they_went_in(kind):
    bits = 8 * np.dtype(kind).itemsize
    plane = ramp(bits, signed=kind[0] == "i", shape=(512, 300)).astype(kind)
    planes = np.stack([plane, plane[::-1]])
    frames = [deflated(each.astype(f"<{kind}").tobytes()) for each in planes]
    content = file_bytes(stored_object(planes, JPEG2000Lossless, frames=frames))

    found = stored_frames(instance_of(with_deflated_frames(content)))

    np.testing.assert_array_equal(found, planes)


def test_big_endian_words_hold_two_pixels_each():
    plane = np.array([[1, 2, 3, 4]], np.uint8)
    dataset = stored_object(plane[None], ExplicitVRBigEndian)
    dataset.PixelData = bytes([2, 1, 4, 3])  # PS3.5 A.3, with VR OW

    np.testing.assert_array_equal(stored_plane(instance_of(dataset)), plane)


LOSSY = {
    "JPEG baseline": (JPEGBaseline8Bit, 8, jpeg(8, level=98), 6),
    "JPEG extended": (JPEGExtended12Bit, 12, jpeg(12, level=99), 12),
    "JPEG-LS near-lossless": (
        JPEGLSNearLossless,
        12,
        lambda plane: imagecodecs.jpegls_encode(plane, 3),
        3,
    ),
    "JPEG 2000 lossy": (
        JPEG2000,
        12,
        lambda plane: imagecodecs.jpeg2k_encode(plane, 90, codecformat="j2k"),
        16,
    ),
}


@pytest.mark.parametrize("name", LOSSY)
def test_lossy_numbers_come_out_nearly_as_they_went_in(name):
    syntax, bits, encode, tolerance = LOSSY[name]
    smooth = np.add.outer(np.arange(37) * 3, np.arange(53) * 2) << bits - 8
    plane = np.clip(smooth, 0, (1 << bits) - 1).astype("u1" if bits == 8 else "u2")

    found = stored_plane(
        instance_of(stored_object(plane[None], syntax, frames=[encode(plane)], bits=bits))
    )

    np.testing.assert_allclose(found.astype(int), plane, atol=tolerance)


def test_the_bits_decide_where_a_codestream_declares_the_wrong_sign():
    signed = ramp(13, signed=True).astype("i2")
    as_unsigned = jpeg2000(unsigned(signed, 13))
    positive = ramp(16).astype("u2")

    found = stored_plane(
        instance_of(stored_object(signed[None], JPEG2000Lossless, frames=[as_unsigned], bits=13))
    )
    np.testing.assert_array_equal(found, signed)

    frame = jpeg2000(positive.view("i2"))
    found = stored_plane(
        instance_of(stored_object(positive[None], JPEG2000Lossless, frames=[frame]))
    )
    np.testing.assert_array_equal(found, positive)


def test_a_sign_that_is_not_repeated_above_the_stored_bits_is_a_sign():
    plane = ramp(12, signed=True).astype("i2")
    dataset = stored_object(unsigned(plane, 12)[None], ExplicitVRLittleEndian, bits=12)
    dataset.PixelRepresentation = 1

    np.testing.assert_array_equal(stored_plane(instance_of(dataset)), plane)


def test_padding_below_the_stored_range_is_kept():
    plane = ramp(12, signed=True).astype("i2")
    plane[3] = -3024

    found = stored_plane(instance_of(stored_object(plane[None], ExplicitVRLittleEndian, bits=12)))

    np.testing.assert_array_equal(found, plane)


def test_unsigned_numbers_with_bits_above_those_stored_are_refused():
    plane = ramp(12).astype("u2") | 0x8000

    with pytest.raises(InputError, match="^unsupported_pixels: entry 1 has .* than the 12 bits"):
        stored_plane(instance_of(stored_object(plane[None], ExplicitVRLittleEndian, bits=12)))


@pytest.mark.parametrize("table", [False, True], ids=["basic table", "extended table"])
def test_frames_are_found_by_either_offset_table(table):
    planes = np.stack([ramp(12, shape=(9, 14)) >> k for k in range(3)]).astype("u2")
    frames = [imagecodecs.jpegls_encode(plane) for plane in planes]

    found = stored_frames(
        instance_of(stored_object(planes, JPEGLSLossless, frames=frames, table=table))
    )

    np.testing.assert_array_equal(found, planes)


def test_a_frame_in_several_fragments_is_joined():
    plane = ramp(12).astype("u2")
    dataset = stored_object(plane[None], JPEGLSLossless, frames=[b"to be replaced"])
    dataset.PixelData = encapsulate(
        [imagecodecs.jpegls_encode(plane)], fragments_per_frame=4, has_bot=False
    )

    np.testing.assert_array_equal(stored_plane(instance_of(dataset)), plane)


def test_a_missing_frame_is_refused():
    planes = np.stack([ramp(12)] * 2).astype("u2")
    frames = [imagecodecs.jpegls_encode(planes[0])]

    with pytest.raises(InputError, match="^bad_pixels: "):
        stored_frames(instance_of(stored_object(planes, JPEGLSLossless, frames=frames)))


@pytest.mark.parametrize("kept", [2, 10, 90, 0.5, 0.9])
@pytest.mark.parametrize("name", [*LOSSLESS, "JPEG extended"])
def test_a_frame_cut_short_is_refused(name, kept):
    plane = ramp(12).astype("u2")
    syntax, encode = LOSSLESS.get(name) or LOSSY[name][::2]
    frame = encode(plane)
    frame = frame[: int(kept if kept > 1 else kept * len(frame))]

    with pytest.raises(InputError, match="^bad_pixels: entry 1 "):
        stored_plane(instance_of(stored_object(plane[None], syntax, frames=[frame], bits=12)))


@pytest.mark.usefixtures("decoder")
def test_a_codestream_of_other_extents_is_refused_before_it_is_decoded():
    before = children()
    plane = ramp(12).astype("u2")
    frame = jpeg2000(ramp(12, shape=(53, 37)).astype("u2"))

    with pytest.raises(InputError, match="cannot be decoded: it is 37 × 53, not 53 × 37"):
        stored_plane(instance_of(stored_object(plane[None], JPEG2000, frames=[frame])))
    assert children() == before


def test_plain_pixels_under_a_compressed_syntax_are_refused():
    dataset = stored_object(ramp(12).astype("u2")[None], ExplicitVRLittleEndian)
    content = file_bytes(dataset).replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0")  # RLE

    with pytest.raises(InputError, match="^bad_pixels: entry 1 has plain pixels"):
        stored_plane(instance_of(content))


def in_two(content):
    """A file's preamble with the meta information, and its data set."""
    meta_bytes = int.from_bytes(content[140:144], "little")
    return content[: 144 + meta_bytes], content[144 + meta_bytes :]


@pytest.mark.filterwarnings("ignore:Expected .*plicit VR:UserWarning:pydicom")
@pytest.mark.parametrize("shape", [(9, 14), (130, 140)], ids=["small", "large"])
@pytest.mark.parametrize(
    ("said", "true"),
    [
        pytest.param(ImplicitVRLittleEndian, ExplicitVRLittleEndian, id="explicit"),
        pytest.param(ExplicitVRLittleEndian, ImplicitVRLittleEndian, id="implicit"),
    ],
)
def test_pixels_are_read_as_they_are_encoded_not_as_the_object_says(said, true, shape):
    plane = ramp(12, shape=shape).astype("u2")
    start, _ = in_two(file_bytes(stored_object(plane[None], said)))
    _, data = in_two(file_bytes(stored_object(plane[None], true)))

    for content in (start + data, start + data + bytes(64), data):
        np.testing.assert_array_equal(stored_plane(instance_of(content)), plane)


@pytest.mark.parametrize("surplus", [37 * 53, 37 * 53 * 2])
def test_more_pixels_than_the_extents_need_are_refused(surplus):
    dataset = stored_object(ramp(12).astype("u2")[None], ExplicitVRLittleEndian)
    dataset.PixelData += bytes(surplus + surplus % 2)

    with pytest.raises(InputError, match="^bad_pixels: entry 1 has .* 53 × 37 need 3922"):
        stored_plane(instance_of(dataset))


def test_padding_behind_the_pixels_is_no_surplus():
    plane = ramp(12).astype("u2")
    dataset = stored_object(plane[None], ExplicitVRLittleEndian)
    dataset.PixelData += bytes(100)

    np.testing.assert_array_equal(stored_plane(instance_of(dataset)), plane)


@pytest.mark.parametrize("table", [False, True], ids=["basic table", "extended table"])
def test_more_compressed_frames_than_are_declared_are_refused(table):
    planes = np.stack([ramp(12, shape=(9, 14))] * 3).astype("u2")
    frames = [imagecodecs.jpegls_encode(plane) for plane in planes]
    dataset = stored_object(planes, JPEGLSLossless, frames=frames, table=table)
    dataset.NumberOfFrames = 2

    with pytest.raises(InputError, match="^bad_pixels: entry 1 has more frames than Number"):
        stored_frames(instance_of(dataset))


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"PixelRepresentation": None}, "missing_attribute: entry 1 has no PixelRepresentation"),
        ({"PixelRepresentation": 2}, "bad_attribute: entry 1 has a PixelRepresentation of 2"),
        ({"BitsStored": None}, "missing_attribute: entry 1 has no BitsStored"),
        ({"BitsStored": 17}, "bad_attribute: entry 1 has a BitsStored that does not fit"),
        ({"BitsStored": 12}, "unsupported_pixels: .* its 12 bits below a HighBit of 15, not 11"),
        ({"SamplesPerPixel": None}, "missing_attribute: entry 1 has no SamplesPerPixel"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "unsupported_pixels: .* it is grey"),
        ({"PhotometricInterpretation": None}, "unsupported_pixels: .* it is grey"),
        ({"Rows": 40000, "Columns": 40000}, "too_large: entry 1 has 3200000000 bytes of pixels"),
    ],
)
def test_pixels_whose_layout_is_not_stated_or_odd_are_refused(attributes, message):
    dataset = stored_object(ramp(16).astype("u2")[None], ExplicitVRLittleEndian)
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)

    with pytest.raises(InputError, match=f"^{message}"):
        stored_plane(instance_of(dataset))


def test_a_syntax_that_is_not_read_is_refused_by_name():
    objects = slices(thorax(shape=(10, 12, 6)))
    for each in objects:
        each.PixelData = encapsulate([each.PixelData])
        each.file_meta.TransferSyntaxUID = MPEG2MPML

    with pytest.raises(InputError, match="^unsupported_transfer_syntax: .*MPEG2"):
        nifti_files(memoryview(zip_of(*objects)), options=Options(), limits=Limits())


# The process


PLANE = ramp(12, shape=(300, 400)).astype("u2")
FRAME = jpeg2000(PLANE)
STREAM = read_codestream("jpeg2000", FRAME)


def decoded(process):
    return process.decode("jpeg2000", FRAME, STREAM)


def children():
    """Processes that this one started and that live."""
    return {
        int(number)
        for task in Path("/proc/self/task").iterdir()
        for number in (task / "children").read_text().split()
        if b"decoding/child.py" in Path(f"/proc/{number}/cmdline").read_bytes()
    }


def child_of(process):
    before = children()
    np.testing.assert_array_equal(decoded(process), PLANE)
    (number,) = children() - before
    return number


def kill(number):
    os.kill(number, signal.SIGKILL)
    assert has_ended(number)


def has_ended(number):
    """Say whether a process ends within five seconds; nobody may have asked for its exit code."""
    deadline = time.monotonic() + 5
    stat = Path(f"/proc/{number}/stat")
    while time.monotonic() < deadline:
        try:
            if stat.read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
    return False


def test_one_process_decodes_all_frames(decoder):
    number = child_of(decoder)

    decoded(decoder)

    assert number in children()


def test_a_crash_fails_its_frame_and_no_other(decoder):
    number = child_of(decoder)
    os.kill(number, signal.SIGSTOP)
    threading.Timer(0.2, os.kill, (number, signal.SIGKILL)).start()

    with pytest.raises(UndecodableError, match="the decoder crashed over it"):
        decoded(decoder)
    np.testing.assert_array_equal(decoded(decoder), PLANE)


def test_an_overrun_fails_its_frame_and_no_other(decoder):
    number = child_of(decoder)
    os.kill(number, signal.SIGSTOP)

    with pytest.raises(UndecodableError, match="decoding took more than 2 s"):
        decoded(decoder)
    assert number not in children()
    np.testing.assert_array_equal(decoded(decoder), PLANE)


def test_a_process_that_died_between_frames_is_replaced(decoder):
    kill(child_of(decoder))

    np.testing.assert_array_equal(decoded(decoder), PLANE)


def test_a_frame_that_needs_too_much_memory_is_refused(decoder):
    plane = np.zeros((9000, 9000), np.uint8)
    frame = imagecodecs.jpeg2k_encode(plane, 0, reversible=True, codecformat="j2k")

    with pytest.raises(InputError, match="^bad_pixels: entry 1 .* too large for the decoder"):
        stored_plane(instance_of(stored_object(plane[None], JPEG2000, frames=[frame])))
    np.testing.assert_array_equal(decoded(decoder), PLANE)


def test_the_process_gets_no_secret(decoder, monkeypatch):
    monkeypatch.setenv("CLIENT_SECRET", "hush")

    number = child_of(decoder)

    assert b"hush" not in Path(f"/proc/{number}/environ").read_bytes()


def test_uncompressed_pixels_start_no_process(decoder):
    stored_plane(instance_of(stored_object(PLANE[None], DeflatedExplicitVRLittleEndian)))

    assert decoder._process is None


PARENT = """
import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
sys.path.insert(0, "tests")
import test_decoding as tests
process = tests.DecoderProcess()
tests.kill(tests.child_of(process))
number = tests.child_of(process)
os.kill(number, signal.SIGSTOP)
print(number, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_it_lives_without_sigchld_and_ends_with_its_parent():
    """Triton's Python processes ignore SIGCHLD; one that is killed closes nothing itself."""
    run = subprocess.run(
        [sys.executable, "-c", PARENT],
        cwd=Path(__file__).parents[1],
        stdout=subprocess.PIPE,
        check=False,
    )

    assert has_ended(int(run.stdout))


# Deflated objects


def test_a_deflated_object_that_unpacks_to_too_much_is_refused():
    dataset = stored_object(PLANE[None], DeflatedExplicitVRLittleEndian)
    dataset.PixelData = bytes(64 << 20)
    instance = instance_of(dataset, Limits(inflated_bytes=8 << 20))

    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="^too_large: entry 1 .* more than 8388608 bytes"):
            stored_plane(instance)
        assert tracemalloc.get_traced_memory()[1] < 40 << 20
    finally:
        tracemalloc.stop()


def test_a_header_that_unpacks_to_too_much_is_read_no_further():
    dataset = stored_object(PLANE[None], DeflatedExplicitVRLittleEndian)
    dataset.add_new(0x00090010, "LO", "BOMB")
    dataset.add_new(0x00091010, "OB", bytes(64 << 20))
    content = file_bytes(dataset)

    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="^missing_attribute: entry 1 has no BitsAllocated"):
            stored_plane(instance_of(content, Limits(header_bytes=1 << 20)))
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_a_syntax_hidden_behind_long_meta_information_is_not_inflated_whole():
    dataset = stored_object(PLANE[None], DeflatedExplicitVRLittleEndian)
    dataset.PixelData = bytes(64 << 20)
    dataset.file_meta.MediaStorageSOPInstanceUID = "1." + "2" * 4000
    content = file_bytes(dataset)

    tracemalloc.start()
    try:
        instance_of(content)
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_a_deflated_object_cut_short_is_refused():
    content = file_bytes(stored_object(PLANE[None], DeflatedExplicitVRLittleEndian))

    with pytest.raises(InputError, match="^bad_pixels: entry 1 "):
        stored_plane(instance_of(content[:-200]))


def test_what_is_only_said_to_be_deflated_does_not_make_the_zip_corrupt():
    dataset = stored_object(PLANE[None], DeflatedExplicitVRLittleEndian)
    start, _ = in_two(file_bytes(dataset))

    assert instance_of(start + bytes(range(256)) * 10) is None


def test_a_deflated_object_within_a_deflated_object_is_none():
    content = file_bytes(stored_object(PLANE[None], DeflatedExplicitVRLittleEndian))
    start, _ = in_two(content)
    packer = isal_zlib.compressobj(1, isal_zlib.DEFLATED, -isal_zlib.MAX_WBITS)

    assert instance_of(start + packer.compress(content[132:]) + packer.flush()) is None


# Real objects


@pytest.mark.parametrize(
    ("name", "lowest", "highest"),
    [("J2K_pixelrep_mismatch", -2000, 1896), ("693_J2KI", -2971, 2836), ("JPGExtended", 0, 264)],
)
def test_objects_known_for_their_traps_are_read(name, lowest, highest):
    """The numbers are in pydicom's own tests of these files, but for the last."""
    found = stored_plane(instance_of((PYDICOM_FILES / f"{name}.dcm").read_bytes()))

    assert (found.min(), found.max()) == (lowest, highest)


@pytest.mark.parametrize(
    ("name", "original", "kind"),
    [
        ("MR_small_RLE", "MR_small", "<i2"),
        ("MR_small_jp2klossless", "MR_small", "<i2"),
        ("MR_small_jpeg_ls_lossless", "MR_small", "<i2"),
        ("rtdose_rle", "rtdose", "<u4"),
        ("rtdose_expb", "rtdose", "<u4"),
    ],
)
def test_transcoded_objects_equal_their_original(name, original, kind):
    pixels = pydicom.dcmread(PYDICOM_FILES / f"{original}.dcm").PixelData

    found = stored_frames(instance_of((PYDICOM_FILES / f"{name}.dcm").read_bytes()))

    np.testing.assert_array_equal(found.ravel(), np.frombuffer(pixels, kind))


def planes_of(shared_data, case):
    """Stored pixels of a case by their position along the patient, in whole micrometres."""
    study = (shared_data / "dicom" / f"{case}.zip").read_bytes()
    instances = [
        read_instance(entry, Limits()) for entry in open_archive(memoryview(study), Limits())
    ]
    return {
        tuple(np.rint(np.multiply(each.numbers("ImagePositionPatient", 3), 1000))): stored_plane(
            each
        )
        for each in instances
        if each
    }


@pytest.mark.parametrize(
    "encoding", ["rle", "jpegll70", "jpegls80", "j2k90", "deflated", "bigendian"]
)
def test_a_transcoded_ct_equals_its_original(shared_data, encoding):
    original = planes_of(shared_data, "ct-chest-lidc-16")

    found = planes_of(shared_data, f"ts-ct-{encoding}")

    assert len(found) == 4
    for place, plane in found.items():
        np.testing.assert_array_equal(plane, original[place])


@pytest.mark.parametrize("encoding", ["jpegls", "jpegll", "j2k"])
def test_a_real_mr_is_the_same_in_every_encoding(shared_data, encoding):
    original = planes_of(shared_data, "ts-mr-rle-4slice")

    found = planes_of(shared_data, f"ts-mr-{encoding}-4slice")

    assert len(found) == 4
    for place, plane in found.items():
        np.testing.assert_array_equal(plane, original[place])


def test_one_picture_is_the_same_in_nine_encodings(shared_data):
    study = (shared_data / "dicom" / "ts-mosaic-nine-syntaxes.zip").read_bytes()
    found = [
        stored_plane(read_instance(entry, Limits()))
        for entry in open_archive(memoryview(study), Limits())
    ]

    assert len(found) == 9
    for plane in found:
        np.testing.assert_array_equal(plane, found[0])


def volume_of(shared_data, case):
    study = (shared_data / "dicom" / f"{case}.zip").read_bytes()
    answer = nifti_files(memoryview(study), options=Options(), limits=Limits())
    (volume,) = (nib.Nifti1Image.from_bytes(gzip.decompress(file)) for file in answer.files)
    return nib.as_closest_canonical(volume)


@pytest.mark.parametrize(
    "case",
    [
        "mr-jpegll-fragmented",
        *(f"ts-mr-{each}-4slice" for each in ("rle", "jpegls", "jpegll", "j2k")),
    ],
)
def test_a_compressed_series_equals_the_reference_conversion(shared_data, case):
    manifest = json.loads((shared_data / "reference" / case / "manifest.json").read_text())
    (reference,) = manifest["volumes"]

    voxels = np.rint(np.asarray(volume_of(shared_data, case).dataobj)).astype("<i4")

    found = hashlib.sha256(np.ascontiguousarray(voxels).tobytes()).hexdigest()
    assert found == reference["sha256_canonical_ras_values_int32_c_order"]


def test_a_lossy_series_is_within_one_of_the_reference_conversion(shared_data):
    (file,) = (shared_data / "reference" / "ts-jpeg-baseline-8bit").glob("*.nii.gz")
    reference = nib.as_closest_canonical(nib.load(file))

    found = volume_of(shared_data, "ts-jpeg-baseline-8bit")

    np.testing.assert_allclose(
        np.asarray(found.dataobj, int), np.asarray(reference.dataobj, int), atol=1
    )
