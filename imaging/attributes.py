"""The attributes that are read of a DICOM object; all others stay in the zip."""

from pydicom.tag import Tag

IDENTITY = ["PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID"]
DESCRIPTION = ["Modality", "ImageType", "FrameOfReferenceUID"]
GEOMETRY = ["ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "Rows", "Columns"]
PIXELS = [
    "BitsAllocated",
    "BitsStored",
    "DoubleFloatPixelPaddingRangeLimit",
    "DoubleFloatPixelPaddingValue",
    "ExtendedOffsetTable",
    "ExtendedOffsetTableLengths",
    "FloatPixelPaddingRangeLimit",
    "FloatPixelPaddingValue",
    "HighBit",
    "NumberOfFrames",
    "PixelPaddingRangeLimit",
    "PixelPaddingValue",
    "PhotometricInterpretation",
    "PixelRepresentation",
    "RescaleIntercept",
    "RescaleSlope",
    "RescaleType",
    "SamplesPerPixel",
]
STACKS = [
    "AcquisitionNumber",
    "ComplexImageComponent",
    "ContentTime",
    "ConvolutionKernel",
    "DiffusionBValue",
    "EchoNumbers",
    "EchoTime",
    "FlipAngle",
    "InstanceNumber",
    "InversionTime",
    "NominalPercentageOfRespiratoryPhase",
    "SeriesNumber",
    "SliceThickness",
    "SpacingBetweenSlices",
    "TemporalPositionIdentifier",
    "TriggerTime",
]
"""What tells the slices of one place apart."""

ENHANCED = [
    "AttenuationCorrected",
    "ContrastBolusAgentSequence",
    "CountLossNormalizationCorrected",
    "DeadTimeCorrected",
    "DecayCorrected",
    "DecayCorrectionDateTime",
    "DetectorNormalizationCorrection",
    "EchoPlanarPulseSequence",
    "EchoPulseSequence",
    "GantryMotionCorrected",
    "NonUniformRadialSamplingCorrected",
    "OversamplingPhase",
    "PatientMotionCorrected",
    "PerFrameFunctionalGroupsSequence",
    "RandomsCorrected",
    "RealWorldValueMappingSequence",
    "ScatterCorrected",
    "SegmentedKSpaceTraversal",
    "SensitivityCalibrated",
    "SharedFunctionalGroupsSequence",
    "SteadyStatePulseSequence",
]
"""What multi-frame objects place their slices with, and say in other words than classic ones."""

STACKS_PRIVATE = [
    *map(Tag, (0x00190010, 0x0019100A, 0x0019100C)),
    *map(Tag, (0x00430010, 0x0043102F, 0x00431039)),
    *map(Tag, (0x20010010, 0x20011003)),
]
"""Siemens' NumberOfImagesInMosaic, GE's image type, and the b-values of both and of Philips, with
who signed them."""

PET = [
    "AcquisitionDate",
    "AcquisitionDateTime",
    "AcquisitionTime",
    "ActualFrameDuration",
    "CorrectedImage",
    "DecayCorrection",
    "FrameReferenceTime",
    "Manufacturer",
    "PatientSex",
    "PatientSize",
    "PatientWeight",
    "RadiopharmaceuticalInformationSequence",
    "SeriesDate",
    "SeriesTime",
    "SUVType",
    "TimezoneOffsetFromUTC",
    "Units",
]
ACQUISITION = [
    "ContrastBolusAgent",
    "ContrastBolusAgentPhase",
    "DeviceSerialNumber",
    "Exposure",
    "IterativeReconstructionMethod",
    "KVP",
    "LossyImageCompression",
    "LossyImageCompressionRatio",
    "MagneticFieldStrength",
    "ManufacturerModelName",
    "NominalPercentageOfCardiacPhase",
    "NumberOfIterations",
    "NumberOfSubsets",
    "ParallelReductionFactorInPlane",
    "ReconstructionAlgorithm",
    "ReconstructionDiameter",
    "ReconstructionMethod",
    "RepetitionTime",
    "ScanningSequence",
    "SequenceVariant",
    "SoftwareVersions",
    "SpiralPitchFactor",
    "StationName",
    "XRayTubeCurrent",
]
"""What imaging.acquisition tells of a series, beside attributes that are read anyhow."""

PET_PRIVATE = [
    Tag(tag) for tag in (0x00090010, 0x0009100D, 0x0009103B, 0x70530010, 0x70531000, 0x70531009)
]
"""GE's decay-correction and injection date-times, and Philips' SUV and activity factors."""

CLASSIC = [*map(Tag, STACKS + PET + ACQUISITION), *STACKS_PRIVATE, *PET_PRIVATE]
"""What a slice of its own states, and each frame of a legacy converted object may."""

ATTRIBUTES = [
    *map(Tag, IDENTITY + DESCRIPTION + GEOMETRY + PIXELS + ENHANCED),
    *CLASSIC,
]
