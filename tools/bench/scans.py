"""Series of the sizes that hospitals send: what each is, and what its modality states."""

from dataclasses import dataclass, field
from typing import Any

from pydicom.dataset import Dataset
from pydicom.uid import (
    CTImageStorage,
    MRImageStorage,
    PositronEmissionTomographyImageStorage,
    generate_uid,
)


@dataclass(frozen=True)
class Scan:
    """One series to be made: its size, its noise, and what its modality states."""

    modality: str
    sop_class: str
    slices: int
    size: int
    pixel_mm: float
    step_mm: float
    noise: float
    contrast: tuple[float, float, float]
    stated: dict[str, Any] = field(default_factory=dict)
    series_uid: str = field(default_factory=generate_uid)


def ct(slices: int = 200) -> Scan:
    """Return a chest CT; of 200 slices the zip has 55 MB."""
    return Scan(
        *("CT", CTImageStorage, slices, 512, 0.78, 1.5, 15.5, (-1000.0, 40.0, -850.0)),
        stated={
            "RescaleIntercept": -1024,
            "RescaleSlope": 1,
            "RescaleType": "HU",
            "KVP": 120,
            "ConvolutionKernel": "B40f",
            "ReconstructionDiameter": 400,
            "XRayTubeCurrent": 220,
            "Exposure": 110,
            "GantryDetectorTilt": 0,
            "TableHeight": 150,
        },
    )


def mr(slices: int = 120) -> Scan:
    """Return a T1-weighted MR of the head."""
    return Scan(
        *("MR", MRImageStorage, slices, 256, 1.0, 1.2, 12.0, (0.0, 600.0, 250.0)),
        stated={
            "ScanningSequence": "GR",
            "SequenceVariant": "SP",
            "EchoTime": 2.9,
            "RepetitionTime": 2300,
            "FlipAngle": 9,
            "MagneticFieldStrength": 3,
        },
    )


def pt(slices: int = 200) -> Scan:
    """Return a whole-body PET in Bq/ml, with what SUV needs."""
    tracer = Dataset()
    tracer.RadionuclideTotalDose = 3.5e8
    tracer.RadionuclideHalfLife = 6586.2
    tracer.RadiopharmaceuticalStartTime = "090000"
    tracer.RadiopharmaceuticalStartDateTime = "20240102090000"
    return Scan(
        *("PT", PositronEmissionTomographyImageStorage, slices, 200, 4.07, 3.0, 150.0),
        (0.0, 4000.0, 1500.0),
        stated={
            "RescaleIntercept": 0,
            "Units": "BQML",
            "DecayCorrection": "START",
            "CorrectedImage": ["NORM", "DTIM", "ATTN", "SCAT", "DECY"],
            "RadiopharmaceuticalInformationSequence": [tracer],
            "PatientWeight": 70,
            "ActualFrameDuration": 120000,
            "FrameReferenceTime": 60000,
        },
    )
