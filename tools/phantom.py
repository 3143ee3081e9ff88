"""A small CT phantom as a DICOM zip: what the server is tried with before it is called ready."""

import io
import zipfile

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

SLICES, ROWS, COLUMNS = 6, 20, 24
SPACING_MM = (1.5, 1.25, 5.0)


def phantom_zip() -> bytes:
    """Return a zip of six axial CT slices: a body of soft tissue in air, a lung, a spine."""
    voxels = _body()
    study_uid, series_uid = generate_uid(), generate_uid()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for k in range(SLICES):
            dataset = _slice(k, voxels[k])
            dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study_uid, series_uid
            content = io.BytesIO()
            pydicom.dcmwrite(content, dataset, enforce_file_format=True)
            archive.writestr(f"{k:03}.dcm", content.getvalue())
    return file.getvalue()


def _body() -> NDArray[np.int16]:
    """Return Hounsfield units, indexed [slice, row, column]."""
    row, column = np.mgrid[-1 : 1 : ROWS * 1j, -1 : 1 : COLUMNS * 1j]
    plane = np.full((ROWS, COLUMNS), -1000, np.int16)
    plane[row**2 + column**2 < 0.8] = 40
    plane[(row / 0.5) ** 2 + ((column - 0.45) / 0.3) ** 2 < 1] = -800
    plane[((row - 0.6) / 0.2) ** 2 + (column / 0.15) ** 2 < 1] = 400
    return np.stack([plane] * SLICES)


def _slice(k: int, plane: NDArray[np.int16]) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = CTImageStorage
    dataset.SOPInstanceUID = generate_uid()
    dataset.PatientID = "phantom"
    dataset.Modality = "CT"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.ImagePositionPatient = [0, 0, k * SPACING_MM[2]]
    dataset.PixelSpacing = list(SPACING_MM[:2])
    dataset.Rows, dataset.Columns = ROWS, COLUMNS
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit = 15
    dataset.PixelRepresentation = 1
    dataset.RescaleSlope, dataset.RescaleIntercept = 1, 0
    dataset.PixelData = plane.tobytes()
    return dataset
