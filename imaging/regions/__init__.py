"""Regions of interest: from RTSTRUCT and SEG objects to masks, measures and network samples."""

from imaging.regions.found import (
    NOTES,
    Drawings,
    Region,
    RegionsFound,
    Skipped,
    drawings_in,
    referenced_series,
    regions_in,
)
from imaging.regions.mask import Mask

__all__ = [
    "NOTES",
    "Drawings",
    "Mask",
    "Region",
    "RegionsFound",
    "Skipped",
    "drawings_in",
    "referenced_series",
    "regions_in",
]
