"""Segments of a DICOM SEG lie where their frames are placed, whatever grid the frames have."""

import numpy as np
import pytest
from phantoms import SAGITTAL, slices, thorax, zip_of
from pydicom.uid import ImplicitVRLittleEndian
from test_regions_objects import grid_of, item, seg

from imaging.archive import Limits
from imaging.regions import drawings_in, regions_in
from imaging.series import is_image
from imaging.study import Study

# Columns are 2.5 mm apart, rows 1.75 mm, slices 4 mm; the first voxel is at (-31.5, -55.25, 112).
SHAPE = (40, 52, 24)
SPACING = (2.5, 1.75, 4.0)
ORIGIN = (-31.5, -55.25, 112.0)
PIXEL_SPACING = (1.75, 2.5)


@pytest.fixture
def image():
    return slices(thorax())


def found_in(image, source):
    study = Study.from_zip(memoryview(zip_of(*image, source)), Limits())
    series = next(each for each in study.series if is_image(each))
    grid = grid_of(series.instances)
    return regions_in(drawings_in(study.series, Limits()), series, grid, Limits()), grid


def regions_of(image, source):
    found, grid = found_in(image, source)
    assert not found.skipped
    return [(region, region.mask.on(grid.shape)) for region in found.regions]


def code_of(image, source):
    found, _ = found_in(image, source)
    assert not found.regions
    return found.skipped[0].code


def at(i, j, k):
    """The place in mm, LPS+, of an index of the axial phantom."""
    return [o + s * n for o, s, n in zip(ORIGIN, SPACING, (i, j, k), strict=True)]


def random_planes(count, rows=13, columns=7):
    """Pixels [row, column]; 91 of them are no whole number of bytes."""
    return np.random.default_rng(3).random((count, rows, columns)) > 0.6


def expected_mask(planes, corner=(4, 6), ks=None):
    mask = np.zeros(SHAPE, bool)
    for k, plane in zip(ks or range(2, 2 + len(planes)), planes, strict=True):
        rows, columns = plane.shape
        i, j = corner
        mask[i : i + columns, j : j + rows, k] |= plane.T
    return mask


def stacked(planes, number=1, first=2):
    return [(number, at(4, 6, first + k), plane) for k, plane in enumerate(planes)]


@pytest.mark.parametrize("syntax", [None, ImplicitVRLittleEndian])
def test_bits_are_unpacked_though_most_frames_do_not_begin_at_a_byte(image, syntax):
    planes = random_planes(5)
    source = seg(image, stacked(planes), spacing_mm=PIXEL_SPACING)
    source.file_meta.TransferSyntaxUID = syntax or source.file_meta.TransferSyntaxUID

    ((region, mask),) = regions_of(image, source)

    np.testing.assert_array_equal(mask, expected_mask(planes))
    assert (region.name, region.number, region.link) == ("Lesion", 1, "series")
    assert region.source_uid == source.SOPInstanceUID
    assert (region.fraction_inside, region.notes) == (1.0, ())


def test_frames_lie_at_their_positions_not_in_their_order(image):
    planes = random_planes(5)
    frames = stacked(planes)

    ((_, mask),) = regions_of(image, seg(image, frames[::-1], spacing_mm=PIXEL_SPACING))

    np.testing.assert_array_equal(mask, expected_mask(planes))


def test_a_sparse_segment_is_empty_between_its_frames(image):
    planes = random_planes(2)
    frames = [(1, at(4, 6, 3), planes[0]), (1, at(4, 6, 9), planes[1])]

    ((_, mask),) = regions_of(image, seg(image, frames, spacing_mm=PIXEL_SPACING, step_mm=4))

    np.testing.assert_array_equal(mask, expected_mask(planes, ks=(3, 9)))


def test_segments_may_overlap_and_keep_their_numbers_and_names(image):
    planes = random_planes(6)
    frames = stacked(planes[:3], number=2) + stacked(planes[3:], number=1)

    found = regions_of(
        image, seg(image, frames, spacing_mm=PIXEL_SPACING, labels=("Läsion", "腫瘍"))
    )

    assert [(region.number, region.name) for region, _ in found] == [(1, "Läsion"), (2, "腫瘍")]
    np.testing.assert_array_equal(found[0][1], expected_mask(planes[3:]))
    np.testing.assert_array_equal(found[1][1], expected_mask(planes[:3]))


def test_half_of_the_maximum_and_more_of_a_fractional_segment_is_inside(image):
    plane = np.array([[0, 49, 50], [51, 99, 100]])
    source = seg(
        image,
        [(1, at(4, 6, 2), plane)],
        kind="FRACTIONAL",
        spacing_mm=PIXEL_SPACING,
        MaximumFractionalValue=100,
    )

    ((_, mask),) = regions_of(image, source)

    np.testing.assert_array_equal(mask, expected_mask([plane >= 50]))


def test_the_labels_of_a_label_map_are_its_segments_but_not_the_background(image):
    plane = np.array([[0, 1, 1, 2], [2, 2, 0, 0]])
    source = seg(
        image,
        [(None, at(4, 6, 2), plane)],
        kind="LABELMAP",
        spacing_mm=PIXEL_SPACING,
        labels=("one", "two", "three"),
    )
    source.SegmentSequence = [item(SegmentNumber=0, SegmentLabel="air"), *source.SegmentSequence]

    found, grid = found_in(image, source)

    assert [region.name for region in found.regions] == ["one", "two"]
    for region, number in zip(found.regions, (1, 2), strict=True):
        np.testing.assert_array_equal(region.mask.on(grid.shape), expected_mask([plane == number]))
    assert [(each.name, each.code) for each in found.skipped] == [("three", "empty_region")]


def test_pixels_of_twice_the_size_cover_two_voxels_each_way(image):
    plane = random_planes(1, 5, 4)[0]
    # Its first pixel covers voxels 4 and 5, 6 and 7, 2 and 3: the centre lies between them.
    frames = [(1, at(4.5, 6.5, 2.5 + 2 * k), plane) for k in range(3)]
    source = seg(image, frames, spacing_mm=(3.5, 5.0))

    ((region, mask),) = regions_of(image, source)

    larger = plane.repeat(2, axis=0).repeat(2, axis=1)
    np.testing.assert_array_equal(mask, expected_mask([larger] * 6))
    assert region.notes == ("resampled",)


def test_axial_frames_are_placed_in_a_sagittal_image():
    image = slices(thorax(), SAGITTAL)
    planes = random_planes(5)

    ((region, mask),) = regions_of(image, seg(image, stacked(planes), spacing_mm=PIXEL_SPACING))

    # Of the sagittal image i is y, j is -z and k is -x: see phantoms.SAGITTAL.
    expected = expected_mask(planes).transpose(1, 2, 0)[:, ::-1, ::-1]
    np.testing.assert_array_equal(mask, expected)
    assert region.notes == ()


def test_frames_that_are_turned_about_the_normal_cover_their_voxels(image):
    """Each voxel takes the pixel that its centre lies in, worked out voxel by voxel."""
    angle = np.radians(27)
    row = np.array([np.cos(angle), np.sin(angle), 0])
    column = np.array([-np.sin(angle), np.cos(angle), 0])
    plane = random_planes(1, 9, 6)[0]
    source = seg(
        image, [(1, at(12, 20, 5), plane)], spacing_mm=(3.0, 4.0), orientation=[*row, *column],
        step_mm=4,
    )  # fmt: skip

    ((region, mask),) = regions_of(image, source)

    expected = np.zeros(SHAPE, bool)
    for i, j in np.ndindex(SHAPE[:2]):
        away = np.array(at(i, j, 5)) - at(12, 20, 5)
        x, y = round(away @ row / 4.0), round(away @ column / 3.0)
        if 0 <= x < 6 and 0 <= y < 9:
            expected[i, j, 5] = plane[y, x]
    np.testing.assert_array_equal(mask, expected)
    assert region.notes == ("resampled",)


def test_the_share_inside_the_image_counts_pixels(image):
    plane = np.ones((4, 10), bool)

    ((region, mask),) = regions_of(
        image, seg(image, [(1, at(37, 6, 3), plane)], spacing_mm=PIXEL_SPACING, step_mm=4)
    )

    assert mask.sum() == 12
    assert region.fraction_inside == 12 / 40


def without(source, *path):
    for keyword in path[:-1]:
        source = source[keyword][0]
    del source[path[-1]]


@pytest.mark.parametrize(
    "path",
    [
        ("PerFrameFunctionalGroupsSequence",),
        ("PerFrameFunctionalGroupsSequence", "PlanePositionSequence"),
        ("SharedFunctionalGroupsSequence", "PlaneOrientationSequence"),
        ("SharedFunctionalGroupsSequence", "PixelMeasuresSequence"),
        ("PerFrameFunctionalGroupsSequence", "SegmentIdentificationSequence"),
        ("SegmentationType",),
        ("SegmentSequence",),
        ("Rows",),
    ],
)
def test_frames_that_cannot_be_placed_are_skipped(image, path):
    source = seg(image, stacked(random_planes(3)), spacing_mm=PIXEL_SPACING)
    without(source, *path)

    assert code_of(image, source) == "unreadable_regions"


def test_the_attribute_that_is_missing_is_named(image):
    source = seg(image, stacked(random_planes(3)), spacing_mm=PIXEL_SPACING)
    without(source, "SharedFunctionalGroupsSequence", "PixelMeasuresSequence", "PixelSpacing")

    (skipped,) = found_in(image, source)[0].skipped

    assert skipped.sentence == "entry 25 holds regions that cannot be read: it has no PixelSpacing"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        pytest.param({"number": 9}, "it has frames of 1 segments that it does not list", id="list"),
        pytest.param({"maximum": 0}, "MaximumFractionalValue is not above 0", id="maximum"),
        pytest.param({"twice": True}, "several of them have one SegmentNumber", id="numbers"),
        pytest.param({"spacing_mm": (1e-300, 1.0)}, "", id="spacing"),
        pytest.param({"orientation": (1e200,) * 6}, "", id="orientation"),
    ],
)
def test_a_segmentation_that_contradicts_itself_is_skipped_and_says_why(image, change, why):
    source = seg(
        image,
        stacked(random_planes(3)),
        kind="FRACTIONAL" if "maximum" in change else "BINARY",
        spacing_mm=change.get("spacing_mm", PIXEL_SPACING),
        orientation=change.get("orientation", (1, 0, 0, 0, 1, 0)),
        MaximumFractionalValue=change.get("maximum", 255),
        labels=("A", "B") if "twice" in change else ("A",),
    )
    if "number" in change:
        group = source.PerFrameFunctionalGroupsSequence[0]
        group.SegmentIdentificationSequence[0].ReferencedSegmentNumber = 9
    if "twice" in change:
        source.SegmentSequence[1].SegmentNumber = 1

    (skipped,) = found_in(image, source)[0].skipped

    assert skipped.code == "unreadable_regions"
    assert skipped.sentence.endswith(why or "cannot be read")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"SegmentationType": "OTHER"}, "unreadable_regions", id="kind"),
        pytest.param({"BitsAllocated": 32}, "bad_pixels", id="bits"),
        pytest.param({"Rows": 60000, "Columns": 60000}, "too_large", id="size"),
        pytest.param({"Rows": 900, "Columns": 900}, "bad_pixels", id="too few pixels"),
        pytest.param({"FrameOfReferenceUID": "1.2.3"}, None, id="named by series"),
        pytest.param(
            {"FrameOfReferenceUID": "1.2.3", "ReferencedSeriesSequence": []},
            "other_frame_of_reference",
            id="frame of reference",
        ),
    ],
)
def test_a_segmentation_that_cannot_be_used_is_skipped_by_name(image, changes, code):
    source = seg(image, stacked(random_planes(3)), spacing_mm=PIXEL_SPACING, **changes)

    if code is None:
        assert regions_of(image, source)[0][0].notes == ("other_frame_declared",)
    else:
        assert code_of(image, source) == code


@pytest.mark.parametrize(
    ("position", "plane", "code"),
    [
        pytest.param((60, 6, 3), np.ones((4, 4)), "region_outside_image", id="beside"),
        pytest.param((4, 6, 40), np.ones((4, 4)), "region_outside_image", id="above"),
        pytest.param((4, 6, 3), np.zeros((4, 4)), "empty_region", id="nothing set"),
    ],
)
def test_a_segment_without_a_voxel_in_the_image_is_skipped_by_name(image, position, plane, code):
    source = seg(image, [(1, at(*position), plane > 0)], spacing_mm=PIXEL_SPACING, step_mm=4)

    assert code_of(image, source) == code


def test_pixels_finer_than_voxels_may_hold_no_voxel(image):
    source = seg(
        image, [(1, at(4.3, 6.3, 3), np.ones((1, 1)) > 0)], spacing_mm=(0.2, 0.2), step_mm=4
    )

    assert code_of(image, source) == "empty_region"
