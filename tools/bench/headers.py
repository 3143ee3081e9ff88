"""The headers of made studies: some eighty attributes, as scanners write them."""

import io

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from tools.bench.scans import Scan

FRAME_UID, STUDY_UID = generate_uid(), generate_uid()


def encoded(dataset: Dataset) -> bytes:
    """Return the file of an object."""
    content = io.BytesIO()
    pydicom.dcmwrite(content, dataset, enforce_file_format=True)
    return content.getvalue()


def slice_header(scan: Scan, k: int, slope: float) -> Dataset:
    """Return all of a slice but its pixels."""
    dataset = described(scan.modality, scan.series_uid, scan.sop_class)
    for keyword, value in scan.stated.items():
        setattr(dataset, keyword, value)
    if scan.modality == "PT":
        dataset.RescaleSlope = slope
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
    return dataset


def described(modality: str, series_uid: str, sop_class: str) -> Dataset:
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
    dataset.Modality = modality
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
