"""Segments are the same voxels, however the frames of a SEG are stored."""

import highdicom as hd
import imagecodecs
import numpy as np
import pytest
from highdicom.seg import Segmentation, SegmentDescription
from phantoms import file_bytes, slices, thorax
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.sr.codedict import codes
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
    generate_uid,
)
from test_decoding import (
    DEFLATED_FRAMES,
    deflated,
    high_throughput,
    jpeg,
    jpeg2000,
    run_lengths,
    with_deflated_frames,
)
from test_regions_objects import seg
from test_regions_seg import (
    PIXEL_SPACING,
    at,
    code_of,
    expected_mask,
    found_in,
    random_planes,
    regions_of,
    stacked,
)


@pytest.fixture
def image():
    return slices(thorax())


def compressed(source, syntax, frames, *, fragments=1, table=None):
    """The file of a segmentation with these frames as its compressed ones.

    table: offsets and lengths instead of those of the frames, or True for these.
    """
    is_new = syntax == DEFLATED_FRAMES
    source.file_meta.TransferSyntaxUID = JPEG2000Lossless if is_new else syntax
    source.PixelData = encapsulate(frames, fragments_per_frame=fragments)
    if table:
        source.PixelData, *own = encapsulate_extended(frames)
        table = own if table is True else table
        source.ExtendedOffsetTable, source.ExtendedOffsetTableLengths = table
    source["PixelData"].is_undefined_length = True
    return with_deflated_frames(file_bytes(source)) if is_new else file_bytes(source)


def bits_of(plane):
    """Single bits, from the lowest of each byte up; the last byte is filled with zeros."""
    number = sum(1 << place for place in np.flatnonzero(plane).tolist())
    return number.to_bytes(-(-plane.size // 8), "little")


def deflated_numbers(plane):
    return deflated(plane.astype(plane.dtype.newbyteorder("<")).tobytes())


LOSSLESS = {
    "RLE": (RLELossless, run_lengths),
    "JPEG lossless": (JPEGLossless, None),
    "JPEG lossless, first predictor": (JPEGLosslessSV1, None),
    "JPEG-LS": (JPEGLSLossless, imagecodecs.jpegls_encode),
    "JPEG 2000": (JPEG2000Lossless, jpeg2000),
    "HTJ2K": (HTJ2KLossless, high_throughput),
    "deflated frames": (DEFLATED_FRAMES, deflated_numbers),
}


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize(("syntax", "encode"), LOSSLESS.values(), ids=LOSSLESS)
def test_labels_are_kept_by_every_lossless_encoding(image, syntax, encode, bits):
    encode = encode or jpeg(bits, lossless=True, predictor=1)
    numbers = np.array([0, 1, 2, 3 << bits - 3], f"u{bits // 8}")
    planes = numbers[np.random.default_rng(6).integers(0, 4, (3, 13, 7))]
    source = seg(
        image,
        stacked(planes, number=None),
        kind="LABELMAP",
        spacing_mm=PIXEL_SPACING,
        labels=("one", "two", "many"),
        BitsAllocated=bits,
    )
    source.SegmentSequence[2].SegmentNumber = int(numbers[3])

    found = regions_of(image, compressed(source, syntax, [encode(plane) for plane in planes]))

    assert [region.number for region, _ in found] == numbers[1:].tolist()
    for (_, mask), number in zip(found, numbers[1:], strict=True):
        np.testing.assert_array_equal(mask, expected_mask(planes == number))


SINGLE_BITS = {
    "deflated frames": (DEFLATED_FRAMES, lambda plane: deflated(bits_of(plane))),
    "JPEG 2000": (
        JPEG2000Lossless,
        lambda plane: imagecodecs.jpeg2k_encode(
            plane.astype(np.uint8), 0, reversible=True, codecformat="j2k", bitspersample=1
        ),
    ),
    "RLE": (
        RLELossless,
        lambda plane: run_lengths(np.frombuffer(bits_of(plane), np.uint8)[np.newaxis]),
    ),
}


@pytest.mark.parametrize(("syntax", "encode"), SINGLE_BITS.values(), ids=SINGLE_BITS)
def test_single_bits_are_kept_by_every_encoding_that_has_them(image, syntax, encode):
    planes = random_planes(5)
    source = seg(image, stacked(planes), spacing_mm=PIXEL_SPACING)

    ((_, mask),) = regions_of(
        image, compressed(source, syntax, [encode(plane) for plane in planes])
    )

    np.testing.assert_array_equal(mask, expected_mask(planes))


@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL"])
@pytest.mark.parametrize("representation", ["OB", "OW"])
def test_big_endian_words_hold_their_second_byte_first(image, kind, representation):
    planes = random_planes(5, 12, 7)
    source = seg(
        image,
        stacked(planes.astype(np.uint8)),
        kind=kind,
        spacing_mm=PIXEL_SPACING,
        MaximumFractionalValue=1,
    )
    source.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    source["PixelData"].VR = representation
    if representation == "OW":
        source.PixelData = np.frombuffer(source.PixelData, "<u2").byteswap().tobytes()

    ((_, mask),) = regions_of(image, source)

    np.testing.assert_array_equal(mask, expected_mask(planes))


def test_big_endian_labels_of_16_bits_are_read(image):
    planes = np.random.default_rng(6).integers(0, 2, (3, 13, 7)) * 0x0203
    source = seg(
        image,
        stacked(planes, number=None),
        kind="LABELMAP",
        spacing_mm=PIXEL_SPACING,
        BitsAllocated=16,
        PixelData=planes.astype(">u2").tobytes(),
    )
    source.SegmentSequence[0].SegmentNumber = 0x0203
    source.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    source["PixelData"].VR = "OW"

    ((_, mask),) = regions_of(image, source)

    np.testing.assert_array_equal(mask, expected_mask(planes == 0x0203))


def test_deflated_objects_are_read(image):
    planes = random_planes(5)
    source = seg(image, stacked(planes), spacing_mm=PIXEL_SPACING)
    source.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian

    ((region, mask),) = regions_of(image, source)

    np.testing.assert_array_equal(mask, expected_mask(planes))
    assert region.source_uid == source.SOPInstanceUID


@pytest.mark.parametrize("how", [{"fragments": 4}, {"table": True}], ids=str)
def test_frames_are_found_in_fragments_and_by_tables(image, how):
    planes = random_planes(3) * np.uint8(255)
    source = seg(
        image,
        stacked(planes),
        kind="FRACTIONAL",
        spacing_mm=PIXEL_SPACING,
        MaximumFractionalValue=255,
    )
    frames = [imagecodecs.jpegls_encode(plane) for plane in planes]

    ((_, mask),) = regions_of(image, compressed(source, JPEGLSLossless, frames, **how))

    np.testing.assert_array_equal(mask, expected_mask(planes > 0))


LOSSY = {
    "JPEG": JPEGBaseline8Bit,
    "JPEG-LS": JPEGLSNearLossless,
    "JPEG 2000": JPEG2000,
    "HTJ2K": HTJ2K,
}


@pytest.mark.parametrize("syntax", LOSSY.values(), ids=LOSSY)
def test_lossy_frames_are_skipped_by_name(image, syntax):
    source = seg(image, stacked(random_planes(2)), kind="FRACTIONAL", spacing_mm=PIXEL_SPACING)

    assert code_of(image, compressed(source, syntax, [b"12", b"34"])) == (
        "unsupported_transfer_syntax"
    )


BROKEN = {
    "a frame is missing": lambda frames: frames[:2],
    "a frame is cut short": lambda frames: [*frames[:2], frames[2][:-4]],
    "a frame is too small": lambda frames: [*frames[:2], deflated(b"\xff" * 11)],
    "a frame is no deflated one": lambda frames: [*frames[:2], b"\xff" * 40],
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_broken_frames_are_skipped_by_name(image, broken):
    planes = random_planes(3)
    source = seg(image, stacked(planes), spacing_mm=PIXEL_SPACING)
    frames = broken([deflated(bits_of(plane)) for plane in planes])

    assert code_of(image, compressed(source, DEFLATED_FRAMES, frames)) == "bad_pixels"


def test_one_broken_frame_does_not_stop_the_segments_of_others(image):
    planes = random_planes(2)
    frames = [(1, at(4, 6, 2), planes[0]), (2, at(4, 6, 3), planes[1])]
    source = seg(image, frames, spacing_mm=PIXEL_SPACING, labels=("whole", "broken"), step_mm=4)
    stored = [deflated(bits_of(planes[0])), b"\xff" * 40]

    found, grid = found_in(image, compressed(source, DEFLATED_FRAMES, stored))

    (region,) = found.regions
    np.testing.assert_array_equal(region.mask.on(grid.shape), expected_mask(planes[:1]))
    assert [(each.name, each.code) for each in found.skipped] == [("broken", "bad_pixels")]
    assert found.skipped[0].sentence.startswith("frame 2 of entry ")


def test_frames_that_overlap_are_refused_before_they_are_copied(image):
    """A table may name the same bytes for each frame: a small object would become a large one."""
    planes = random_planes(50)
    source = seg(image, stacked(planes), spacing_mm=PIXEL_SPACING)
    frames = [deflated(bits_of(plane)) for plane in planes]
    table = (bytes(8 * 50), np.full(50, 1000, "<u8").tobytes())

    assert code_of(image, compressed(source, DEFLATED_FRAMES, frames, table=table)) == "bad_pixels"


def test_no_more_is_inflated_than_a_frame_needs(image):
    planes = random_planes(1)
    source = seg(image, stacked(planes), spacing_mm=PIXEL_SPACING, step_mm=4)
    bomb = deflated(bits_of(planes[0]) + bytes(100 << 20))

    ((_, mask),) = regions_of(image, compressed(source, DEFLATED_FRAMES, [bomb]))

    np.testing.assert_array_equal(mask, expected_mask(planes))


# What another writer makes of known masks.
WRITTEN = [
    *(("BINARY", syntax) for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian)),
    *(
        (kind, syntax)
        for kind in ("FRACTIONAL", "LABELMAP")
        for syntax in (ExplicitVRLittleEndian, RLELossless, JPEGLSLossless)
    ),
]


@pytest.mark.parametrize(
    ("kind", "syntax"), WRITTEN, ids=lambda value: getattr(value, "name", value)
)
def test_segmentations_that_highdicom_writes_are_the_masks_that_it_was_given(kind, syntax):
    identity = ("PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID", "StudyDate")
    empty = dict.fromkeys((*identity, "StudyTime", "PositionReferenceIndicator"), "")
    image = slices(thorax(), PatientName="Phantom^", SliceThickness=4.0, **empty)
    labels = np.zeros((24, 52, 40), np.uint8)  # slice, row, column
    labels[3:9, 10:31, 5:18] = 1
    labels[8:12, 30:40, 20:33] = 2
    labels[5, 15:20, 7:9] = 0

    source = highdicom_seg(image, labels, kind, syntax)
    found, grid = found_in(image, file_bytes(source))

    assert [region.number for region in found.regions] == [1, 2]
    assert not found.skipped
    for region in found.regions:
        expected = (labels == region.number).transpose(2, 1, 0)
        np.testing.assert_array_equal(region.mask.on(grid.shape), expected)
        assert (region.link, region.fraction_inside, region.notes) == ("series", 1.0, ())


def highdicom_seg(image, labels, kind, syntax):
    segments = [
        SegmentDescription(
            segment_number=number,
            segment_label=f"Segment {number}",
            segmented_property_category=codes.SCT.Organ,
            segmented_property_type=codes.SCT.Kidney,
            algorithm_type=hd.seg.SegmentAlgorithmTypeValues.MANUAL,
        )
        for number in (1, 2)
    ]
    if kind == "FRACTIONAL":
        # 0.7 of the maximum is inside, 0.3 is not.
        labels = np.stack([np.where(labels == number, 0.7, 0.3) for number in (1, 2)], axis=-1)
    return Segmentation(
        source_images=image,
        pixel_array=labels,
        segmentation_type=kind,
        segment_descriptions=segments,
        series_instance_uid=generate_uid(),
        series_number=2,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer="phantom",
        manufacturer_model_name="phantom",
        software_versions="1",
        device_serial_number="1",
        transfer_syntax_uid=syntax,
    )
