"""How one feature model wants its input: read from the parameters of its config.pbtxt."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from imaging.window_parameters import WINDOW_PREFIX, windows_of
from imaging.windows import Window

CHOICES = MappingProxyType(
    {
        "antialias": ("none", "gaussian", "area"),
        "region_centre": ("bbox", "centroid"),
        "region_components": ("union", "each", "largest"),
        "region_mask": ("none", "fill_outside"),
        "region_mode": ("extent", "bbox"),
        "spacing_grid": ("centred", "first_voxel"),
        "spatial_mode": ("stretch", "spacing", "region"),
        "window_order": ("before", "after"),
        "weights": ("untrained", "demonstration", "trained"),
    }
)
"""Parameters that take one of several words."""

DEFAULTS = MappingProxyType(
    {
        "region_bbox_factor": "1.5",
        "region_components": "union",
        "region_mask": "none",
        "region_mask_dilation_mm": "0",
        "region_mode": "extent",
    }
)
"""What shapes the input even where config.pbtxt does not say so."""

LATER_DEFAULTS = MappingProxyType(
    {"crop_above": "none", "spacing_grid": "centred", "window_order": "before"}
)
"""The same, of parameters that rows made earlier did not have: at these values they leave
preprocessing_id as it was, so that the rows of a model can still be compared."""

SHAPING = (
    "antialias",
    "crop_above",
    "orientation",
    "quarter_turns",
    "region_bbox_factor",
    "region_centre",
    "region_components",
    "region_extent_mm",
    "region_mask",
    "region_mask_dilation_mm",
    "region_mode",
    "shape",
    "spacing_grid",
    "spacing_mm",
    "spatial_mode",
    "window_order",
)
"""Parameters that shape the network's input, beside the windows."""

SERIES_RULE = ("original", "phase", "kernel", "thickness")


@dataclass(frozen=True)
class RegionRecipe:
    """What a model wants to see of a region of interest.

    mode: "extent" for a box of `extent_mm`, "bbox" for a cube of `bbox_factor` times the longest
        edge of the region's bounding box.
    extent_mm: edges of the box, along the axes of the network's shape.
    centre: "bbox" or "centroid".
    components: "union" of all parts, "each" part a row, or the "largest".
    fills_outside: whether what is not the region, dilated, becomes the window's lower end.
    """

    mode: str
    extent_mm: tuple[float, float, float]
    bbox_factor: float
    centre: str
    components: str
    fills_outside: bool
    dilation_mm: float


@dataclass(frozen=True)
class Training:
    """What a model was trained on, as far as its parameters say so.

    voxel_mm: smallest and largest distance of samples along each axis of the network, or none.
    least_coverage_mm: of the field of view along the body, 0 if not said.
    """

    modalities: frozenset[str]
    voxel_mm: tuple[tuple[float, float], ...]
    least_coverage_mm: float


@dataclass(frozen=True)
class Recipe:
    """The parameters of a feature model that differ between models; the code is one.

    orientation: axis codes that the array is brought to, as nibabel writes them: "LAS" increases
        to the left, the front and the head.
    quarter_turns: counter-clockwise turns of the first two axes afterwards, as numpy.rot90.
    shape: the network's input, without its channel.
    spatial_mode: "stretch" the whole field of view to the shape, sample its middle by "spacing",
        or see a "region" only.
    spacing_mm: distances of samples along the axes of `shape`, of the mode "spacing".
    samples_from_first_voxel: whether these samples start at the first voxel, not about the middle.
    antialias: of the mode "stretch": "none", "gaussian" or "area".
    crop_above: of the same mode: only the box of what is above it is seen, in the image's unit.
    window_first: whether values are clipped and scaled before they are interpolated, or after.
    windows: intensity window by modality; a modality without one is refused.
    series_rule: criteria by which one series of several is chosen.
    """

    orientation: str
    quarter_turns: int
    shape: tuple[int, int, int]
    spatial_mode: str
    spacing_mm: tuple[float, float, float] | None
    samples_from_first_voxel: bool
    antialias: str
    crop_above: float | None
    window_first: bool
    region: RegionRecipe
    windows: Mapping[str, Window]
    training: Training
    series_rule: tuple[str, ...]
    feature_prefix: str
    weights: str
    weights_sha256: str
    preprocessing_id: str

    @property
    def row_bytes(self) -> int:
        """Size of one row's input: float32, one channel."""
        return 4 * self.shape[0] * self.shape[1] * self.shape[2]

    @classmethod
    def from_parameters(cls, stated: Mapping[str, str]) -> "Recipe":
        """Return the recipe that config.pbtxt states; a KeyError or ValueError fails the load."""
        parameters = {**DEFAULTS, **LATER_DEFAULTS, **stated}
        for name, choices in CHOICES.items():
            if parameters[name] not in choices:
                raise ValueError(f"{name} must be one of {', '.join(choices)}")
        by_spacing = parameters["spatial_mode"] == "spacing"
        first, second, third = (int(text) for text in parameters["shape"].split(","))
        return cls(
            orientation=parameters["orientation"],
            quarter_turns=int(parameters["quarter_turns"]),
            shape=(first, second, third),
            spatial_mode=parameters["spatial_mode"],
            spacing_mm=_lengths_mm(parameters["spacing_mm"]) if by_spacing else None,
            samples_from_first_voxel=parameters["spacing_grid"] == "first_voxel",
            antialias=parameters["antialias"],
            crop_above=_crop_above(parameters),
            window_first=parameters["window_order"] == "before",
            region=_region(parameters),
            windows=windows_of(parameters),
            training=_training(parameters),
            series_rule=_series_rule(parameters.get("series_rule", ",".join(SERIES_RULE))),
            feature_prefix=parameters["feature_prefix"],
            weights=parameters["weights"],
            weights_sha256=parameters["weights_sha256"],
            preprocessing_id=preprocessing_id(parameters),
        )


def _crop_above(parameters: Mapping[str, str]) -> float | None:
    """Return the threshold, None for no crop; like smoothing it is for stretched volumes alone."""
    stated = parameters["crop_above"]
    stretches = parameters["spatial_mode"] == "stretch"
    if not stretches and (stated != "none" or parameters["antialias"] != "none"):
        raise ValueError(
            "crop_above and antialias are for the spatial_mode stretch: none is needed"
        )
    return None if stated == "none" else float(stated)


def _region(parameters: Mapping[str, str]) -> RegionRecipe:
    factor = float(parameters["region_bbox_factor"])
    dilation_mm = float(parameters["region_mask_dilation_mm"])
    if not (0 < factor < 100 and 0 <= dilation_mm < 1000):
        raise ValueError("region_bbox_factor or region_mask_dilation_mm is out of range")
    return RegionRecipe(
        mode=parameters["region_mode"],
        extent_mm=_lengths_mm(parameters["region_extent_mm"]),
        bbox_factor=factor,
        centre=parameters["region_centre"],
        components=parameters["region_components"],
        fills_outside=parameters["region_mask"] == "fill_outside",
        dilation_mm=dilation_mm,
    )


def _training(parameters: Mapping[str, str]) -> Training:
    """Return what is said of the training data, for instance voxels of "2.3-3.7,2.3-3.7,4-6"."""
    ranges = [text.split("-") for text in parameters.get("trained_voxel_mm", "").split(",") if text]
    voxel_mm = tuple((float(low), float(high)) for low, high in ranges)
    if len(voxel_mm) not in (0, 3) or not all(0 < low <= high for low, high in voxel_mm):
        raise ValueError("trained_voxel_mm must be three ranges, such as 2-3,2-3,4-6")
    return Training(
        modalities=frozenset(parameters["trained_modalities"].split(",")),
        voxel_mm=voxel_mm,
        least_coverage_mm=float(parameters.get("least_coverage_mm", "0")),
    )


def _series_rule(text: str) -> tuple[str, ...]:
    rule = tuple(filter(None, text.split(",")))
    if not set(rule) <= set(SERIES_RULE):
        raise ValueError(f"series_rule takes {', '.join(SERIES_RULE)}")
    return rule


def _lengths_mm(text: str) -> tuple[float, float, float]:
    first, second, third = (float(length) for length in text.split(","))
    if not min(first, second, third) > 0:
        raise ValueError(f"{text}: lengths in mm are above 0")
    return first, second, third


def preprocessing_id(parameters: Mapping[str, str]) -> str:
    """Return the SHA-256 of all parameters that shape the input, as sorted JSON.

    The weights have a digest of their own, and the feature prefix is but a name.
    """
    shaping = {
        name: text
        for name, text in parameters.items()
        if (name in SHAPING or name.startswith(WINDOW_PREFIX)) and LATER_DEFAULTS.get(name) != text
    }
    canonical = json.dumps(shaping, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
