"""Regions of interest: from RTSTRUCT and SEG objects to masks, measures and network samples."""

from imaging.regions.found import NOTES, Region, RegionsFound, Skipped, regions_in
from imaging.regions.mask import Mask

__all__ = ["NOTES", "Mask", "Region", "RegionsFound", "Skipped", "regions_in"]
