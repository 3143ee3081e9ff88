"""Labels of rows as typed columns; what is not listed here goes into no file."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeGuard

from imaging.acquisition import ALL, BY_MODALITY

Label = Mapping[str, Any]
Value = str | int | float | None

SEPARATOR = "\\"
"""Between several texts of one label, as DICOM has it (PS3.5 6.2)."""

LARGEST_INTEGER = 2**63


@dataclass(frozen=True)
class Kind:
    """What a label holds: `type` is str, int or float.

    count: 1 for one value, more for so many columns, 0 for any number of texts in one column.
    """

    type: type
    count: int = 1


TEXT, TEXTS = Kind(str), Kind(str, 0)
INTEGER, NUMBER = Kind(int), Kind(float)
PAIR, TRIPLE, COUNTS = Kind(float, 2), Kind(float, 3), Kind(int, 3)

LABELS: Mapping[str, Kind] = MappingProxyType(
    {
        "patient_id": TEXT,
        "study_uid": TEXT,
        "series_uid": TEXT,
        "modality": TEXT,
        "roi": TEXT,
        "roi_source_uid": TEXT,
        "roi_number": INTEGER,
        "roi_link": TEXT,
        "roi_notes": TEXTS,
        "component": TEXT,
        "components": INTEGER,
        "kind": TEXT,
        "series_chosen_by": TEXT,
        "series_rule": TEXTS,
        "stack": TEXT,
        "stack_index": INTEGER,
        "stack_count": INTEGER,
        "unit": TEXT,
        "unit_notes": TEXTS,
        "uptake_minutes": NUMBER,
        "shape": COUNTS,
        "voxel_mm": TRIPLE,
        "acquired_orientation": TEXT,
        "scanner_id": TEXT,
        "orientation": TEXT,
        "network_shape": COUNTS,
        "network_voxel_mm": TRIPLE,
        "network_anisotropy": NUMBER,
        "window": PAIR,
        "volume_ml": NUMBER,
        "maximum_diameter_mm": NUMBER,
        "bounding_box_mm": TRIPLE,
        "intensity_mean": NUMBER,
        "intensity_sd": NUMBER,
        "region_centre_mm": TRIPLE,
        "region_extent_mm": TRIPLE,
        "fraction_inside": NUMBER,
        "fraction_padded": NUMBER,
        "input_sha256": TEXT,
        "feature_prefix": TEXT,
        "weights": TEXT,
        "weights_sha256": TEXT,
        "preprocessing_id": TEXT,
        "software": TEXT,
    }
)
"""Of docs/contract.md, but for `acquisition` and `quality`, which hold more than one thing."""

NEEDED = (
    "patient_id",
    "study_uid",
    "modality",
    "roi",
    "feature_prefix",
    "weights_sha256",
    "preprocessing_id",
)
"""Labels without which a row cannot be told apart, or its features not be named."""

ACQUISITION = tuple(
    dict.fromkeys(
        (
            *ALL,
            *("PixelSpacing", "measured_slice_mm", "contrast", "radionuclide", "tracer"),
            *(keyword for keywords in BY_MODALITY.values() for keyword in keywords),
        )
    )
)
"""Of `acquisition`, by keyword."""

SEVERITIES = ("info", "warn", "exclude")
"""Of quality codes, from what is told to what should be left out."""


@dataclass(frozen=True)
class Column:
    """One value a row, or none; `type` is str, int or float."""

    name: str
    type: type
    values: list[Value]


def columns_of(labels: Sequence[Label]) -> list[Column]:
    """Return all labels as columns, and what is told of the acquisition of any row.

    Several numbers become several columns, `shape_1` to `shape_3`.
    """
    columns = [column for name, kind in LABELS.items() for column in _columns(name, kind, labels)]
    acquired = [label.get("acquisition") or {} for label in labels]
    for keyword in ACQUISITION:
        values = [_joined(each.get(keyword)) for each in acquired]
        if any(value is not None for value in values):
            columns.append(_of_any_type(keyword, values))
    return columns


def severity_of(label: Label) -> str:
    """Return the gravest severity of a row's quality codes, "" if it has none."""
    found = [each["severity"] for each in label.get("quality") or ()]
    return max(found, key=SEVERITIES.index, default="")


def fault_of(label: Label) -> str:
    """Return what is wrong with a label that came from outside, "" if nothing is."""
    for name in NEEDED:
        if not isinstance(label.get(name), str):
            return f"has no text {name}"
    if label["feature_prefix"] in LABELS:
        return "has a feature_prefix that makes names of features those of labels"
    for name, kind in LABELS.items():
        if not _fits(label.get(name), kind):
            return f"has a {name} of another type than docs/contract.md says"
    if not _are_codes(label.get("quality") or []):
        return "has a quality that is no list of code, severity and number"
    acquired = label.get("acquisition") or {}
    if isinstance(acquired, Mapping) and all(map(_is_acquired, map(acquired.get, ACQUISITION))):
        return ""
    return "has an acquisition that is not of texts and numbers"


def _columns(name: str, kind: Kind, labels: Sequence[Label]) -> Iterable[Column]:
    values = [label.get(name) for label in labels]
    if kind.count == 1:
        yield Column(name, kind.type, values)
    elif kind.count == 0:
        yield Column(name, kind.type, [_joined(value) for value in values])
    else:
        for n in range(kind.count):
            yield Column(f"{name}_{n + 1}", kind.type, [value and value[n] for value in values])


def _joined(value: Any) -> Value:
    """Return one value of several; of an empty list, none."""
    if isinstance(value, list | tuple):
        return SEPARATOR.join(map(str, value)) or None
    return value  # type: ignore[no-any-return]


def _of_any_type(name: str, values: list[Value]) -> Column:
    """Return a column of numbers where all values are, else of texts."""
    if all(value is None or isinstance(value, int | float) for value in values):
        return Column(name, float, values)
    return Column(name, str, [None if value is None else str(value) for value in values])


def _fits(value: Any, kind: Kind) -> bool:
    if value is None:
        return True
    if kind.count == 1:
        return _is_one(value, kind.type)
    is_long_enough = isinstance(value, list) and kind.count in (0, len(value))
    return is_long_enough and all(_is_one(each, kind.type) for each in value)


def _is_one(value: Any, wanted: type) -> bool:
    if wanted is str:
        return is_text(value)
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if is_whole:
        return bool(abs(value) < LARGEST_INTEGER)
    return wanted is float and isinstance(value, float) and math.isfinite(value)


def is_text(value: Any) -> TypeGuard[str]:
    """Say whether it is a text that UTF-8 has: JSON can hold half a character."""
    return isinstance(value, str) and not any("\ud800" <= each <= "\udfff" for each in value)


def _is_acquired(value: Any) -> bool:
    several = value if isinstance(value, list) else [] if value is None else [value]
    return all(_is_one(each, str) or _is_one(each, float) for each in several)


def _are_codes(quality: Any) -> bool:
    return isinstance(quality, list) and all(
        isinstance(each, Mapping)
        and is_text(each.get("code"))
        and each.get("severity") in SEVERITIES
        and _is_one(each.get("number"), float)
        for each in quality
    )
