"""Slices become a grid with the affine that the standard gives them, or are refused."""

import numpy as np
import pytest
from phantoms import AXIAL, CORONAL, SAGITTAL, slices, thorax, zip_of

from imaging.archive import Limits, open_archive
from imaging.errors import InputError
from imaging.geometry import grid_of, slice_affine
from imaging.instances import read_instance

LIMITS = Limits()


def read(objects):
    entries = open_archive(memoryview(zip_of(*objects)), LIMITS)
    return [read_instance(entry, LIMITS) for entry in entries]


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


def test_a_missing_slice_is_named():
    objects = slices(thorax(shape=(8, 8, 12)))
    del objects[5]

    with pytest.raises(InputError, match="^uneven_spacing: slices 5 and 6 are 8 mm apart, .* 4 mm"):
        grid_of(read(objects))


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


def test_a_tilted_gantry_is_refused():
    objects = slices(thorax(shape=(8, 8, 6)))
    for k, each in enumerate(objects):
        each.ImagePositionPatient[1] += k * 1.0

    with pytest.raises(InputError, match="^gantry_tilt: each slice lies 1 mm sideways"):
        grid_of(read(objects))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"PixelSpacing": [1.0, 1.0]}, id="spacing"),
        pytest.param({"ImageOrientationPatient": [0, 1, 0, 1, 0, 0]}, id="orientation"),
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
        ({"PixelSpacing": [0, 1]}, "bad_attribute: PixelSpacing of entry 1 "),
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
