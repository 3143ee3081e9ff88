"""The intensity windows that a model's config.pbtxt states, one for each modality it takes."""

from collections.abc import Mapping
from types import MappingProxyType

from imaging.mr_maps import MAPS
from imaging.windows import RELATIVE_UNITS, Window, parse_window

WINDOW_PREFIX = "window_"
STORED_PT = "PT_stored"
WINDOW_UNITS = MappingProxyType(
    {
        "CT": ("HU",),
        "MR": (*RELATIVE_UNITS, "arbitrary"),
        "PT": ("SUVbw",),
        STORED_PT: RELATIVE_UNITS,
    }
)
"""Units that a window may be in; "arbitrary" is the model's own range of MR signal."""

MR_MAP_WINDOWS = tuple(f"MR_{kind}" for kind in dict.fromkeys(MAPS.values()))
"""Windows of maps: in the unit of their values, and never relative."""


def windows_of(parameters: Mapping[str, str]) -> dict[str, Window]:
    """Return the window of each modality; a ValueError if one is in a unit that it cannot be in."""
    windows = {
        modality: parse_window(parameters[WINDOW_PREFIX + modality])
        for modality in (*WINDOW_UNITS, *MR_MAP_WINDOWS)
        if WINDOW_PREFIX + modality in parameters
    }
    for modality, window in windows.items():
        if modality in MR_MAP_WINDOWS and window.is_relative:
            raise ValueError(f"the window of {modality} must be in the unit of its values")
        if modality in WINDOW_UNITS and window.unit not in WINDOW_UNITS[modality]:
            units = " or ".join(WINDOW_UNITS[modality])
            raise ValueError(f"the window of {modality} must be in {units}")
    return windows
