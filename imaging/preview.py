"""A picture of what the network sees: its three middle planes side by side."""

import base64
import io
from collections.abc import Sequence
from typing import TypeVar

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import binary_dilation

UPRIGHT = "PLS"
"""Axes to the back, to the patient's left and to the head: rows of an axial plane go downwards."""

GREYS = 255
"""Levels of grey beside the outline's colour, in a picture of 256."""

OUTLINE = (255, 176, 0)
"""Amber: no grey, and apart from greys for those who see red and green alike."""

Kind = TypeVar("Kind", bound=np.generic)

Grey = NDArray[np.float32]
Inside = NDArray[np.bool_]


def preview_png(voxels: Grey, codes: str, inside: Inside | None = None) -> str:
    """Return a base64 PNG of the axial, coronal and sagittal middle planes, left to right.

    voxels: [a, b, c, 1], 0 to 1, the axes running as `codes` say, for instance "PLS". Each plane is
    shown upright, with the patient's right on the picture's left. Axes of other lengths than the
    axial plane's are stretched to it by repeating samples.
    inside: bool [a, b, c], the region that is outlined: the picture has a palette then, of greys
        and one colour for the pixels next to the region.
    """
    planes = _middle_planes(upright(voxels[..., 0], codes))
    grey = np.hstack(planes)
    if inside is None:
        return png_text(Image.fromarray(np.rint(grey * 255).astype(np.uint8)))
    lines = np.hstack([_beside(plane) for plane in _middle_planes(upright(inside, codes))])
    numbers = np.rint(grey * (GREYS - 1)).astype(np.uint8)
    numbers[lines] = GREYS
    picture = Image.fromarray(numbers, "P")
    levels = np.rint(np.linspace(0, 255, GREYS)).astype(np.uint8)
    picture.putpalette([*np.repeat(levels, 3).tolist(), *OUTLINE])
    return png_text(picture)


def upright(volume: NDArray[Kind], codes: str) -> NDArray[Kind]:
    """Return a volume, whose axes run as `codes` say, with axes as UPRIGHT says."""
    turned: NDArray[Kind] = nib.orientations.apply_orientation(volume, turn(codes))
    return turned


def turn(codes: str) -> NDArray[np.float64]:
    """Return nibabel's transform from axes as `codes` say to UPRIGHT."""
    turned: NDArray[np.float64] = nib.orientations.ornt_transform(
        *map(nib.orientations.axcodes2ornt, (codes, UPRIGHT))
    )
    return turned


def png_text(picture: Image.Image, *, compress_level: int = 1) -> str:
    """Return a picture as a base64 PNG; compress_level: of zlib."""
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=compress_level)
    return base64.b64encode(file.getvalue()).decode("ascii")


def _middle_planes(volume: NDArray[Kind]) -> Sequence[NDArray[Kind]]:
    """Return the axial, the coronal and the sagittal middle plane of an upright volume."""
    back, left, head = (length // 2 for length in volume.shape)
    rows = len(volume)
    head_first = volume[:, :, ::-1]  # since rows go downwards
    coronal, sagittal = head_first[back].T, head_first[:, left].T
    return volume[:, :, head], _repeat_rows(coronal, rows), _repeat_rows(sagittal, rows)


def _repeat_rows(plane: NDArray[Kind], rows: int) -> NDArray[Kind]:
    """Return the plane with `rows` rows, each the nearest of its own."""
    repeated: NDArray[Kind] = plane[(np.arange(rows) * len(plane)) // rows]
    return repeated


def _beside(inside: Inside) -> Inside:
    """Return the pixels that share an edge with a region: the line hides none of its tissue."""
    beside: Inside = binary_dilation(inside) & ~inside
    return beside
