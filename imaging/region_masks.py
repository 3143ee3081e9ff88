"""A region of interest as a volume of its own: a mask on the grid of its image."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging.geometry import LPS_TO_RAS, Grid
from imaging.region_input import region_labels, rounded_mm, truncated
from imaging.regions import Region
from imaging.regions.measures import centre_index, centre_ras_mm, holds, measures
from imaging.rows import with_codes
from imaging.volume import Volume

NO_QUANTITY = "mask"


def region_mask(region: Region, grid: Grid) -> Volume:
    """Return 1 inside the region and 0 outside, uint8, on the whole grid."""
    return Volume(region.mask.on(grid.shape).astype(np.uint8), grid.affine, NO_QUANTITY)


def mask_label(
    image: Mapping[str, Any], region: Region, *, volume: Volume, grid: Grid
) -> dict[str, Any]:
    """Return the label of a region's mask: its image's, and the region's name and measures.

    image: the label of the volume that the mask lies on. volume: that volume, on the grid.
    """

    def values(k: int, rows: slice, columns: slice) -> NDArray[np.float32]:
        return volume.voxels[columns, rows, k].T.astype(np.float32)

    centre_mm = centre_ras_mm(region.mask, grid, "bbox")
    numbers = {
        "CENTRE_OUTSIDE_REGION": not holds(region.mask, centre_index(region.mask, "bbox")),
        "REGION_DUPLICATE_NAME": region.namesakes,
        "REGION_TRUNCATED": truncated(1 - region.fraction_inside),
    }
    return {
        **with_codes(image, numbers),
        **region_labels(region, measures(region.mask, grid, values)),
        "kind": "mask",
        "region_centre_mm": rounded_mm(LPS_TO_RAS[:3, :3] @ centre_mm),
    }
