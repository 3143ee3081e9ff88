"""Slices become a grid with the affine that the standard gives them, or are refused."""

import numpy as np
import pytest
from phantoms import AXIAL, CORONAL, SAGITTAL, slices, thorax, zip_of

from imaging.archive import Limits, open_archive
from imaging.errors import InputError
from imaging.geometry import LPS_TO_RAS, grid_of, slice_affine, untilted
from imaging.instances import read_instance
from imaging.stacks.objects import slices_of

LIMITS = Limits()


def read(objects):
    entries = open_archive(memoryview(zip_of(*objects)), LIMITS)
    return slices_of([read_instance(entry, LIMITS) for entry in entries])


@pytest.mark.parametrize(
    ("orientation", "step_i_mm", "step_j_mm", "normal"),
    [
        pytest.param((1, 0, 0, 0, 1, 0), (0.5, 0, 0), (0, 2, 0), (0, 0, 1), id="axial"),
        pytest.param((0, 1, 0, 0, 0, -1), (0, 0.5, 0), (0, 0, -2), (-1, 0, 0), id="sagittal"),
        pytest.param((1, 0, 0, 0, 0, -1), (0.5, 0, 0), (0, 0, -2), (0, 1, 0), id="coronal"),
    ],
)
def test_a_step_along_a_row_is_the_column_spacing(orientation, step_i_mm, step_j_mm, normal):
    affine = slice_affine(
        orientation=orientation, position_mm=(7, 8, 9), pixel_spacing_mm=(2.0, 0.5)
    )

    np.testing.assert_allclose(affine[:3, 0], step_i_mm)
    np.testing.assert_allclose(affine[:3, 1], step_j_mm)
    np.testing.assert_allclose(affine[:3, 2], normal)
    np.testing.assert_allclose(affine[:3, 3], (7, 8, 9))


@pytest.mark.parametrize("orientation", [AXIAL, SAGITTAL, CORONAL], ids="asc")
def test_every_voxel_lies_where_the_phantom_has_it(orientation):
    phantom = thorax()
    grid = grid_of(read(slices(phantom, orientation)))

    corners = np.array(np.meshgrid(*[(0, length - 1) for length in grid.shape])).reshape(3, -1)
    world_ras = grid.affine[:3, :3] @ corners + grid.affine[:3, 3:]
    world_lps = world_ras * [[-1], [-1], [1]]
    first = np.array(phantom.origin_mm)
    last = first + np.array(phantom.spacing_mm) * (np.array(phantom.voxels.shape) - 1)

    np.testing.assert_allclose(world_lps.min(axis=1), first, atol=1e-4)
    np.testing.assert_allclose(world_lps.max(axis=1), last, atol=1e-4)


def without(objects, *missing):
    return [each for k, each in enumerate(objects) if k not in missing]


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        pytest.param((5, 7), "slices 5 and 6 are 8 mm apart, .* 4 mm; 2 of 12 ", id="too many"),
        pytest.param(range(5, 9), "slices 5 and 6 are 20 mm apart, .* 4 of 60 ", id="in a row"),
        pytest.param((2,), "slices 2 and 3 are 8 mm apart, .* 4 mm; 1 of 4 ", id="one of four"),
        pytest.param((3, 5), "slices 3 and 4 are 8 mm apart, .* 4 mm; 2 of 7 ", id="every second"),
    ],
)
def test_more_than_a_few_missing_slices_are_named(missing, message):
    count = {(5, 7): 12, (2,): 4, (3, 5): 7}.get(tuple(missing), 60)
    objects = without(slices(thorax(shape=(8, 8, count))), *missing)

    with pytest.raises(InputError, match=f"^uneven_spacing: {message}"):
        grid_of(read(objects))


@pytest.mark.parametrize(
    ("count", "missing", "lenient"),
    [
        pytest.param(12, (5,), False, id="one of twelve"),
        pytest.param(60, (5, 6, 7), False, id="three in a row"),
        pytest.param(12, (5, 7), True, id="two of twelve, leniently"),
    ],
)
def test_a_few_missing_slices_leave_the_steps_even(count, missing, lenient):
    objects = slices(thorax(shape=(8, 8, count)))

    whole = grid_of(read(objects))
    filled = grid_of(read(without(objects, *missing)), lenient=lenient)

    assert filled.shape == whole.shape
    np.testing.assert_allclose(filled.affine, whole.affine, atol=1e-9)
    found = [k for k in range(count) if k not in missing]
    np.testing.assert_allclose(filled.steps.at[found], range(len(found)))
    assert (filled.steps.missing, filled.steps.beyond_limit) == (len(missing), lenient)


def test_distances_that_the_slices_fill_are_no_gaps():
    objects = slices(thorax(shape=(8, 8, 12)), SliceThickness=4.0)
    for k, each in enumerate(objects[6:]):
        each.ImagePositionPatient[2] = objects[5].ImagePositionPatient[2] + 5.5 + 7 * k
        each.SliceThickness = 7.0

    steps = grid_of(read(objects)).steps

    assert (steps.missing, steps.beyond_limit) == (0, False)


def test_small_differences_that_add_up_are_uneven_spacing():
    """Jitter of 4 % stays; 30 distances of 4.0 mm and then 30 of 4.1 mm shift slices by 1.5 mm."""
    objects = slices(thorax(shape=(8, 8, 61)))
    for k, each in enumerate(objects):
        each.ImagePositionPatient[2] = 4.0 * k + 0.1 * max(k - 30, 0)
    jittered = slices(thorax(shape=(8, 8, 61)))
    for k, each in enumerate(jittered):
        each.ImagePositionPatient[2] = 4.0 * k + 0.08 * (k % 2)

    grid = grid_of(read(objects))

    assert grid_of(read(jittered)).steps is None
    heights_mm = np.array([each.plane.position_mm[2] for each in grid.slices])
    planes_mm = np.interp(grid.steps.at, np.arange(61), heights_mm)
    np.testing.assert_allclose(planes_mm, grid.slice_mm * np.arange(grid.shape[2]), atol=1e-6)
    assert not grid.steps.missing


def test_one_distant_slice_does_not_make_thousands():
    objects = slices(thorax(shape=(8, 8, 12)))
    objects[11].ImagePositionPatient[2] += 9e5

    with pytest.raises(InputError, match="^uneven_spacing: "):
        grid_of(read(objects), lenient=True)


def test_rounded_positions_are_no_gap():
    objects = slices(thorax(shape=(8, 8, 12)))
    for each in objects:
        each.ImagePositionPatient[2] = round(each.ImagePositionPatient[2] + 0.04, 1)

    assert grid_of(read(objects)).spacing_mm[2] == pytest.approx(4.0)


def test_two_slices_at_one_place_are_refused():
    objects = slices(thorax(shape=(8, 8, 6)))
    objects[3].ImagePositionPatient = objects[2].ImagePositionPatient

    with pytest.raises(InputError, match="^same_position: slices 3 and 4 "):
        grid_of(read(objects))


def tilted(phantom, slide_mm=1.0):
    """The phantom's slices, each that much further to the back than the one below."""
    objects = slices(phantom)
    for k, each in enumerate(objects):
        each.ImagePositionPatient[1] += k * slide_mm
    return objects


def test_a_tilted_gantry_shears_the_affine():
    objects = tilted(thorax(shape=(8, 8, 6)))

    grid = grid_of(read(objects))

    for k, each in enumerate(objects):
        first_lps = LPS_TO_RAS @ grid.affine @ (0, 0, k, 1)
        np.testing.assert_allclose(first_lps[:3], each.ImagePositionPatient, atol=1e-9)
    assert grid.tilt_degrees == pytest.approx(np.degrees(np.arctan(1.0 / 4.0)))


@pytest.mark.parametrize("slide_mm", [1.0, -2.0])
def test_the_corrected_grid_is_upright_and_holds_every_slice(slide_mm):
    objects = tilted(thorax(shape=(8, 10, 6)), slide_mm)

    grid = untilted(grid_of(read(objects)))

    axes = grid.affine[:3, :3] / grid.spacing_mm
    np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-9)
    for each in objects:
        for row in (0, 9):
            y = each.ImagePositionPatient[1] + row * 1.75
            x, z = each.ImagePositionPatient[0], each.ImagePositionPatient[2]
            index = np.linalg.inv(LPS_TO_RAS @ grid.affine) @ (x, y, z, 1)
            assert np.all(index[:3] > -1e-6)
            assert np.all(index[:3] < np.array(grid.shape) - 1 + 1e-6)


def test_a_grid_that_would_be_huge_upright_is_refused():
    objects = tilted(thorax(shape=(8, 8, 6), spacing_mm=(0.001, 0.001, 8.0)), 5.0)
    for k, each in enumerate(objects):
        each.ImagePositionPatient[0] += 5.0 * k

    with pytest.raises(InputError, match="^too_large: it has 25008 × 25008 × 6 voxels"):
        untilted(grid_of(read(objects)))


def test_an_untilted_grid_stays_the_same():
    grid = grid_of(read(slices(thorax(shape=(8, 8, 6)))))

    assert untilted(grid) is grid


@pytest.mark.parametrize(
    "slide",
    [
        pytest.param(lambda k: (k % 2) * 1.0, id="zigzag"),
        pytest.param(lambda k: k * 5.0, id="51 degrees"),
    ],
)
def test_slices_that_are_not_on_one_line_are_refused(slide):
    objects = slices(thorax(shape=(8, 8, 6)))
    for k, each in enumerate(objects):
        each.ImagePositionPatient[1] += slide(k)

    with pytest.raises(InputError, match="^gantry_tilt: a slice lies .* mm sideways"):
        grid_of(read(objects))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"PixelSpacing": [1.0, 1.0]}, id="spacing"),
        pytest.param({"ImageOrientationPatient": [0, 1, 0, 1, 0, 0]}, id="orientation"),
        pytest.param({"FrameOfReferenceUID": "1.2.3"}, id="frame of reference"),
    ],
)
def test_slices_of_another_geometry_are_refused(change):
    objects = slices(thorax(shape=(8, 8, 6)))
    for keyword, value in change.items():
        setattr(objects[4], keyword, value)

    with pytest.raises(InputError, match="^mixed_geometry: entries 1 and 5 "):
        grid_of(read(objects))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ImagePositionPatient": None}, "missing_attribute: entry 2 has no ImagePositionPatient"),
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, "bad_attribute: ImageOrientation.* 1 "),
        ({"ImageOrientationPatient": [1e300] * 6}, "bad_attribute: ImageOrientation.* 1 "),
        ({"PixelSpacing": [0, 1]}, "bad_attribute: PixelSpacing of entry 1 "),
        ({"PixelSpacing": [1e300, 1]}, "bad_attribute: .* not between 0.001 and 1000 mm"),
        ({"PixelSpacing": [1, 1e-200]}, "bad_attribute: .* not between 0.001 and 1000 mm"),
        ({"ImagePositionPatient": [0, 0, 1e300]}, "bad_attribute: .* than 1e.06 mm from the orig"),
        ({"Rows": 1}, "bad_pixels: entry 1 is 8 × 1 pixels"),
        ({"Rows": 65535, "Columns": 65535}, "too_large: it has 65535 × 65535 × 6 voxels"),
    ],
)
def test_broken_geometry_is_refused_by_attribute(change, message):
    objects = slices(thorax(shape=(8, 8, 6)))
    changed = objects[1:2] if None in change.values() else objects
    for each in changed:
        for keyword, value in change.items():
            setattr(each, keyword, value)

    with pytest.raises(InputError, match=message):
        grid_of(read(objects))


def test_one_slice_is_no_volume():
    with pytest.raises(InputError, match="^single_slice: "):
        grid_of(read(slices(thorax(shape=(8, 8, 6)))[:1]))
