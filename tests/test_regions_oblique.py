"""Contours drawn on one series are voxels of another, however its slices lie."""

import tracemalloc

import numpy as np
import pytest

from imaging.errors import InputError
from imaging.geometry import Grid
from imaging.regions.measures import centre_index
from imaging.regions.raster import fill_contours

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])

# A lattice in the patient's frame, LPS+: no two lengths, distances or places are alike.
SHAPE = (40, 52, 24)
SPACING = (2.5, 1.75, 4.0)
ORIGIN = (-31.5, -55.25, 112.0)

AXES = {"axial": (0, 1, 2), "coronal": (0, 2, 1), "sagittal": (1, 2, 0), "odd": (2, 1, 0)}
"""Which axis of the lattice the columns, rows and slices of an image follow."""


def lattice_grid(axes, flipped=()):
    """The lattice as an image whose columns, rows and slices follow its axes, some backwards."""
    affine = np.diag([*SPACING, 1.0])
    affine[:3, 3] = ORIGIN
    for axis in flipped:
        affine[:3, 3] += affine[:3, axis] * (SHAPE[axis] - 1)
        affine[:3, axis] *= -1
    return Grid((), tuple(SHAPE[axis] for axis in axes), LPS_TO_RAS @ affine[:, [*axes, 3]], 0.0)


def turned_grid(degrees, *, spacing_mm, shape, centre_lps_mm=(0, 0, 0)):
    """An image around a centre, turned about x, y and z."""
    turn = np.eye(3)
    for axis, angle in enumerate(np.radians(degrees)):
        one, other = (n for n in range(3) if n != axis)
        step = np.eye(3)
        step[[one, other], [one, other]] = np.cos(angle)
        step[one, other], step[other, one] = -np.sin(angle), np.sin(angle)
        turn = step @ turn
    affine = np.eye(4)
    affine[:3, :3] = turn * spacing_mm
    affine[:3, 3] = centre_lps_mm - affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return Grid((), shape, LPS_TO_RAS @ affine, 0.0)


def centres_lps_mm(grid, margin=0):
    """The places of all voxels, and of `margin` more on each side: [i, j, k, 3]."""
    index = np.stack(np.indices(np.array(grid.shape) + 2 * margin), axis=-1) - margin
    affine = LPS_TO_RAS @ grid.affine
    return index @ affine[:3, :3].T + affine[:3, 3]


def box(i, j, k):
    """A contour around the points [i0, i1) × [j0, j1) of the lattice, in plane k."""
    corners = [(i[0], j[0]), (i[1], j[0]), (i[1], j[1]), (i[0], j[1])]
    return np.array(ORIGIN) + np.array([(a - 0.5, b - 0.5, k) for a, b in corners]) * SPACING


def moved(points, *by_mm):
    return points + np.array(by_mm)


def ellipse(radii_mm, z_mm, *, centre_mm=(0, 0), points=180):
    turns = np.linspace(0, 2 * np.pi, points, endpoint=False)
    x, y = (c + r * f(turns) for c, r, f in zip(centre_mm, radii_mm, (np.cos, np.sin), strict=True))
    return np.stack((x, y, np.full(points, z_mm)), axis=1)


def dice(one, other):
    return 2 * (one & other).sum() / (one.sum() + other.sum())


@pytest.mark.parametrize("flipped", [(), (2,), (0, 1)], ids=str)
@pytest.mark.parametrize("axes", AXES.values(), ids=AXES)
def test_axial_contours_around_points_hold_them_whatever_axes_an_image_has(axes, flipped):
    """An outline with a hole, one with a keyhole, and a second part, in three planes."""
    outer, inner = box((3, 13), (10, 20), 5), box((5, 7), (12, 18), 5)
    keyhole = np.vstack([outer, outer[:1], inner[:1], inner[::-1], outer[:1]])
    contours = [
        *(outer, inner, box((20, 22), (30, 34), 5)),
        moved(keyhole, 0, 0, SPACING[2]),
        *(moved(each, 0, 0, 2 * SPACING[2]) for each in (outer, inner)),
    ]
    expected = np.zeros(SHAPE, bool)
    expected[3:13, 10:20, 5:8] = True
    expected[5:7, 12:18, 5:8] = False
    expected[20:22, 30:34, 5] = True
    grid = lattice_grid(axes, flipped)

    drawn = fill_contours(contours, grid)

    expected = np.flip(expected, flipped).transpose(axes)
    np.testing.assert_array_equal(drawn.mask.on(grid.shape), expected)
    assert drawn.fraction_inside == 1.0
    assert drawn.notes == (() if axes[2] == 2 else ("oblique",))


@pytest.mark.parametrize("axes", AXES.values(), ids=AXES)
def test_a_contour_through_centres_holds_those_of_its_lower_edges_only(axes):
    contours = [box((3.5, 9.5), (10.5, 12.5), 5)]
    grid = lattice_grid(axes)

    mask = fill_contours(contours, grid).mask.on(grid.shape)

    expected = np.zeros(SHAPE, bool)
    expected[3:9, 10:12, 5] = True
    np.testing.assert_array_equal(mask, expected.transpose(axes))


TURNED = {
    "a little": (4, 0, 0),
    "about one axis": (0, 35, 0),
    "about all": (30, -40, 65),
    "on the edge": (45, 45, 45),
    "beyond": (120, 10, 200),
}


@pytest.mark.parametrize("degrees", TURNED.values(), ids=TURNED)
def test_a_cylinder_is_a_cylinder_on_turned_slices(degrees):
    """Its contours are 3 mm apart, and stand for the space 1.5 mm around them."""
    contours = [ellipse((31, 22), z, centre_mm=(5, -8)) for z in np.arange(-24, 25, 3.0)]
    grid = turned_grid(degrees, spacing_mm=(1.1, 0.9, 1.6), shape=(110, 120, 70))

    drawn = fill_contours(contours, grid)

    x, y, z = np.moveaxis(centres_lps_mm(grid), -1, 0)
    expected = (((x - 5) / 31) ** 2 + ((y + 8) / 22) ** 2 < 1) & (np.abs(z) < 25.5)
    assert dice(drawn.mask.on(grid.shape), expected) > 0.995
    centre = np.linalg.inv(LPS_TO_RAS @ grid.affine) @ (5, -8, 0, 1)
    np.testing.assert_allclose(centre_index(drawn.mask, "centroid"), centre[:3], atol=0.5)
    assert drawn.fraction_inside == 1.0
    assert drawn.notes == ("oblique",)


@pytest.mark.parametrize("degrees", TURNED.values(), ids=TURNED)
def test_contours_on_turned_planes_are_a_shell_on_upright_slices(degrees):
    """The contours' planes are turned, the slices upright; a ball with a hollow inside."""
    to_world = (LPS_TO_RAS @ turned_grid(degrees, spacing_mm=(1, 1, 1), shape=(1, 1, 1)).affine)[
        :3, :3
    ]
    planes_mm = np.arange(-29.5, 30, 1.0)
    radii_mm = [(r, z) for r in (30, 14) for z in planes_mm if abs(z) < r]
    contours = [
        ellipse((np.sqrt(r**2 - z**2),) * 2, z) @ to_world.T + (3, -7, 11) for r, z in radii_mm
    ]
    grid = turned_grid((0, 0, 0), spacing_mm=(0.9, 1.1, 2.5), shape=(90, 80, 40))

    drawn = fill_contours(contours, grid)

    radius_mm = np.linalg.norm(centres_lps_mm(grid) - (3, -7, 11), axis=-1)
    expected = (radius_mm < 30) & (radius_mm > 14)
    assert dice(drawn.mask.on(grid.shape), expected) > 0.98
    centre = np.linalg.inv(LPS_TO_RAS @ grid.affine) @ (3, -7, 11, 1)
    np.testing.assert_allclose(centre_index(drawn.mask, "centroid"), centre[:3], atol=0.5)


def test_the_share_inside_the_image_is_that_of_an_endless_one():
    contours = [ellipse((31, 22), z, centre_mm=(45, 30)) for z in np.arange(-24, 25, 3.0)]
    grid = turned_grid((30, -40, 65), spacing_mm=(1.1, 0.9, 1.6), shape=(100, 110, 40))

    drawn = fill_contours(contours, grid)

    x, y, z = np.moveaxis(centres_lps_mm(grid, margin=80), -1, 0)
    endless = (((x - 45) / 31) ** 2 + ((y - 30) / 22) ** 2 < 1) & (np.abs(z) < 25.5)
    expected = endless[80:-80, 80:-80, 80:-80].sum() / endless.sum()
    assert 0.2 < expected < 0.8
    assert drawn.fraction_inside == pytest.approx(expected, abs=0.003)


def test_a_contour_alone_is_as_thick_as_a_voxel():
    grid = lattice_grid(AXES["coronal"])

    mask = fill_contours([box((3, 9), (10, 12), 5.3)], grid).mask

    assert (mask.offset, mask.inside.shape) == ((3, 5, 10), (6, 1, 2))


def test_planes_without_contours_stay_empty_and_are_noted():
    grid = lattice_grid(AXES["coronal"])
    contours = [box((3, 9), (10, 12), k) for k in (4, 5, 6, 9)]

    drawn = fill_contours(contours, grid)

    planes = drawn.mask.on(grid.shape).any(axis=(0, 2))
    assert np.flatnonzero(planes).tolist() == [4, 5, 6, 9]
    assert drawn.notes == ("oblique", "slices_without_contours")


def test_contours_further_apart_than_voxels_stand_for_what_is_between():
    grid = lattice_grid(AXES["coronal"])

    drawn = fill_contours([box((3, 9), (10, 12), k) for k in (4.5, 6.5)], grid)

    planes = drawn.mask.on(grid.shape).any(axis=(0, 2))
    assert np.flatnonzero(planes).tolist() == [4, 5, 6, 7]
    assert drawn.notes == ("oblique",)


def test_contours_written_with_tenths_of_a_millimetre_are_planar():
    to_world = np.linalg.qr(np.random.default_rng(4).normal(size=(3, 3)))[0]
    contours = [np.round(ellipse((31, 22), z) @ to_world, 1) for z in np.arange(-24, 25, 3.0)]
    grid = turned_grid((0, 0, 0), spacing_mm=(0.9, 1.1, 2.5), shape=(90, 80, 40))

    drawn = fill_contours(contours, grid)

    x, y, z = np.moveaxis(centres_lps_mm(grid) @ to_world.T, -1, 0)
    expected = ((x / 31) ** 2 + (y / 22) ** 2 < 1) & (np.abs(z) < 25.5)
    assert dice(drawn.mask.on(grid.shape), expected) > 0.99


SQUARE = box((3, 9), (10, 12), 5)


@pytest.mark.parametrize(
    ("contours", "code"),
    [
        pytest.param([moved(SQUARE, 500, 0, 0)], "region_outside_image", id="beside"),
        pytest.param([box((3.6, 3.9), (10, 12), 5)], "empty_region", id="between voxels"),
        pytest.param([np.outer((1, 5, 9), (1, 2, 9))], "empty_region", id="points on a line"),
        pytest.param(
            [SQUARE + np.outer((0, 1, 0, 1), (0, 0, 1.2))], "oblique_contours", id="not planar"
        ),
        pytest.param(
            [SQUARE, np.roll(SQUARE, 1, axis=1)], "oblique_contours", id="not parallel"
        ),
    ],
)  # fmt: skip
def test_contours_across_the_slices_that_cannot_be_drawn_are_refused_by_name(contours, code):
    with pytest.raises(InputError, match=f"^{code}: "):
        fill_contours(contours, lattice_grid(AXES["coronal"]))


def test_more_voxels_crossings_or_planes_than_any_image_has_are_refused_at_once():
    axial, coronal = lattice_grid(AXES["axial"]), lattice_grid(AXES["coronal"])
    fine = turned_grid((45, 45, 45), spacing_mm=(0.05, 0.05, 0.05), shape=(64, 64, 64))
    zigzag = np.zeros((400_000, 3))
    zigzag[:, 0] = np.linspace(ORIGIN[0], 60, len(zigzag))
    zigzag[:, 2] = np.tile((115, 200), len(zigzag) // 2)
    stacked = [moved(SQUARE, 0, 0, 0.11 * k) for k in range(10_001)]

    for contours, grid in (([ellipse((190, 140), 0)], fine), ([zigzag], axial), (stacked, coronal)):
        with pytest.raises(InputError, match="^unusable_contours: "):
            fill_contours(contours, grid)


def test_a_body_on_turned_slices_fits_into_half_a_gigabyte():
    contours = [ellipse((190, 140), z) for z in np.arange(-200, 200, 2.0)]
    grid = turned_grid((35, 35, 20), spacing_mm=(0.8, 0.8, 2), shape=(512, 512, 200))

    tracemalloc.start()
    drawn = fill_contours(contours, grid)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert drawn.mask.voxels > 20_000_000
    assert peak_bytes < 500e6
