"""Histograms of volumes: percentiles, means and deviations are those of all voxels."""

from functools import partial

import numpy as np
import pytest
from phantoms import slices, thorax, zip_of

from imaging.archive import Limits, open_archive
from imaging.geometry import grid_of
from imaging.histogram import Histogram, histogram_of
from imaging.instances import read_instance
from imaging.quantities import stored_quantity
from imaging.stacks.objects import slices_of
from imaging.stacks.planes import read_plane, read_volume


def _mr(**attributes):
    return slices(thorax(shape=(20, 24, 6)), **attributes)


def _with_own_slopes(objects):
    for number, each in enumerate(objects):
        each.RescaleSlope = 1 + number / 8
    return objects


def _half_signed(objects):
    for each in objects[::2]:
        each.PixelRepresentation = 1
    return objects


@pytest.mark.parametrize(
    "objects",
    [
        pytest.param(_mr(), id="whole numbers"),
        pytest.param(_mr(RescaleSlope=1.25), id="one slope"),
        pytest.param(_mr(RescaleSlope=-2), id="a slope downwards"),
        pytest.param(_with_own_slopes(_mr()), id="a slope a slice"),
        pytest.param(_half_signed(_mr()), id="two types of numbers"),
    ],
)
def test_a_histogram_says_of_a_volume_what_numpy_says_of_its_voxels(objects):
    entries = open_archive(memoryview(zip_of(*objects)), Limits())
    grid = grid_of(slices_of([read_instance(entry, Limits()) for entry in entries]))
    quantity = stored_quantity("CT", grid.slices)
    voxels = read_volume(grid, quantity).voxels.astype(np.float64)

    whole = histogram_of(grid, quantity, partial(read_plane, grid, quantity))
    middle = float(np.percentile(voxels, 20))
    part = whole.above(middle)

    for histogram, values in ((whole, voxels.ravel()), (part, voxels[voxels > middle])):
        percents = (0, 0.5, 17.3, 50, 99.5, 100)
        assert [histogram.percentile(each) for each in percents] == pytest.approx(
            np.percentile(values, percents)
        )
        assert (histogram.mean, histogram.sd) == pytest.approx((values.mean(), values.std()))


def test_a_percentile_lies_between_two_voxels():
    histogram = Histogram(np.array([1, 3], np.float32), np.array([2, 1]))

    assert histogram.percentile(75) == np.percentile([1, 1, 3], 75) == 2
