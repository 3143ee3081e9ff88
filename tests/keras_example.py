"""The chain of the Keras example "3D image classification from CT scans", step by step.

What the networks served here were trained with: the judge of imaging's faster way. Written out from
the example's description with the functions of nibabel and SciPy that it names.
"""

import nibabel as nib
import numpy as np
import scipy.ndimage

SHAPE = (128, 128, 64)


def las(image: nib.Nifti1Image) -> np.ndarray:
    """The voxels in the orientation of the example's training data."""
    target = nib.orientations.axcodes2ornt("LAS")
    change = nib.orientations.ornt_transform(nib.io_orientation(image.affine), target)
    return nib.orientations.apply_orientation(image.get_fdata(), change)


def normalise(volume: np.ndarray) -> np.ndarray:
    return ((np.clip(volume, -1000, 400) + 1000) / 1400).astype(np.float32)


def resize(volume: np.ndarray) -> np.ndarray:
    factors = [1 / (length / wanted) for length, wanted in zip(volume.shape, SHAPE, strict=True)]
    return scipy.ndimage.zoom(volume, factors, order=1)


def process(image: nib.Nifti1Image) -> np.ndarray:
    """The network's input for square slices, as the example has it: [128, 128, 64]."""
    return resize(scipy.ndimage.rotate(normalise(las(image)), 90, reshape=False))


def process_any(image: nib.Nifti1Image) -> np.ndarray:
    """The same, with slices that are not square turned whole, where the example cuts them."""
    return resize(np.rot90(normalise(las(image))))
