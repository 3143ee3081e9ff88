"""A CT in a NIfTI file as a volume that networks' inputs are sampled from.

For training: what is served comes as DICOM. The same sampling reads both, so a study gives the same
input whether it is trained on as DICOM or as what `dicom_to_nifti` made of it.
"""

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from imaging.errors import InputError
from imaging.geometry import Grid
from imaging.plausibility import Plausibility
from imaging.source import Source
from imaging.stacks.planes import Plane
from imaging.windows import Window

PERPENDICULAR_TOLERANCE = 1e-3
"""Of a cosine: what another program wrote of a tilted gantry is sheared by a hundredth and more."""


def nifti_source(file: Path, window: Window) -> Source:
    """Return the CT in a .nii or .nii.gz file, in HU, to be sampled; `window` is in HU.

    The affine is nibabel's: the sform, else the qform (nifti1.h, methods 3 and 2). Refuses files
    that are no NIfTI, volumes that are not three-dimensional, that are not placed in space, whose
    axes are not perpendicular (NIfTI of a tilted gantry), and values that are no finite numbers.
    """
    image = _image(file)
    grid = _grid(image)
    voxels = _finite_voxels(image)

    def plane(k: int) -> Plane:
        return Plane(voxels[:, :, k].T, np.asarray)

    return Source(grid, plane, window, (), Plausibility())


def _image(file: Path) -> Any:
    try:
        image = nib.load(file)
    except (nib.filebasedimages.ImageFileError, OSError, EOFError) as error:
        raise InputError("unsupported_object", "the file cannot be read as NIfTI") from error
    if not isinstance(image, nib.Nifti1Image):  # NIfTI-2 is a kind of it
        raise InputError("unsupported_object", f"the file is {type(image).__name__}, not NIfTI")
    return image


def _grid(image: Any) -> Grid:
    shape = tuple(int(length) for length in image.shape)
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    if len(shape) != 3:
        raise InputError("unsupported_object", f"the volume has the axes {shape}; 3 are needed")
    if min(shape) < 2:
        raise InputError("single_slice", f"the volume has {shape} voxels; 2 an axis are needed")
    if not (image.header["sform_code"] or image.header["qform_code"]):
        raise InputError(
            "missing_attribute", "the file does not say how the volume lies: sform and qform are 0"
        )
    affine = np.asarray(image.affine, np.float64)
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    if not (np.isfinite(affine).all() and lengths.min() > 0):
        raise InputError("bad_attribute", "the affine has steps of no length")
    cosines = (affine[:3, :3] / lengths).T @ (affine[:3, :3] / lengths)
    if not np.allclose(cosines, np.eye(3), atol=PERPENDICULAR_TOLERANCE):
        raise InputError(
            "gantry_tilt", "the affine is sheared, as of a tilted gantry: give the DICOM instead"
        )
    return Grid((), (shape[0], shape[1], shape[2]), affine, 0.0)


def _finite_voxels(image: Any) -> NDArray[np.float32]:
    """Return float32 [i, j, k]; nibabel applies scl_slope and scl_inter."""
    try:
        voxels: NDArray[np.float32] = np.asarray(image.dataobj, np.float32)
    except (OSError, EOFError, ValueError) as error:
        raise InputError("bad_pixels", "the file ends before its voxels do") from error
    if not np.isfinite(voxels).all():
        raise InputError("bad_pixels", "voxels are NaN or infinite")
    return voxels.reshape(voxels.shape[:3])
