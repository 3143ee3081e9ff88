"""How one feature model wants its input: read from the parameters of its config.pbtxt."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from imaging.windows import Window, parse_window

WEIGHTS_STATES = ("untrained", "demonstration", "trained")
CENTRES = ("bbox", "centroid")
SHAPING = (
    "antialias",
    "orientation",
    "quarter_turns",
    "region_centre",
    "region_extent_mm",
    "shape",
    "spatial_mode",
)
"""Parameters that shape the network's input, beside the windows."""

WINDOW_PREFIX = "window_"
WINDOW_UNITS = {"CT": "HU", "MR": "percentile", "PT": "SUVbw"}


@dataclass(frozen=True)
class Recipe:
    """The parameters of a feature model that differ between models; the code is one.

    orientation: axis codes that the array is brought to, as nibabel writes them: "LAS" increases
        to the left, the front and the head.
    quarter_turns: counter-clockwise turns of the first two axes afterwards, as numpy.rot90.
    shape: the network's input, without its channel.
    region_extent_mm: edges of the box around a region's centre, along the axes of `shape`.
    region_centre: "bbox" or "centroid".
    windows: intensity window by modality; a modality without one is refused.
    """

    orientation: str
    quarter_turns: int
    shape: tuple[int, int, int]
    region_extent_mm: tuple[float, float, float]
    region_centre: str
    windows: Mapping[str, Window]
    trained_modalities: frozenset[str]
    feature_prefix: str
    weights: str
    weights_sha256: str
    preprocessing_id: str

    @property
    def row_bytes(self) -> int:
        """Size of one row's input: float32, one channel."""
        return 4 * self.shape[0] * self.shape[1] * self.shape[2]

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, str]) -> "Recipe":
        """Return the recipe that config.pbtxt states; a KeyError or ValueError fails the load."""
        first, second, third = (int(text) for text in parameters["shape"].split(","))
        x_mm, y_mm, z_mm = (float(text) for text in parameters["region_extent_mm"].split(","))
        if parameters["region_centre"] not in CENTRES:
            raise ValueError(f"region_centre must be one of {', '.join(CENTRES)}")
        if parameters["spatial_mode"] != "stretch" or parameters["antialias"] != "none":
            raise ValueError("spatial_mode must be stretch, and antialias none")
        if parameters["weights"] not in WEIGHTS_STATES:
            raise ValueError(f"weights must be one of {', '.join(WEIGHTS_STATES)}")
        return cls(
            orientation=parameters["orientation"],
            quarter_turns=int(parameters["quarter_turns"]),
            shape=(first, second, third),
            region_extent_mm=(x_mm, y_mm, z_mm),
            region_centre=parameters["region_centre"],
            windows=_windows(parameters),
            trained_modalities=frozenset(parameters["trained_modalities"].split(",")),
            feature_prefix=parameters["feature_prefix"],
            weights=parameters["weights"],
            weights_sha256=parameters["weights_sha256"],
            preprocessing_id=preprocessing_id(parameters),
        )


def _windows(parameters: Mapping[str, str]) -> dict[str, Window]:
    windows = {
        modality: parse_window(parameters[WINDOW_PREFIX + modality])
        for modality in WINDOW_UNITS
        if WINDOW_PREFIX + modality in parameters
    }
    for modality, window in windows.items():
        if window.unit != WINDOW_UNITS[modality]:
            raise ValueError(f"the window of {modality} must be in {WINDOW_UNITS[modality]}")
    return windows


def preprocessing_id(parameters: Mapping[str, str]) -> str:
    """Return the SHA-256 of all parameters that shape the input, as sorted JSON.

    The weights have a digest of their own, and the feature prefix is but a name.
    """
    shaping = {
        name: text
        for name, text in parameters.items()
        if name in SHAPING or name.startswith(WINDOW_PREFIX)
    }
    canonical = json.dumps(shaping, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
