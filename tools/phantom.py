"""A small phantom as a DICOM zip: what servers and models are tried with before they are used."""

import io
import zipfile
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
    generate_uid,
)

SLICES, ROWS, COLUMNS = 6, 20, 24
SPACING_MM = (1.5, 1.25, 5.0)

OF_MODALITY: dict[str, dict[str, Any]] = {
    "CT": {"SOPClassUID": CTImageStorage, "RescaleSlope": 1, "RescaleIntercept": -1000},
    "MR": {"SOPClassUID": MRImageStorage, "RescaleSlope": 1, "RescaleIntercept": 0},
    "PT": {
        "SOPClassUID": PositronEmissionTomographyImageStorage,
        "RescaleSlope": 0.01,
        "RescaleIntercept": 0,
        "Units": "GML",
        "SUVType": "BW",
        "CorrectedImage": ["ATTN", "DECY"],
        "DecayCorrection": "START",
        "PatientWeight": 70,
    },
}
"""What the slices of each modality state: the same body as HU, as signal, as SUVbw of 0 to 14."""


def phantom_zip(modality: str = "CT") -> bytes:
    """Return a zip of six axial slices: a body of soft tissue in air, a lung, a spine."""
    voxels = _body()
    study_uid, series_uid = generate_uid(), generate_uid()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for k in range(SLICES):
            dataset = _slice(k, voxels[k], modality)
            dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study_uid, series_uid
            content = io.BytesIO()
            pydicom.dcmwrite(content, dataset, enforce_file_format=True)
            archive.writestr(f"{k:03}.dcm", content.getvalue())
    return file.getvalue()


def _body() -> NDArray[np.int16]:
    """Return Hounsfield units above those of air, indexed [slice, row, column]."""
    row, column = np.mgrid[-1 : 1 : ROWS * 1j, -1 : 1 : COLUMNS * 1j]
    plane = np.zeros((ROWS, COLUMNS), np.int16)
    plane[row**2 + column**2 < 0.8] = 1040
    plane[(row / 0.5) ** 2 + ((column - 0.45) / 0.3) ** 2 < 1] = 200
    plane[((row - 0.6) / 0.2) ** 2 + (column / 0.15) ** 2 < 1] = 1400
    return np.stack([plane] * SLICES)


def _slice(k: int, plane: NDArray[np.int16], modality: str) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPInstanceUID = generate_uid()
    dataset.PatientID = "phantom"
    dataset.Modality = modality
    for keyword, value in OF_MODALITY[modality].items():
        setattr(dataset, keyword, value)
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
    dataset.PixelData = plane.tobytes()
    return dataset
