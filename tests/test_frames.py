"""Frames of enhanced and legacy converted objects tell their values by classic keywords."""

import pytest
from phantoms import slices, thorax, zip_of
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import EnhancedCTImageStorage, EnhancedMRImageStorage, EnhancedPETImageStorage
from test_stacks import enhanced, functional_group

from imaging.acquisition import acquisition, contrast
from imaging.archive import Limits
from imaging.stacks.objects import slices_of
from imaging.study import Study

LEGACY_CONVERTED_CT = "1.2.840.10008.5.1.4.1.1.2.2"
LEGACY_CONVERTED_MR = "1.2.840.10008.5.1.4.1.1.4.4"

SMALL = thorax(shape=(4, 5, 3))

CT = {
    "CTExposureSequence": {"ExposureInmAs": 62.5, "XRayTubeCurrentInmA": 125.0},
    "CTReconstructionSequence": {
        "ConvolutionKernel": ["B30f", "3"],
        "ReconstructionAlgorithm": "ITERATIVE",
        "ReconstructionDiameter": 380.0,
    },
    "CTTableDynamicsSequence": {"SpiralPitchFactor": 1.375},
    "CTXRayDetailsSequence": {"KVP": 110.0},
    "FrameContentSequence": {"FrameAcquisitionDuration": 500.0},
}
MR = {
    "MREchoSequence": {"EffectiveEchoTime": 2.5},
    "MRImagingModifierSequence": {"MagnetizationTransfer": "NONE"},
    "MRModifierSequence": {
        "InversionRecovery": "YES",
        "InversionTimes": [900.0],
        "ParallelReductionFactorInPlane": 2.0,
        "Spoiling": "RF",
    },
    "MRTimingAndRelatedParametersSequence": {"FlipAngle": 9.0, "RepetitionTime": 1900.0},
}
MR_OBJECT = {
    "EchoPlanarPulseSequence": "NO",
    "EchoPulseSequence": "GRADIENT",
    "MagneticFieldStrength": 3.0,
    "SegmentedKSpaceTraversal": "PARTIAL",
    "SteadyStatePulseSequence": "NONE",
}
PET = {
    "FrameContentSequence": {"FrameAcquisitionDuration": 120_000.0},
    "PETReconstructionSequence": {
        "NumberOfIterations": 3,
        "NumberOfSubsets": 21,
        "ReconstructionAlgorithm": "MLEM",
    },
}


def frames(whole):
    (series,) = Study.from_zip(memoryview(zip_of(whole)), Limits()).series
    return slices_of(series.instances)


def phantom(modality, sop_class, macros, **attributes):
    objects = slices(SMALL, Modality=modality)
    return enhanced(objects, sop_class=sop_class, per_frame=lambda _: macros, **attributes)


def item(**attributes):
    built = Dataset()
    for keyword, value in attributes.items():
        setattr(built, keyword, value)
    return built


@pytest.mark.parametrize(
    ("modality", "sop_class", "macros", "attributes", "expected"),
    [
        (
            "CT",
            EnhancedCTImageStorage,
            CT,
            {},
            {
                "ConvolutionKernel": ["B30f", "3"],
                "Exposure": 62.5,
                "KVP": 110.0,
                "ReconstructionAlgorithm": "ITERATIVE",
                "ReconstructionDiameter": 380.0,
                "SpiralPitchFactor": 1.375,
                "XRayTubeCurrent": 125.0,
            },
        ),
        (
            "MR",
            EnhancedMRImageStorage,
            MR,
            MR_OBJECT,
            {
                "EchoTime": 2.5,
                "FlipAngle": 9.0,
                "InversionTime": 900.0,
                "MagneticFieldStrength": 3.0,
                "ParallelReductionFactorInPlane": 2.0,
                "RepetitionTime": 1900.0,
                "ScanningSequence": ["IR", "GR"],
                "SequenceVariant": ["SK", "SP"],
            },
        ),
        (
            "PT",
            EnhancedPETImageStorage,
            PET,
            {},
            {
                "ActualFrameDuration": 120_000.0,
                "NumberOfIterations": 3.0,
                "NumberOfSubsets": 21.0,
                "ReconstructionMethod": "MLEM",
            },
        ),
        (
            "PT",
            EnhancedPETImageStorage,
            PET,
            {"DecayCorrected": "YES", "ScatterCorrected": "NO", "RandomsCorrected": "YES"},
            {"CorrectedImage": ["DECY", "RAN"]},
        ),
    ],
)
def test_a_frame_tells_how_it_was_acquired(modality, sop_class, macros, attributes, expected):
    found = acquisition(modality, frames(phantom(modality, sop_class, macros, **attributes)))

    assert {keyword: found.get(keyword) for keyword in expected} == expected


def test_each_frame_has_its_own_values():
    whole = enhanced(
        slices(SMALL),
        per_frame=lambda number: {"CTExposureSequence": {"XRayTubeCurrentInmA": 100.0 + number}},
    )

    assert [each.number("XRayTubeCurrent") for each in frames(whole)] == [100, 101, 102]


def test_several_inversion_times_are_all_told():
    macros = {"MRModifierSequence": {"InversionTimes": [100.0, 900.0]}}

    found = frames(phantom("MR", EnhancedMRImageStorage, macros))[0]

    assert found.stated("InversionTime") == ("100.0", "900.0")


@pytest.mark.parametrize(
    ("traversal", "state", "transfer", "phase", "variant"),
    [
        ("PARTIAL", "TIME_REVERSED", "NONE", "NONE", ("SK", "TRSS")),
        ("SINGLE", "FREE_PRECESSION", "OFF_RESONANCE", "2D", ("MTC", "SS", "OSP")),
        ("FULL", "NONE", "NONE", "NONE", ()),
    ],
)
def test_the_variant_of_a_sequence_is_told_in_classic_terms(
    traversal, state, transfer, phase, variant
):
    whole = phantom(
        "MR",
        EnhancedMRImageStorage,
        {"MRImagingModifierSequence": {"MagnetizationTransfer": transfer}},
        SegmentedKSpaceTraversal=traversal,
        SteadyStatePulseSequence=state,
        OversamplingPhase=phase,
    )

    assert frames(whole)[0].stated("SequenceVariant") == variant


def test_a_variant_that_is_stated_is_not_derived():
    whole = phantom("MR", EnhancedMRImageStorage, MR, SequenceVariant="OSP", **MR_OBJECT)

    assert frames(whole)[0].stated("SequenceVariant") == ("OSP",)


AGENT = {"ContrastBolusAgentSequence": Sequence([item(ContrastBolusAgentNumber=1)])}


@pytest.mark.parametrize(
    ("attributes", "administered", "told"),
    [
        ({}, (None, None, None), ["unknown"] * 3),
        (AGENT, (None, None, None), ["yes"] * 3),
        (AGENT, ("NO", "YES", None), ["no", "yes", "yes"]),
        ({}, ("NO", "YES", None), ["no", "yes", "unknown"]),
    ],
)
def test_a_frame_tells_whether_contrast_was_given(attributes, administered, told):
    def usage(number):
        stated = administered[number]
        values = {"ContrastBolusAgentNumber": 1, "ContrastBolusAgentAdministered": stated}
        return {"ContrastBolusUsageSequence": values} if stated else {}

    whole = enhanced(slices(SMALL), per_frame=usage, **attributes)

    assert [contrast(each) for each in frames(whole)] == told


def test_the_name_of_a_contrast_agent_is_not_kept():
    agent = item(CodeValue="C-HUSH", CodingSchemeDesignator="SRT", CodeMeaning="hush 350")
    whole = enhanced(slices(SMALL), ContrastBolusAgentSequence=Sequence([agent]))

    assert frames(whole)[0].text("ContrastBolusAgent") == "YES"


def converted(objects, *, sop_class, shared, per_frame):
    """An object that was converted from classic ones, which kept their attributes."""
    whole = enhanced(objects, sop_class=sop_class)
    group = whole.SharedFunctionalGroupsSequence[0]
    group.UnassignedSharedConvertedAttributesSequence = Sequence([shared])
    for number, group in enumerate(whole.PerFrameFunctionalGroupsSequence):
        group.UnassignedPerFrameConvertedAttributesSequence = Sequence([per_frame(number)])
    return whole


def test_frames_of_a_converted_object_tell_the_attributes_of_their_classic_ones():
    whole = converted(
        slices(SMALL),
        sop_class=LEGACY_CONVERTED_CT,
        shared=item(KVP=120, ContrastBolusAgent=""),
        per_frame=lambda number: item(Exposure=10 * number, ConvolutionKernel="B30f"),
    )

    found = frames(whole)

    assert [each.number("Exposure") for each in found] == [0, 10, 20]
    told = acquisition("CT", found)
    expected = {"KVP": 120.0, "Exposure": 10.0, "ConvolutionKernel": "B30f", "contrast": "no"}
    assert {keyword: told.get(keyword) for keyword in expected} == expected


def test_a_converted_object_keeps_its_own_identity_and_extents():
    whole = converted(
        slices(SMALL),
        sop_class=LEGACY_CONVERTED_CT,
        shared=item(Rows=77, PatientID="OTHER", BitsAllocated=8),
        per_frame=lambda _: item(NumberOfFrames=9),
    )

    (first, *_) = frames(whole)

    assert (first.plane.size, first.text("PatientID")) == ((5, 4), "PHANTOM")
    assert (first.count("BitsAllocated"), first.count("NumberOfFrames")) == (16, 3)


def test_private_attributes_of_a_converted_object_are_told():
    private = item()
    private.add_new(0x00430010, "LO", "GEMS_PARM_01")
    private.add_new(0x0043102F, "SS", 1)
    whole = converted(
        slices(SMALL, Modality="MR"),
        sop_class=LEGACY_CONVERTED_MR,
        shared=item(),
        per_frame=lambda _: private,
    )

    assert frames(whole)[2].header[0x0043102F].value == 1


def test_functional_groups_come_before_converted_attributes():
    whole = converted(
        slices(SMALL),
        sop_class=LEGACY_CONVERTED_CT,
        shared=item(KVP=120),
        per_frame=lambda _: item(),
    )
    whole.PerFrameFunctionalGroupsSequence[1].update(
        functional_group(CTXRayDetailsSequence={"KVP": 80.0})
    )

    assert [each.number("KVP") for each in frames(whole)] == [120, 80, 120]
