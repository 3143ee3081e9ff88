"""A picture of what the network sees: its three middle planes side by side."""

import base64
import io

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from PIL import Image

UPRIGHT = "PLS"
"""Axes to the back, to the patient's left and to the head: rows of an axial plane go downwards."""


def preview_png(voxels: NDArray[np.float32], codes: str) -> str:
    """Return a base64 PNG of the axial, coronal and sagittal middle planes, left to right.

    voxels: [a, b, c, 1], 0 to 1, the axes running as `codes` say, for instance "PLS". Each plane is
    shown upright, with the patient's right on the picture's left. Axes of other lengths than the
    axial plane's are stretched to it by repeating samples.
    """
    turn = nib.orientations.ornt_transform(*map(nib.orientations.axcodes2ornt, (codes, UPRIGHT)))
    volume = nib.orientations.apply_orientation(voxels[..., 0], turn)
    back, left, head = (length // 2 for length in volume.shape)
    rows = len(volume)
    upright = volume[:, :, ::-1]  # the head comes first, since rows go downwards
    axial = volume[:, :, head]
    coronal = _repeat_rows(upright[back].T, rows)
    sagittal = _repeat_rows(upright[:, left].T, rows)
    picture = np.hstack([axial, coronal, sagittal])
    file = io.BytesIO()
    Image.fromarray(np.rint(picture * 255).astype(np.uint8)).save(file, "PNG", compress_level=1)
    return base64.b64encode(file.getvalue()).decode("ascii")


def _repeat_rows(plane: NDArray[np.float32], rows: int) -> NDArray[np.float32]:
    """Return the plane with `rows` rows, each the nearest of its own."""
    repeated: NDArray[np.float32] = plane[(np.arange(rows) * len(plane)) // rows]
    return repeated
