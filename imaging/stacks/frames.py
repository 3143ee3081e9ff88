"""The frames of enhanced (multi-frame) objects as slices: PS3.3 C.7.6.16."""

from functools import partial
from typing import Any

import pydicom

from imaging.errors import InputError
from imaging.instances import PYDICOM_FAILURES, Instance
from imaging.stacks.pixels import FrameCache
from imaging.stacks.slices import Slice, part_of

MACROS = {
    "CardiacSynchronizationSequence": ("NominalCardiacTriggerDelayTime",),
    "CTImageFrameTypeSequence": ("FrameType",),
    "CTReconstructionSequence": ("ConvolutionKernel",),
    "FrameContentSequence": (
        "FrameAcquisitionDateTime",
        "FrameAcquisitionNumber",
        "StackID",
        "TemporalPositionIndex",
    ),
    "MRDiffusionSequence": ("DiffusionBValue",),
    "MREchoSequence": ("EffectiveEchoTime",),
    "MRImageFrameTypeSequence": ("ComplexImageComponent", "FrameType"),
    "PETFrameTypeSequence": ("FrameType",),
    "PixelMeasuresSequence": ("PixelSpacing", "SliceThickness"),
    "PixelValueTransformationSequence": ("RescaleIntercept", "RescaleSlope"),
    "PlaneOrientationSequence": ("ImageOrientationPatient",),
    "PlanePositionSequence": ("ImagePositionPatient",),
    "TemporalPositionSequence": ("TemporalPositionTimeOffset",),
}
"""Functional groups, and what is read of each: PS3.3 C.7.6.16.2, C.8.13.5, C.8.15.3, C.8.22.5."""

CLASSIC_NAMES = {
    "EffectiveEchoTime": "EchoTime",
    "FrameAcquisitionDateTime": "AcquisitionDateTime",
    "FrameAcquisitionNumber": "AcquisitionNumber",
    "FrameType": "ImageType",
    "NominalCardiacTriggerDelayTime": "TriggerTime",
    "TemporalPositionIndex": "TemporalPositionIdentifier",
}
"""What classic objects call the same thing."""


def frames_of(instance: Instance, cache: FrameCache) -> tuple[Slice, ...]:
    """Return the frames of one enhanced object, or say what is missing."""
    try:
        shared = list(instance.header.get("SharedFunctionalGroupsSequence") or ())
        groups = list(instance.header.get("PerFrameFunctionalGroupsSequence") or ())
        common = _values(shared[0]) if shared else {}
        own = [common | _values(group) for group in groups]
    except PYDICOM_FAILURES as error:
        raise InputError(
            "bad_attribute", f"entry {instance.entry.number} has functional groups out of order"
        ) from error
    if not own:
        raise InputError(
            "unsupported_object",
            f"entry {instance.entry.number} has several slices, but no functional groups "
            "that would place them",
        )
    if len(own) != instance.count("NumberOfFrames"):
        raise InputError(
            "bad_attribute",
            f"entry {instance.entry.number} has functional groups for {len(own)} frames, "
            f"but NumberOfFrames is {instance.count('NumberOfFrames')}",
        )
    return tuple(
        part_of(instance, values, partial(cache.frame, instance, index))
        for index, values in enumerate(own)
    )


def _values(group: pydicom.Dataset) -> dict[str, Any]:
    """Return the values of one item of functional groups, by their classic keywords."""
    found = {}
    for macro, keywords in MACROS.items():
        for item in list(group.get(macro) or ())[:1]:
            for keyword in keywords:
                if keyword in item:
                    found[CLASSIC_NAMES.get(keyword, keyword)] = item.get(keyword)
    return found
