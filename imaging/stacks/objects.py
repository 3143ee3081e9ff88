"""The slices that the objects of one image series hold: classic, enhanced, mosaic."""

from collections.abc import Sequence
from functools import partial
from types import MappingProxyType

from imaging.instances import Instance
from imaging.series import CLASSIC_IMAGES, ENHANCED_IMAGES, PARAMETRIC_MAP
from imaging.stacks.frames import frames_of
from imaging.stacks.mosaic import is_mosaic, tiles_of
from imaging.stacks.pixels import FrameCache
from imaging.stacks.slices import Slice, part_of
from imaging.volume import stored_plane


def slices_of(instances: Sequence[Instance]) -> tuple[Slice, ...]:
    """Return all slices of the objects; those of one object share its decoded pixels."""
    cache = FrameCache()
    return tuple(each for instance in instances for each in _slices(instance, cache))


def _slices(instance: Instance, cache: FrameCache) -> tuple[Slice, ...]:
    sop_class = instance.text("SOPClassUID")
    if sop_class in ENHANCED_IMAGES or sop_class == PARAMETRIC_MAP:
        return frames_of(instance, cache)
    if CLASSIC_IMAGES.get(sop_class) == "MR" and is_mosaic(instance):
        return tiles_of(instance, cache)
    return (classic_slice(instance),)


def classic_slice(instance: Instance) -> Slice:
    """Return the slice that a classic object is."""
    return part_of(instance, MappingProxyType({}), partial(stored_plane, instance))
