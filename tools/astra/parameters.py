"""How these networks want their input: the parameters of their config.pbtxt."""

from collections.abc import Mapping
from types import MappingProxyType

_SHARED: Mapping[str, str] = MappingProxyType(
    {
        "shape": "224,224,160",
        "orientation": "RAS",
        "quarter_turns": "0",
        "window_order": "after",
        "region_mode": "extent",
        "region_centre": "bbox",
        "region_components": "union",
        "region_mask": "none",
        "series_rule": "original,phase,kernel,thickness",
        "trained_modalities": "CT",
        "weights": "trained",
    }
)

_CHAINS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "chest": {
            "spatial_mode": "stretch",
            "antialias": "area",
            "crop_above": "-1000",
            "window_CT": "-1000,200 HU",
            # Voxels of 1.5, 1.5 and 2 mm: near those that a chest of usual size is stretched to.
            "region_extent_mm": "336,336,320",
            "feature_prefix": "astra1",
        },
        "merlin": {
            "spatial_mode": "spacing",
            "spacing_mm": "1.5,1.5,3",
            "spacing_grid": "first_voxel",
            "antialias": "none",
            "window_CT": "-1000,1000 HU",
            "region_extent_mm": "336,336,480",  # the network's own 1.5, 1.5 and 3 mm
            "feature_prefix": "merlin1",
        },
    }
)


def astra_parameters(chain: str) -> dict[str, str]:
    """Return all parameters of a preprocess model but `weights_sha256`, which is the SavedModel's.

    chain: "chest", Astra's own for CT of the chest, or "merlin", that of Merlin's abdominal CT.
        The second names its features after Merlin: it is for upstream's own checkpoint alone.
    """
    return {**_SHARED, **_CHAINS[chain]}
