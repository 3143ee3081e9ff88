"""Made studies of the sizes that hospitals send: a CT, an MR, a PET, and regions of interest.

Content and headers are in size and kind those of scanners, so that they deflate, parse and decode
as a patient's study does: a body with organs, the noise of a scanner, some eighty attributes.
"""

import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    ExplicitVRLittleEndian,
    MRImageStorage,
    PositronEmissionTomographyImageStorage,
    RTStructureSetStorage,
    generate_uid,
)

PLANES_MADE = 16
"""Planes with noise of their own; the others are these again, shifted: deflating sees no repeats
farther than 32 KiB away, and a study of 1000 slices is made in seconds."""

FRAME_UID, STUDY_UID = generate_uid(), generate_uid()


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


def study_zip(scan: Scan, *, regions: int = 0) -> bytes:
    """Return a series as a deflated zip, as exports write it; with an RTSTRUCT of `regions`."""
    series_uid = generate_uid()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for k, dataset in enumerate(_slices(scan, series_uid)):
            archive.writestr(f"{scan.modality}/IM{k:05}.dcm", _encoded(dataset))
        if regions:
            archive.writestr("RS/RS00001.dcm", _encoded(_structures(scan, series_uid, regions)))
    return file.getvalue()


def _encoded(dataset: Dataset) -> bytes:
    content = io.BytesIO()
    pydicom.dcmwrite(content, dataset, enforce_file_format=True)
    return content.getvalue()


def _slices(scan: Scan, series_uid: str) -> Iterator[Dataset]:
    random = np.random.default_rng(1)
    body = _body(scan)
    noise = random.normal(0, scan.noise, (PLANES_MADE, scan.size, scan.size)).astype(np.float32)
    for k in range(scan.slices):
        values = body + np.roll(noise[k % PLANES_MADE], 7 * k, axis=1)
        yield _slice(scan, k, values, series_uid)


def _body(scan: Scan) -> NDArray[np.float32]:
    """Return one plane in the unit: a body with two lungs (or ventricles) in air."""
    down, across = np.mgrid[-1 : 1 : scan.size * 1j, -1 : 1 : scan.size * 1j]
    outside, tissue, organ = scan.contrast
    plane = np.full((scan.size, scan.size), outside, np.float32)
    plane[(down / 0.75) ** 2 + (across / 0.92) ** 2 < 1] = tissue
    for side in (-0.42, 0.42):
        plane[(down / 0.5) ** 2 + ((across - side) / 0.3) ** 2 < 1] = organ
    return plane


def _slice(scan: Scan, k: int, values: NDArray[np.float32], series_uid: str) -> Dataset:
    dataset = _described(scan, series_uid, scan.sop_class)
    for keyword, value in scan.stated.items():
        setattr(dataset, keyword, value)
    slope = 1.0
    if scan.modality == "PT":  # each slice fills its 16 bits
        slope = float(np.format_float_positional(values.max() / 32767, 6, fractional=False))
        dataset.RescaleSlope = slope
    stored = (
        values.clip(-1024 if scan.modality == "CT" else 0) - scan.stated.get("RescaleIntercept", 0)
    ) / slope
    dataset.InstanceNumber = k + 1
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    half_mm = scan.pixel_mm * scan.size / 2
    dataset.ImagePositionPatient = [-half_mm, -half_mm, round(k * scan.step_mm, 3)]
    dataset.SliceLocation = round(k * scan.step_mm, 3)
    dataset.SliceThickness = dataset.SpacingBetweenSlices = scan.step_mm
    dataset.PixelSpacing = [scan.pixel_mm, scan.pixel_mm]
    dataset.Rows = dataset.Columns = scan.size
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = 16
    dataset.BitsStored = 12 if scan.modality == "CT" else 16
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = 0
    dataset.PixelData = np.rint(stored).astype("<u2").tobytes()
    return dataset


def _described(scan: Scan, series_uid: str, sop_class: str) -> Dataset:
    """Return what every object of a study states: patient, study, series, equipment."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.SOPClassUID = sop_class
    dataset.SOPInstanceUID = generate_uid()
    for part in ("Study", "Series", "Acquisition", "Content"):
        setattr(dataset, f"{part}Date", "20240102")
        setattr(dataset, f"{part}Time", "100000")
    dataset.AccessionNumber = "1"
    dataset.Modality = scan.modality
    dataset.Manufacturer = "made"
    dataset.InstitutionName = "nowhere"
    dataset.StationName = "phantom"
    dataset.StudyDescription = dataset.SeriesDescription = dataset.ProtocolName = "made for timing"
    dataset.ManufacturerModelName = "phantom"
    dataset.PatientName = "phantom^made"
    dataset.PatientID = "phantom"
    dataset.PatientBirthDate, dataset.PatientSex, dataset.PatientAge = "19700101", "O", "054Y"
    dataset.BodyPartExamined = "CHEST"
    dataset.DeviceSerialNumber = "1"
    dataset.SoftwareVersions = "1"
    dataset.PatientPosition = "HFS"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = STUDY_UID, series_uid
    dataset.StudyID, dataset.SeriesNumber, dataset.AcquisitionNumber = "1", 2, 1
    dataset.FrameOfReferenceUID = FRAME_UID
    dataset.WindowCenter, dataset.WindowWidth = [40, -600], [400, 1500]
    _add_private(dataset)
    return dataset


def _add_private(dataset: Dataset) -> None:
    """Add what vendors add: some forty elements of their own, one of them of two kilobytes."""
    block = dataset.private_block(0x0029, "MADE FOR TIMING", create=True)
    for number in range(40):
        block.add_new(number, "LO", f"private value {number}")
    block.add_new(0x50, "OB", bytes(range(256)) * 8)


def _structures(scan: Scan, series_uid: str, regions: int) -> Dataset:
    """Return an RTSTRUCT of round regions, each on forty slices or as many as there are."""
    dataset = _described(scan, series_uid, RTStructureSetStorage)
    dataset.Modality = "RTSTRUCT"
    dataset.SeriesInstanceUID = generate_uid()
    dataset.StructureSetLabel = "made"
    series, study, frame = Dataset(), Dataset(), Dataset()
    series.SeriesInstanceUID = series_uid
    study.RTReferencedSeriesSequence = [series]
    frame.FrameOfReferenceUID = FRAME_UID
    frame.RTReferencedStudySequence = [study]
    dataset.ReferencedFrameOfReferenceSequence = [frame]
    numbers = range(1, regions + 1)
    dataset.StructureSetROISequence = [_roi(number) for number in numbers]
    dataset.ROIContourSequence = [_contours(scan, number, regions) for number in numbers]
    return dataset


def _roi(number: int) -> Dataset:
    roi = Dataset()
    roi.ROINumber = number
    roi.ReferencedFrameOfReferenceUID = FRAME_UID
    roi.ROIName = f"lesion {number}"
    return roi


def _contours(scan: Scan, number: int, regions: int) -> Dataset:
    angles = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    reach_mm = 0.3 * scan.pixel_mm * scan.size
    middle_mm = reach_mm * np.array([np.cos(number), np.sin(number)])
    half = min(20, scan.slices // 2 - 1)
    middle = half + int((scan.slices - 2 * half - 1) * number / (regions + 1))
    item = Dataset()
    item.ReferencedROINumber = number
    item.ContourSequence = []
    for k in range(middle - half, middle + half + 1):
        radius_mm = 1 + 20 * np.sqrt(max(0.0, 1 - ((k - middle) / (half + 1)) ** 2))
        circle = middle_mm + radius_mm * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        item.ContourSequence.append(_contour(circle, k * scan.step_mm))
    return item


def _contour(points_mm: NDArray[np.float64], z_mm: float) -> Dataset:
    contour = Dataset()
    contour.ContourGeometricType = "CLOSED_PLANAR"
    contour.NumberOfContourPoints = len(points_mm)
    flat: Sequence[float] = [each for x, y in points_mm for each in (x, y, z_mm)]
    contour.ContourData = [round(float(each), 3) for each in flat]
    return contour
