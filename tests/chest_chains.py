"""The two ways from a CT to the network's input, written out plainly: the judges of imaging's ways.

From what the makers of the weights say of them; the volume is RAS, in Hounsfield units, float32.
"""

import nibabel as nib
import numpy as np

SHAPE = (224, 224, 160)


def ras(image: nib.Nifti1Image) -> tuple[np.ndarray, tuple[float, float, float]]:
    """The voxels with their first axis to the right, second to the front, third to the head."""
    image = nib.as_closest_canonical(image)
    return image.get_fdata(dtype=np.float32), image.header.get_zooms()[:3]


def chest(image: nib.Nifti1Image, shape=SHAPE) -> np.ndarray:
    """Crop to what is above -1000 HU, resize by adaptive averages, then window."""
    voxels, _ = ras(image)
    found = np.nonzero(voxels > -1000)
    voxels = voxels[tuple(slice(at.min(), at.max() + 1) for at in found)]
    for axis, count in enumerate(shape):
        voxels = averaged(voxels, axis, count)
    return np.clip((voxels + 1000) / 1200, 0, 1).astype(np.float32)


def averaged(voxels: np.ndarray, axis: int, count: int) -> np.ndarray:
    """Cell i is the mean of voxels from floor(i n / count) to before ceil((i + 1) n / count)."""
    length = voxels.shape[axis]
    cells = [
        voxels.take(range(i * length // count, -(-(i + 1) * length // count)), axis)
        for i in range(count)
    ]
    return np.stack([cell.mean(axis) for cell in cells], axis)


def merlin(image: nib.Nifti1Image, shape=SHAPE, spacing_mm=(1.5, 1.5, 3.0)) -> np.ndarray:
    """Sample linearly at a spacing from the first voxel on, window, then pad or crop the middle."""
    voxels, steps_mm = ras(image)
    for axis in range(3):
        voxels = sampled(voxels, axis, float(steps_mm[axis]), spacing_mm[axis])
    voxels = np.clip((voxels + 1000) / 2000, 0, 1)
    extra = [max(wanted - length, 0) for wanted, length in zip(shape, voxels.shape, strict=True)]
    voxels = np.pad(voxels, [(each // 2, each - each // 2) for each in extra])
    start = [length // 2 - wanted // 2 for length, wanted in zip(voxels.shape, shape, strict=True)]
    middle = tuple(slice(at, at + wanted) for at, wanted in zip(start, shape, strict=True))
    return voxels[middle].astype(np.float32)


def sampled(voxels: np.ndarray, axis: int, step_mm: float, wanted_mm: float) -> np.ndarray:
    length = voxels.shape[axis]
    count = round((length - 1) * step_mm / wanted_mm + 1)
    at = np.minimum(np.arange(count) * (wanted_mm / step_mm), length - 1)
    lower = np.minimum(at.astype(int), length - 2)
    shape = [1] * voxels.ndim
    shape[axis] = -1
    part = (at - lower).astype(np.float32).reshape(shape)
    first, second = voxels.take(lower, axis), voxels.take(lower + 1, axis)
    return first * (1 - part) + second * part
