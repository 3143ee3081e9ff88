"""Contours are drawn on the image they belong to, or skipped by name."""

import numpy as np
import pytest
from phantoms import AXIAL, SAGITTAL, Phantom, file_bytes, slices, thorax, zip_of
from PIL import Image, ImageDraw
from test_regions_objects import contour, grid_of, rtstruct, square

from imaging.archive import Limits
from imaging.errors import REFUSALS
from imaging.regions import NOTES, drawings_in, regions_in
from imaging.series import is_image
from imaging.study import Study

# Columns are 2.5 mm apart, rows 1.75 mm, slices 4 mm; the first voxel is at (-31.5, -55.25, 112).
SPACING = (2.5, 1.75, 4.0)
ORIGIN = (-31.5, -55.25, 112.0)


@pytest.fixture
def image():
    return slices(thorax())


def found_in(image, *sources, limits=None):
    study = Study.from_zip(memoryview(zip_of(*image, *sources)), Limits())
    series = next(each for each in study.series if is_image(each))
    grid = grid_of(series.instances)
    return regions_in(
        drawings_in(study.series, limits or Limits()), series, grid, limits or Limits()
    ), grid


def the_region(image, *contours, **attributes):
    found, grid = found_in(image, rtstruct(image, [("Lesion", contours)], **attributes))
    assert not found.skipped
    (region,) = found.regions
    return region, region.mask.on(grid.shape)


def the_skipped(image, *contours, **attributes):
    found, _ = found_in(image, rtstruct(image, [("Lesion", contours)], **attributes))
    assert not found.regions
    (skipped,) = found.skipped
    assert skipped.code in REFUSALS
    assert skipped.name not in skipped.sentence
    return skipped


def at(i, j, k):
    """The place in mm, LPS+, of an index of the axial phantom."""
    return [o + s * n for o, s, n in zip(ORIGIN, SPACING, (i, j, k), strict=True)]


def box(i, j, k):
    """The contour of a box of voxels [i0, i1) × [j0, j1) in slice k, along the voxels' edges."""
    return square(at(i[0] - 0.5, j[0] - 0.5, k), at(i[1] - 0.5, j[1] - 0.5, k))


def test_a_contour_around_voxels_holds_these_voxels(image):
    region, mask = the_region(image, box((3, 9), (10, 12), 5))

    expected = np.zeros(mask.shape, bool)
    expected[3:9, 10:12, 5] = True
    np.testing.assert_array_equal(mask, expected)
    assert region.mask.offset == (3, 10, 5)
    assert region.mask.inside.shape == (6, 2, 1)
    assert (region.number, region.link, region.fraction_inside) == (1, "series", 1.0)
    assert region.notes == ()


def test_a_contour_through_voxel_centres_holds_those_of_its_lower_edges_only(image):
    _, mask = the_region(image, square(at(3, 10, 5), at(9, 12, 5)))

    assert mask.sum() == 6 * 2
    assert mask[3:9, 10:12, 5].all()


def test_a_contour_is_filled_in_a_sagittal_image_too():
    image = slices(thorax(), SAGITTAL)
    # In mm: y -50.5 to -40, z 125 to 171, at x -29 to the left, which is the second plane.
    points = [(-29, -50.5, 125), (-29, -40, 125), (-29, -40, 171), (-29, -50.5, 171)]

    region, mask = the_region(image, points)

    # Rows run to the feet from z = 204; y = -55.25 + 1.75 i, and 3 to 8 lie between.
    expected = np.zeros(mask.shape, bool)
    z = 204 - 4.0 * np.arange(24)
    inside = (z >= 125) & (z <= 171)
    # Slices are sorted along the normal, row × column = -x: x = -29 is the last but one.
    expected[3:9, inside, 38] = True
    np.testing.assert_array_equal(mask, expected)
    assert region.fraction_inside == 1.0


def test_a_contour_within_another_is_a_hole(image):
    _, mask = the_region(image, box((3, 13), (10, 20), 5), box((5, 7), (12, 18), 5))

    assert mask.sum() == 100 - 12
    assert not mask[5:7, 12:18, 5].any()


def test_a_keyhole_is_a_hole(image):
    outer = box((3, 13), (10, 20), 5)
    inner = box((5, 7), (12, 18), 5)[::-1]
    keyhole = [*outer, outer[0], *inner[-1:], *inner, outer[0]]

    _, mask = the_region(image, keyhole)
    _, with_hole = the_region(image, outer, inner)

    np.testing.assert_array_equal(mask, with_hole)


def test_two_lesions_in_one_slice_are_one_region(image):
    _, mask = the_region(image, box((3, 6), (10, 12), 5), box((20, 22), (30, 34), 5))

    assert mask.sum() == 6 + 8


def test_a_contour_written_twice_does_not_cancel_itself(image):
    _, mask = the_region(image, box((3, 6), (10, 12), 5), box((3, 6), (10, 12), 5))

    assert mask.sum() == 6


def test_a_contour_between_slices_belongs_to_the_nearest(image):
    _, mask = the_region(image, box((3, 6), (10, 12), 5.4), box((3, 6), (10, 12), 9.6))

    assert np.flatnonzero(mask.any(axis=(0, 1))).tolist() == [5, 10]


def test_of_contours_closer_than_slices_each_slice_takes_the_nearest(image):
    planes = [box((3, 3 + n), (10, 12), 4.3 + 0.4 * n) for n in range(1, 7)]  # 4.7, 5.1, … 6.7

    region, mask = the_region(image, *planes)

    widths = mask.any(axis=1).sum(axis=0)
    assert widths[4:9].tolist() == [0, 2, 4, 6, 0]  # of 5.1, 5.9 and 6.7
    assert region.notes == ("contours_unused",)


def test_contours_on_every_second_slice_are_taken_for_the_slices_between(image):
    region, mask = the_region(image, *(box((3, 6), (10, 12), k) for k in (4, 6, 8, 10)))

    assert np.flatnonzero(mask.any(axis=(0, 1))).tolist() == [3, 4, 5, 6, 7, 8, 9, 10]
    assert region.notes == ("contours_spread",)


def test_one_slice_without_contour_stays_empty_and_is_noted(image):
    region, mask = the_region(image, *(box((3, 6), (10, 12), k) for k in (4, 5, 6, 8, 9)))

    assert np.flatnonzero(mask.any(axis=(0, 1))).tolist() == [4, 5, 6, 8, 9]
    assert region.notes == ("slices_without_contours",)


def test_the_share_inside_the_image_counts_what_is_beside_and_beyond_it(image):
    beside, mask = the_region(image, box((-6, 2), (10, 12), 5))
    beyond, _ = the_region(image, *(box((3, 6), (10, 12), k) for k in (-3, -2, -1, 0)))

    assert mask.sum() == 4
    assert beside.fraction_inside == 4 / 16
    assert beyond.fraction_inside == 1 / 4


@pytest.mark.parametrize(
    ("contours", "code"),
    [
        pytest.param([], "empty_region", id="no contour"),
        pytest.param([box((3.6, 3.9), (10, 11), 5)], "empty_region", id="between voxels"),
        pytest.param([box((50, 60), (10, 12), 5)], "region_outside_image", id="beside"),
        pytest.param([box((3, 9), (10, 12), 30)], "region_outside_image", id="above"),
        pytest.param([box((3, 9), (10, 12), 1e7)], "unusable_contours", id="far away"),
        pytest.param([[at(3, 3, 5), at(9, 9, 5)]], "unusable_contours", id="two points"),
        pytest.param(
            [[at(3, 3, 5), at(9, 3, 5), at(9, 9, 5)[:2]]], "unusable_contours", id="odd numbers"
        ),
        pytest.param(
            [[at(3, 3, 4), at(9, 3, 5), at(9, 9, 4), at(3, 9, 5)]],
            "oblique_contours",
            id="not planar",
        ),
        pytest.param(
            [box((3, 9), (10, 12), 5), [at(3, 3, 4), at(9, 3, 5), at(9, 9, 6)]],
            "oblique_contours",
            id="not parallel to each other",
        ),
    ],
)
def test_a_region_that_cannot_be_drawn_is_skipped_by_name(image, contours, code):
    assert the_skipped(image, *contours).code == code


@pytest.mark.parametrize("text", ["1\\2\\x\\4\\5\\6\\7\\8\\9", "nan\\0\\0\\1\\0\\0\\1\\1\\0"])
def test_contours_that_are_no_numbers_are_unusable(image, text):
    source = rtstruct(image, [("Lesion", [box((3, 9), (10, 12), 5)])])
    source.ROIContourSequence[0].ContourSequence[0].ContourData = None
    source.ROIContourSequence[0].ContourSequence[0]["ContourData"]._value = text

    found, _ = found_in(image, source)

    assert [each.code for each in found.skipped] == ["unusable_contours"]


def test_points_are_no_region_and_beside_contours_they_are_noted(image):
    point = contour([at(3, 3, 5)], kind="POINT")
    closed = contour(box((3, 9), (10, 12), 5), kind="CLOSEDPLANAR_XOR")

    assert the_skipped(image, point).code == "unusable_contours"
    assert the_region(image, point, closed)[0].notes == ("open_contours_ignored",)


@pytest.mark.parametrize("count", [1, 2])
def test_closed_contours_of_one_or_two_points_are_strays(image, count):
    stray = contour([at(3, 3, 5), at(9, 9, 5)][:count])

    region, mask = the_region(image, stray, box((3, 9), (10, 12), 6))

    assert mask.sum() == 12
    assert region.notes == ("open_contours_ignored",)


def test_a_contour_that_lacks_points_it_declares_is_unusable(image):
    short = contour([at(3, 3, 5), at(9, 9, 5)])
    short.NumberOfContourPoints = 40

    assert the_skipped(image, short, box((3, 9), (10, 12), 6)).code == "unusable_contours"


@pytest.mark.parametrize("again", [lambda c: c[2:] + c[:2], lambda c: c[::-1]])
def test_a_contour_written_twice_from_another_point_does_not_cancel_itself(image, again):
    once = box((3, 9), (10, 12), 5)

    assert the_region(image, once, again(once))[1].sum() == 12


def test_names_are_kept_verbatim_and_duplicates_are_noted(image):
    lesion = [box((3, 9), (10, 12), 5)]
    names = ["Läsion ②  left ", "腫瘍", "腫瘍"]

    found, _ = found_in(image, rtstruct(image, [(name, lesion) for name in names]))

    # Trailing spaces are padding in DICOM (PS3.5 6.2, LO).
    assert [region.name for region in found.regions] == ["Läsion ②  left", "腫瘍", "腫瘍"]
    assert [region.number for region in found.regions] == [1, 2, 3]
    assert [region.notes for region in found.regions] == [(), *[("duplicate_name",)] * 2]


def test_a_region_that_names_no_series_is_linked_by_its_frame_of_reference(image):
    region, _ = the_region(image, box((3, 9), (10, 12), 5), series_uids=[])

    assert region.link == "frame_of_reference"


def test_a_region_drawn_on_another_series_of_the_same_frame_belongs_to_this_one_too(image):
    region, _ = the_region(image, box((3, 9), (10, 12), 5), series_uids=["1.2.3"])

    assert region.link == "frame_of_reference"


def test_a_region_that_names_the_series_is_taken_whatever_frame_it_declares(image):
    region, _ = the_region(image, box((3, 9), (10, 12), 5), frame_uid="1.2.3")

    assert region.link == "series"
    assert region.notes == ("other_frame_declared",)


@pytest.mark.parametrize("frame_uid", ["1.2.3", ""])
def test_a_region_of_another_frame_of_reference_is_skipped(image, frame_uid):
    lesion = box((3, 9), (10, 12), 5)

    skipped = the_skipped(image, lesion, series_uids=["1.2.4"], frame_uid=frame_uid)

    assert skipped.code == "other_frame_of_reference"


def test_an_object_without_numbers_for_its_regions_is_skipped_whole(image):
    source = rtstruct(image, [("Lesion", [box((3, 9), (10, 12), 5)])])
    del source.StructureSetROISequence[0].ROINumber

    found, _ = found_in(image, source)

    assert [(each.code, each.number) for each in found.skipped] == [("unreadable_regions", None)]
    assert found.skipped[0].source_uid == source.SOPInstanceUID


def test_an_object_that_lists_no_regions_says_so(image):
    source = rtstruct(image, [("Lesion", [box((3, 9), (10, 12), 5)])])
    del source.StructureSetROISequence

    (skipped,) = found_in(image, source)[0].skipped

    assert skipped.sentence.endswith("cannot be read: it has no StructureSetROISequence")


@pytest.mark.parametrize(
    ("numbers", "why"),
    [
        ([1, 1], "several of them have one ROINumber"),
        ([1, 3], "it has contours of 1 regions that it does not list"),
    ],
)
def test_regions_whose_numbers_contradict_their_contours_are_skipped(image, numbers, why):
    contours = [box((3, 9), (10, 12), 5)]
    source = rtstruct(image, [("A", contours), ("B", contours)])
    for roi, number in zip(source.StructureSetROISequence, numbers, strict=True):
        roi.ROINumber = number

    found, _ = found_in(image, source)

    assert not found.regions
    assert found.skipped[0].sentence.endswith(why)


def test_contours_of_a_region_in_two_items_are_taken_together(image):
    source = rtstruct(image, [("A", [box((3, 9), (10, 12), 5)]), ("B", [box((3, 9), (10, 12), 6)])])
    del source.StructureSetROISequence[1]
    source.ROIContourSequence[1].ReferencedROINumber = 1

    (region,) = found_in(image, source)[0].regions

    assert region.mask.inside.shape[2] == 2


def test_an_object_that_names_another_patient_is_noted(image):
    source = rtstruct(image, [("Lesion", [box((3, 9), (10, 12), 5)])])
    source.PatientID = "ANOTHER"

    (region,) = found_in(image, source)[0].regions

    assert region.notes == ("other_patient_declared",)


def test_another_object_of_the_same_uid_is_reported(image):
    first = rtstruct(image, [("A", [box((3, 9), (10, 12), 5)])])
    second = rtstruct(image, [("B", [box((3, 9), (10, 12), 6)])])
    second.SOPInstanceUID = first.SOPInstanceUID

    found, _ = found_in(image, first, second)

    assert [region.name for region in found.regions] == ["A"]
    (skipped,) = found.skipped
    assert "has the SOPInstanceUID of entry" in skipped.sentence


def test_a_truncated_object_does_not_stop_the_others(image):
    whole = rtstruct(image, [("Lesion", [box((3, 9), (10, 12), 5)])])
    other = rtstruct(image, [("Lesion", [box((3, 9), (10, 12), 5)])])

    found, _ = found_in(image, file_bytes(other)[:-300], whole)

    assert whole.SOPInstanceUID in {region.source_uid for region in found.regions}


def test_masks_above_the_limit_are_skipped(image):
    lesions = [(f"Lesion {n}", [box((3, 13), (10, 20), 5)]) for n in range(3)]

    found, _ = found_in(image, rtstruct(image, lesions), limits=Limits(output_bytes=250))

    assert len(found.regions) == 2
    assert [each.code for each in found.skipped] == ["too_large"]


def test_an_object_above_the_limit_of_attributes_is_skipped(image):
    points = [at(3 + n / 1000, 3, 5) for n in range(1500)]
    source = rtstruct(image, [("Lesion", [[*points, at(9, 9, 5)]])])

    found, _ = found_in(image, source, limits=Limits(header_bytes=20_000))

    assert not found.regions
    assert [each.code for each in found.skipped] == ["too_large"]


def test_random_contours_agree_with_an_independent_rasteriser():
    """PIL fills by another algorithm; on a grid eight times as fine both are compared by Dice."""
    phantom = Phantom(np.zeros((96, 80, 4), np.int16), SPACING, ORIGIN)
    image = slices(phantom, AXIAL)
    turns = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    radii = 25 + 8 * np.random.default_rng(5).random(60)
    i, j = 45 + radii * np.cos(turns), 41 + radii * np.sin(turns)

    _, mask = the_region(image, [at(a, b, 2) for a, b in zip(i, j, strict=True)])

    fine = Image.new("1", (96 * 8, 80 * 8))
    corners = [tuple(corner) for corner in np.rint(8 * np.stack((i, j), axis=1) + 3.5).tolist()]
    ImageDraw.Draw(fine).polygon(corners, fill=1)
    share = np.asarray(fine, float).reshape(80, 8, 96, 8).mean(axis=(1, 3)).T
    independent = share > 0.5
    both = (mask[:, :, 2] & independent).sum()
    assert 2 * both / (mask.sum() + independent.sum()) > 0.99
    centres = [np.argwhere(each).mean(axis=0) for each in (mask[:, :, 2], independent)]
    np.testing.assert_allclose(*centres, atol=0.05)


def test_every_note_is_explained():
    assert all(sentence for sentence in NOTES.values())


def test_one_object_sent_twice_gives_its_regions_once(image):
    source = rtstruct(image, [("Lesion", [box((3, 9), (10, 12), 5)])])

    found, _ = found_in(image, source, source)

    assert len(found.regions) == 1


@pytest.mark.parametrize("seed", range(40))
def test_bytes_that_are_broken_stop_nothing(image, seed):
    random = np.random.default_rng(seed)
    content = bytearray(file_bytes(rtstruct(image, [("Lesion", [box((3, 9), (10, 12), 5)])])))
    # Behind the UIDs: from ReferencedFrameOfReferenceSequence (3006,0010) on.
    places = random.integers(content.index(b"\x06\x30\x10\x00"), len(content), 4)
    for place in places:
        content[place] = random.integers(256)

    found_in(image, bytes(content))
