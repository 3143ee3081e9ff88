"""What the network sees of a region equals scipy's interpolation at the stated points."""

from types import SimpleNamespace

import nibabel as nib
import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from imaging.geometry import Grid
from imaging.regions.sampling import box_samples, boxed
from imaging.source import Source
from imaging.stacks.planes import Plane
from imaging.windows import Window

SHAPE = (20, 18, 16)
AXIAL = np.array([[-1.5, 0, 0, 15], [0, -2.0, 0, 20], [0, 0, 4.0, -30], [0, 0, 0, 1]])
SAGITTAL = np.array([[0, 0, 4.0, -30], [-1.5, 0, 0, 15], [0, -2.0, 0, 20], [0, 0, 0, 1]])
WINDOW = Window(-200, 300, "HU")
VOLUME = np.random.default_rng(7).normal(60, 250, SHAPE).astype(np.float32)


def recipe(orientation="LAS", quarter_turns=1, shape=(11, 9, 7)):
    return SimpleNamespace(orientation=orientation, quarter_turns=quarter_turns, shape=shape)


def seen(points):
    source = Source(None, lambda k: Plane(VOLUME[:, :, k].T, np.asarray), WINDOW, (), None)
    return boxed(source.sampled(points.axes, window_first=True), points)


def explicit(affine, *, centre, extent, shape, orientation="LAS", turns=1):
    """The same with the volume turned first, and every point's place in mm worked out."""
    image = nib.Nifti1Image(np.clip(VOLUME, WINDOW.low, WINDOW.high), affine)
    codes = nib.orientations.axcodes2ornt(orientation)
    there = nib.orientations.ornt_transform(nib.io_orientation(affine), codes)
    turned = image.as_reoriented(there)
    # rot90 swaps the first two axes: what it is told is in the network's order.
    before = np.array(shape)[[1, 0, 2] if turns % 2 else [0, 1, 2]]
    extent = np.array(extent)[[1, 0, 2] if turns % 2 else [0, 1, 2]]
    spacing = np.linalg.norm(turned.affine[:3, :3], axis=0)
    middle = np.linalg.inv(turned.affine)[:3] @ [*centre, 1]
    along = [
        middle[axis]
        + (-extent[axis] / 2 + (np.arange(before[axis]) + 0.5) * extent[axis] / before[axis])
        / spacing[axis]
        for axis in range(3)
    ]
    values = map_coordinates(
        turned.get_fdata(),
        np.meshgrid(*along, indexing="ij"),
        order=1,
        mode="constant",
        cval=WINDOW.low,
    )
    return np.rot90((values - WINDOW.low) / (WINDOW.high - WINDOW.low), turns)


@pytest.mark.parametrize("affine", [AXIAL, SAGITTAL], ids=["axial", "sagittal"])
@pytest.mark.parametrize(
    ("centre", "extent"),
    [
        pytest.param((1.3, -0.7, 2.1), (13.0, 11.0, 19.0), id="inside"),
        pytest.param((14.2, 19.0, 28.3), (33.0, 27.0, 41.0), id="beyond the border"),
        pytest.param((1.3, -0.7, 2.1), (90.0, 80.0, 170.0), id="larger than the image"),
    ],
)
@pytest.mark.parametrize(("orientation", "turns"), [("LAS", 1), ("LPS", 0), ("PIR", 3)])
def test_a_box_equals_interpolation_at_its_points(affine, centre, extent, orientation, turns):
    asked = recipe(orientation, turns)

    points = box_samples(
        Grid((), SHAPE, affine, 0.0), asked, centre_ras_mm=np.array(centre), extent_mm=extent
    )

    np.testing.assert_allclose(
        seen(points),
        explicit(
            affine,
            centre=centre,
            extent=extent,
            shape=asked.shape,
            orientation=orientation,
            turns=turns,
        ),
        atol=1e-5,
    )
    np.testing.assert_allclose(points.distances_mm, np.divide(extent, asked.shape))


def test_samples_lie_in_the_middle_of_their_cells():
    grid = Grid((), SHAPE, np.diag([1.0, 1, 1, 1]), 0.0)

    points = box_samples(
        grid,
        recipe("RAS", 0, (4, 2, 2)),
        centre_ras_mm=np.array([8.0, 8.0, 8.0]),
        extent_mm=(8.0, 4.0, 2.0),
    )

    places = [axis.lower + axis.fraction for axis in points.axes]
    np.testing.assert_allclose(places[0], (5, 7, 9, 11))
    np.testing.assert_allclose(places[1], (7, 9))
    np.testing.assert_allclose(places[2], (7.5, 8.5))


def test_the_share_outside_the_image_is_told():
    grid = Grid((), SHAPE, np.diag([1.0, 1, 1, 1]), 0.0)

    points = box_samples(
        grid,
        recipe("RAS", 0, (4, 2, 2)),
        centre_ras_mm=np.array([0.0, 8.0, 8.0]),
        extent_mm=(8.0, 4.0, 2.0),
    )

    assert points.fraction_outside == 0.5


def test_a_box_wholly_outside_is_the_windows_lower_end():
    grid = Grid((), SHAPE, AXIAL, 0.0)

    points = box_samples(
        grid, recipe(), centre_ras_mm=np.array([900.0, 0, 0]), extent_mm=(9.0, 9.0, 9.0)
    )

    assert points.fraction_outside == 1
    assert not seen(points).any()
