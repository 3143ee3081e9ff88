"""Phantoms in world coordinates, written as DICOM in any orientation, and as NIfTI by hand.

A phantom is an array over a lattice in the patient's frame, indexed [x, y, z] with x to the left,
y to the back and z to the head (LPS+). Nothing here is taken from the code under test.
"""

import io
import zipfile
from dataclasses import dataclass

import nibabel as nib
import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    generate_uid,
)

AXIAL = ((1, 0, 0), (0, 1, 0))
SAGITTAL = ((0, 1, 0), (0, 0, -1))
CORONAL = ((1, 0, 0), (0, 0, -1))
FEET_FIRST = ((-1, 0, 0), (0, 1, 0))
PRONE = ((-1, 0, 0), (0, -1, 0))


@dataclass(frozen=True)
class Phantom:
    """Hounsfield units on a lattice: int16 [x, y, z], with spacing and first point in mm, LPS+."""

    voxels: np.ndarray
    spacing_mm: tuple[float, float, float]
    origin_mm: tuple[float, float, float]

    def nifti(self) -> nib.Nifti1Image:
        """The phantom as LAS NIfTI: i to the left, j to the front, k to the head."""
        dx, dy, dz = self.spacing_mm
        x, y, z = self.origin_mm
        last_y = y + dy * (self.voxels.shape[1] - 1)
        affine = [[-dx, 0, 0, -x], [0, dy, 0, -last_y], [0, 0, dz, z], [0, 0, 0, 1]]
        return nib.Nifti1Image(self.voxels[:, ::-1, :], np.array(affine))


def thorax(shape=(40, 52, 24), spacing_mm=(2.5, 1.75, 4.0)) -> Phantom:
    """A body in air with unlike lungs, a liver on the right below, a spine at the back."""
    x, y, z = (np.linspace(-1, 1, count) for count in shape)
    x, y, z = np.meshgrid(x, y, z, indexing="ij")
    voxels = np.full(shape, -1000.0)
    voxels[x**2 + (y / 0.8) ** 2 < 0.85] = 40 + 30 * z[x**2 + (y / 0.8) ** 2 < 0.85]
    voxels[((x - 0.45) / 0.25) ** 2 + (y / 0.4) ** 2 + ((z - 0.2) / 0.7) ** 2 < 1] = -850
    voxels[((x + 0.45) / 0.3) ** 2 + (y / 0.45) ** 2 + ((z - 0.3) / 0.65) ** 2 < 1] = -780
    voxels[((x + 0.4) / 0.4) ** 2 + (y / 0.5) ** 2 + ((z + 0.8) / 0.4) ** 2 < 1] = 110
    voxels[(x / 0.12) ** 2 + ((y - 0.6) / 0.12) ** 2 < 1] = 900
    return Phantom(np.rint(voxels).astype(np.int16), spacing_mm, (-31.5, -55.25, 112.0))


def slices(phantom: Phantom, orientation=AXIAL, **attributes) -> list[Dataset]:
    """The phantom as CT objects whose rows and columns run along two directions of the lattice."""
    row, column = (np.array(direction) for direction in orientation)
    normal = np.cross(row, column)
    axes = [int(np.flatnonzero(direction)[0]) for direction in (row, column, normal)]
    flips = [slice(None, None, int(d.sum())) for d in (row, column, normal)]
    counts = phantom.voxels.shape
    # Reversed along an axis, the first point is the lattice's last one.
    first = np.array(phantom.origin_mm, float)
    for direction, axis in zip((row, column, normal), axes, strict=True):
        if direction.sum() < 0:
            first[axis] += phantom.spacing_mm[axis] * (counts[axis] - 1)
    ordered = phantom.voxels.transpose(axes[2], axes[1], axes[0])[flips[2], flips[1], flips[0]]
    common = {
        "ImageOrientationPatient": [*map(float, row), *map(float, column)],
        "PixelSpacing": [phantom.spacing_mm[axes[1]], phantom.spacing_mm[axes[0]]],
        "StudyInstanceUID": generate_uid(),
        "SeriesInstanceUID": generate_uid(),
        "FrameOfReferenceUID": generate_uid(),
    } | attributes
    step = normal * phantom.spacing_mm[axes[2]]
    return [
        ct_slice(plane, ImagePositionPatient=list(first + k * step), **common)
        for k, plane in enumerate(ordered)
    ]


def ct_slice(plane: np.ndarray, *, syntax=ExplicitVRLittleEndian, **attributes) -> Dataset:
    """One CT object; stored with an offset of 1024, as most scanners do."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    defaults = {
        "SOPClassUID": CTImageStorage,
        "SOPInstanceUID": generate_uid(),
        "PatientID": "PHANTOM",
        "Modality": "CT",
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
        "Rows": plane.shape[0],
        "Columns": plane.shape[1],
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": 16,
        "BitsStored": 16,
        "HighBit": 15,
        "PixelRepresentation": 0,
        "RescaleSlope": 1,
        "RescaleIntercept": -1024,
    }
    for keyword, value in (defaults | attributes).items():
        setattr(dataset, keyword, value)
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    stored = (plane.astype(int) - int(dataset.RescaleIntercept)).astype(f"{order}u2")
    dataset.add_new("PixelData", "OW", attributes.get("PixelData", stored.tobytes()))
    return dataset


def file_bytes(dataset: Dataset) -> bytes:
    """The object as a DICOM file."""
    syntax = dataset.file_meta.TransferSyntaxUID
    content = io.BytesIO()
    pydicom.dcmwrite(
        content,
        dataset,
        enforce_file_format=True,
        implicit_vr=syntax == ImplicitVRLittleEndian,
        little_endian=syntax != ExplicitVRBigEndian,
    )
    return content.getvalue()


def zip_of(*contents, method=zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of datasets and of raw bytes, as entries without meaning in their names."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for number, content in enumerate(contents):
            data = content if isinstance(content, bytes) else file_bytes(content)
            archive.writestr(f"{number:05}", data)
    return file.getvalue()
