"""Floating-point pixels: those that are padding, and those that are no finite numbers."""

from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging.errors import InputError
from imaging.instances import Instance

Floats = NDArray[np.floating[Any]]

PADDING = MappingProxyType(
    {
        32: ("FloatPixelPaddingValue", "FloatPixelPaddingRangeLimit"),
        64: ("DoubleFloatPixelPaddingValue", "DoubleFloatPixelPaddingRangeLimit"),
    }
)
"""Padding is one value, or all from it to the limit, both included (PS3.3 C.7.6.24, C.7.6.25)."""


def padding_as_nan(frames: Floats, instance: Instance) -> Floats:
    """Return the frames with NaN where they are padded; refuse others that are not finite."""
    is_padding = _is_padding(frames, instance)
    lost = int(np.count_nonzero(~np.isfinite(frames) & ~is_padding))
    if lost:
        raise InputError(
            "bad_pixels",
            f"entry {instance.entry.number} has {lost} pixels that are infinite or not a number, "
            "and no padding",
        )
    return np.where(is_padding, frames.dtype.type(np.nan), frames) if is_padding.any() else frames


def _is_padding(frames: Floats, instance: Instance) -> NDArray[np.bool_]:
    keyword, limit_keyword = PADDING[8 * frames.dtype.itemsize]
    if not instance.text(keyword):
        return np.zeros(frames.shape, bool)
    value = _number(instance, keyword)
    if np.isnan(value):
        is_nan: NDArray[np.bool_] = np.isnan(frames)
        return is_nan
    limit = _number(instance, limit_keyword) if instance.text(limit_keyword) else value
    # In the frames' own type: a float32 is equal to none of the doubles beside it.
    low, high = np.array(sorted((value, limit)), frames.dtype)
    is_between: NDArray[np.bool_] = (low <= frames) & (frames <= high)
    return is_between


def _number(instance: Instance, keyword: str) -> float:
    """Return a number that may be infinite or NaN, as padding often is."""
    try:
        return float(instance.text(keyword))
    except ValueError as error:
        raise InputError(
            "bad_attribute", f"entry {instance.entry.number} has a {keyword} that cannot be used"
        ) from error
