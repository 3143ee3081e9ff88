"""The way of the thesis: a converter to NIfTI, the functions of the Keras example, TensorFlow.

Zunair, "3D image classification from CT scans", keras.io, 2020: its functions with the libraries
that it calls, written out anew. They assume a CT with square slices in the orientation that both
converters write.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from tools.bench.peers.conversions import dcm2niix_program, run_dcm2niix, scratch, unpack
from tools.bench.peers.networks import keras_network

LOWEST_HU, HIGHEST_HU = -1000, 400
SHAPE = (128, 128, 64)

Convert = Callable[[Path, Path], Sequence[Path]]
"""From a folder of DICOM to a folder of NIfTI; returns the files."""


def with_dcm2niix(zip_file: str, model: str) -> Callable[[], list[float]]:
    """Get ready, TensorFlow and the network loaded; returns features."""
    program = dcm2niix_program()
    return _whole_way(zip_file, model, lambda dicom, out: run_dcm2niix(program, dicom, out))


def with_dicom2nifti(zip_file: str, model: str) -> Callable[[], list[float]]:
    """Get ready, TensorFlow and the network loaded; returns features."""
    from dicom2nifti import convert_directory

    def convert(dicom: Path, out: Path) -> list[Path]:
        convert_directory(str(dicom), str(out), compression=False, reorient=True)
        return sorted(out.glob("*.nii"))

    return _whole_way(zip_file, model, convert)


def _whole_way(zip_file: str, model: str, convert: Convert) -> Callable[[], list[float]]:
    infer = keras_network(model)
    infer(np.zeros((1, *SHAPE, 1), np.float32))  # the first call compiles

    def run() -> list[float]:
        with scratch() as folder:
            unpack(zip_file, folder / "dicom")
            files = convert(folder / "dicom", folder)
            image = max(files, key=lambda file: file.stat().st_size)
            volume = process_scan(image)
        features: list[float] = infer(volume[None, ..., None])[0].tolist()
        return features

    return run


def process_scan(file: Path) -> NDArray[np.float32]:
    """Return the network's input from a NIfTI file: read, normalised, turned, resized."""
    image: Any = nibabel.load(file)
    return resize_volume(normalize(image.get_fdata()))


def normalize(volume: NDArray[Any]) -> NDArray[np.float32]:
    """Return the window of Hounsfield units as 0 to 1; writes to what it is given."""
    volume[volume < LOWEST_HU] = LOWEST_HU
    volume[volume > HIGHEST_HU] = HIGHEST_HU
    return ((volume - LOWEST_HU) / (HIGHEST_HU - LOWEST_HU)).astype(np.float32)


def resize_volume(volume: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the volume, turned by 90° by interpolation as published, in the network's shape."""
    factors = [wanted / length for wanted, length in zip(SHAPE, volume.shape, strict=True)]
    turned = scipy.ndimage.rotate(volume, 90, reshape=False)
    resized: NDArray[np.float32] = scipy.ndimage.zoom(turned, factors, order=1)
    return resized
