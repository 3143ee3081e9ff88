"""The frames of enhanced (multi-frame) objects as slices: PS3.3 C.7.6.16."""

from dataclasses import replace
from functools import partial
from typing import Any

import pydicom

from imaging.errors import InputError
from imaging.headers import PYDICOM_FAILURES
from imaging.instances import Instance
from imaging.stacks.classic import common_header, frame_header, pulse_sequence
from imaging.stacks.pixels import FrameCache
from imaging.stacks.slices import Slice, part_of

MACROS = {
    "CardiacSynchronizationSequence": (
        "NominalCardiacTriggerDelayTime",
        "NominalPercentageOfCardiacPhase",
    ),
    "CTExposureSequence": ("ExposureInmAs", "XRayTubeCurrentInmA"),
    "CTImageFrameTypeSequence": ("FrameType",),
    "CTReconstructionSequence": (
        "ConvolutionKernel",
        "ReconstructionAlgorithm",
        "ReconstructionDiameter",
    ),
    "CTTableDynamicsSequence": ("SpiralPitchFactor",),
    "CTXRayDetailsSequence": ("KVP",),
    "FrameContentSequence": (
        "FrameAcquisitionDateTime",
        "FrameAcquisitionDuration",
        "FrameAcquisitionNumber",
        "FrameReferenceDateTime",
        "StackID",
        "TemporalPositionIndex",
    ),
    "MRDiffusionSequence": ("DiffusionBValue",),
    "MREchoSequence": ("EffectiveEchoTime",),
    "MRImageFrameTypeSequence": ("ComplexImageComponent", "FrameType"),
    "MRImagingModifierSequence": ("MagnetizationTransfer",),
    "MRModifierSequence": (
        "InversionRecovery",
        "InversionTimes",
        "ParallelReductionFactorInPlane",
        "Spoiling",
    ),
    "MRTimingAndRelatedParametersSequence": ("FlipAngle", "RepetitionTime"),
    "ParametricMapFrameTypeSequence": ("FrameType",),
    "PETFrameTypeSequence": ("FrameType",),
    "PETReconstructionSequence": (
        "NumberOfIterations",
        "NumberOfSubsets",
        "ReconstructionAlgorithm",
        "ReconstructionDiameter",
    ),
    "PixelMeasuresSequence": ("PixelSpacing", "SliceThickness"),
    "PixelValueTransformationSequence": ("RescaleIntercept", "RescaleSlope", "RescaleType"),
    "PlaneOrientationSequence": ("ImageOrientationPatient",),
    "PlanePositionSequence": ("ImagePositionPatient",),
    "RespiratorySynchronizationSequence": ("NominalPercentageOfRespiratoryPhase",),
    "TemporalPositionSequence": ("TemporalPositionTimeOffset",),
}
"""Functional groups, and what is read of each: PS3.3 C.7.6.16.2, C.8.13.5, C.8.15.3, C.8.22.5."""

READ_WHOLE = ("RealWorldValueMappingSequence",)
"""Functional groups of several items, which are told as they are: PS3.3 C.7.6.16.2.11."""

CLASSIC_NAMES = {
    "EffectiveEchoTime": "EchoTime",
    "ExposureInmAs": "Exposure",
    "FrameAcquisitionDateTime": "AcquisitionDateTime",
    "FrameAcquisitionDuration": "ActualFrameDuration",
    "FrameAcquisitionNumber": "AcquisitionNumber",
    "FrameType": "ImageType",
    "InversionTimes": "InversionTime",
    "NominalCardiacTriggerDelayTime": "TriggerTime",
    "ReconstructionAlgorithm": "ReconstructionMethod",
    "TemporalPositionIndex": "TemporalPositionIdentifier",
    "XRayTubeCurrentInmA": "XRayTubeCurrent",
}
"""What classic objects call the same thing, in the same unit; a frame knows both names."""


def frames_of(instance: Instance, cache: FrameCache) -> tuple[Slice, ...]:
    """Return the frames of one enhanced object, or say what is missing."""
    try:
        shared = next(iter(instance.header.get("SharedFunctionalGroupsSequence") or ()), None)
        groups = list(instance.header.get("PerFrameFunctionalGroupsSequence") or ())
        common = _values(shared or pydicom.Dataset())
        header = common_header(instance.header, shared or pydicom.Dataset())
        frames = [(frame_header(header, group), common | _values(group)) for group in groups]
        frames = [(header, own | pulse_sequence(header, own)) for header, own in frames]
    except PYDICOM_FAILURES as error:
        raise InputError(
            "bad_attribute", f"entry {instance.entry.number} has functional groups out of order"
        ) from error
    _refuse_misfit(instance, len(frames))
    return tuple(
        part_of(replace(instance, header=header), own, partial(cache.frame, instance, index))
        for index, (header, own) in enumerate(frames)
    )


def _refuse_misfit(instance: Instance, groups: int) -> None:
    """Refuse an object that does not say of each frame where it lies."""
    if not groups:
        raise InputError(
            "unsupported_object",
            f"entry {instance.entry.number} has several slices, but no functional groups "
            "that would place them",
        )
    if groups != instance.count("NumberOfFrames"):
        raise InputError(
            "bad_attribute",
            f"entry {instance.entry.number} has functional groups for {groups} frames, "
            f"but NumberOfFrames is {instance.count('NumberOfFrames')}",
        )


def _values(group: pydicom.Dataset) -> dict[str, Any]:
    """Return the values of one item of functional groups, by their own and classic keywords."""
    found = {macro: group.get(macro) for macro in READ_WHOLE if macro in group}
    for macro, keywords in MACROS.items():
        for item in list(group.get(macro) or ())[:1]:
            for keyword in keywords:
                if keyword in item:
                    found[keyword] = item.get(keyword)
                    found[CLASSIC_NAMES.get(keyword, keyword)] = item.get(keyword)
    return found
