"""Measures of a region against values worked out by hand, and against all pairs of voxels."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from imaging.geometry import Grid
from imaging.regions import Mask
from imaging.regions.measures import (
    centre_index,
    centre_ras_mm,
    component_count,
    components,
    dilated,
    extent_mm,
    holds,
    intensity,
    maximum_diameter_mm,
    measures,
    volume_ml,
)

# i runs to the back at 1.5 mm, j to the feet at 2 mm, k to the right at 4 mm: a sagittal image.
AFFINE = np.array([[0, 0, 4.0, -20], [-1.5, 0, 0, 30], [0, -2.0, 0, 50], [0, 0, 0, 1]])
SHAPE = (20, 18, 16)
GRID = Grid((), SHAPE, AFFINE, 0.0)


def mask_of(*boxes):
    whole = np.zeros(SHAPE, bool)
    for box in boxes:
        whole[box] = True
    return Mask.cropped(whole)


def box(i, j, k):
    return slice(*i), slice(*j), slice(*k)


ONE = mask_of(box((3, 8), (4, 6), (5, 8)))


def random_mask(seed):
    return Mask.cropped(np.random.default_rng(seed).random(SHAPE) > 0.995)


def test_a_mask_is_cropped_to_its_voxels_and_put_back():
    whole = np.zeros(SHAPE, bool)
    whole[3:8, 4:6, 5:8] = True

    assert ONE.offset == (3, 4, 5)
    assert ONE.inside.shape == (5, 2, 3)
    np.testing.assert_array_equal(ONE.on(SHAPE), whole)
    assert Mask.cropped(np.zeros(SHAPE, bool)) is None


def test_the_volume_is_voxels_times_their_size():
    assert volume_ml(ONE, GRID) == pytest.approx(5 * 2 * 3 * 1.5 * 2 * 4 / 1000)


def test_the_extent_is_told_along_the_patients_axes():
    # Left–right is k, back–front is i, feet–head is j; the voxels' faces are included.
    assert extent_mm(ONE, GRID) == pytest.approx((3 * 4, 5 * 1.5, 2 * 2))


def test_the_largest_diameter_is_between_voxel_centres():
    expected = np.sqrt((4 * 1.5) ** 2 + (1 * 2) ** 2 + (2 * 4) ** 2)

    assert maximum_diameter_mm(ONE, GRID) == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(5))
def test_the_largest_diameter_is_that_of_all_pairs(seed):
    mask = random_mask(seed)
    points = np.argwhere(mask.inside) @ AFFINE[:3, :3].T

    assert maximum_diameter_mm(mask, GRID) == pytest.approx(pdist(points).max())


@pytest.mark.parametrize(
    "inside",
    [
        pytest.param(np.ones((1, 1, 1), bool), id="a voxel"),
        pytest.param(np.ones((1, 9, 1), bool), id="a line"),
        pytest.param(np.ones((70, 60, 1), bool), id="a plane"),
    ],
)
def test_flat_regions_have_a_diameter_too(inside, monkeypatch):
    monkeypatch.setattr("imaging.regions.measures.FEW_POINTS", 2)
    lengths_mm = (np.array(inside.shape) - 1) * (1.5, 2, 4)

    diameter_mm = maximum_diameter_mm(Mask((0, 0, 0), inside), GRID)

    assert diameter_mm == pytest.approx(np.linalg.norm(lengths_mm))


def test_a_convex_hull_gives_the_same_diameter(monkeypatch):
    expected = maximum_diameter_mm(random_mask(9), GRID)
    monkeypatch.setattr("imaging.regions.measures.FEW_POINTS", 5)

    assert maximum_diameter_mm(random_mask(9), GRID) == pytest.approx(expected)


def test_intensity_is_taken_from_the_regions_voxels_only():
    volume = np.random.default_rng(1).normal(40, 12, SHAPE).astype(np.float32)
    mask = random_mask(4)
    asked = []

    def values_of(k, rows, columns):
        asked.append(k)
        return volume[columns, rows, k].T

    mean, sd = intensity(mask, values_of)

    values = volume[mask.on(SHAPE)].astype(float)
    assert (mean, sd) == pytest.approx((values.mean(), np.sqrt(np.mean((values - mean) ** 2))))
    assert set(asked) <= set(range(mask.box[2].start, mask.box[2].stop))


def test_the_two_centres_differ_where_a_region_is_lopsided():
    mask = mask_of(box((0, 1), (0, 1), (0, 3)), box((4, 5), (2, 3), (0, 1)))

    np.testing.assert_allclose(centre_index(mask, "bbox"), (2, 1, 1))
    np.testing.assert_allclose(centre_index(mask, "centroid"), (1, 0.5, 0.75))
    # x = 4 k - 20, y = 30 - 1.5 i, z = 50 - 2 j
    np.testing.assert_allclose(centre_ras_mm(mask, GRID, "bbox"), (-16, 27, 48))
    assert not holds(mask, centre_index(mask, "bbox"))
    assert holds(mask, np.array([0.4, 0.2, 1.6]))
    assert not holds(mask, np.array([-3.0, 0, 0]))


def test_voxels_that_share_a_corner_are_one_component():
    touching = mask_of(box((0, 2), (0, 2), (0, 2)), box((2, 3), (2, 3), (2, 3)))
    apart = mask_of(box((0, 2), (0, 2), (0, 2)), box((3, 4), (3, 4), (3, 4)))

    assert component_count(touching) == 1
    assert component_count(apart) == 2


def test_components_are_the_union_each_or_the_largest():
    small, large = box((1, 3), (1, 2), (1, 2)), box((5, 8), (4, 8), (6, 9))
    mask = mask_of(small, large)

    assert components(mask, "union") == (mask,)
    parts = [part.on(SHAPE) for part in components(mask, "each")]
    np.testing.assert_array_equal(parts, [mask_of(small).on(SHAPE), mask_of(large).on(SHAPE)])
    (largest,) = components(mask, "largest")
    np.testing.assert_array_equal(largest.on(SHAPE), mask_of(large).on(SHAPE))


def test_a_component_that_reaches_into_anothers_box_is_not_part_of_it():
    ring = np.zeros(SHAPE, bool)
    ring[2:9, 2:9, 4] = True
    ring[4:7, 4:7, 4] = False
    both = ring.copy()
    both[5, 5, 4] = True

    parts = components(Mask.cropped(both), "each")

    np.testing.assert_array_equal(parts[0].on(SHAPE), ring)
    assert parts[1].voxels == 1


def test_dilation_is_in_mm_along_each_axis_and_stays_in_the_image():
    mask = mask_of(box((0, 1), (8, 9), (8, 9)))

    grown = dilated(mask, GRID, 4.0)

    i, j, k = np.indices(SHAPE)
    away_mm = np.sqrt((1.5 * i) ** 2 + (2 * (j - 8)) ** 2 + (4 * (k - 8)) ** 2)
    np.testing.assert_array_equal(grown.on(SHAPE), away_mm <= 4)


def test_all_measures_come_together():
    seen = measures(ONE, GRID, lambda k, *where: np.full((18, 20), 10 * k, np.float32)[where])

    assert (seen.mean, seen.components) == (60, 1)
    assert seen.sd == pytest.approx(np.sqrt(200 / 3))
