"""One synthetic chest CT as a zip of DICOM slices, reproducible from its seed."""

import numpy as np
from numpy.random import Generator, default_rng
from numpy.typing import NDArray
from pydicom.uid import CTImageStorage, generate_uid
from scipy import ndimage

from tools.bench.headers import encoded, slice_header
from tools.bench.scans import Scan
from tools.bench.zips import entry, last_piece, zip_of
from tools.phantom_chest.anatomy import lungs_of, thorax, wall_of, with_tubes
from tools.phantom_chest.density import CLASSES, add_density, added_density, order_of
from tools.phantom_chest.scan import Acquisition, acquisition, lattice, scanned

INTERCEPT_HU = -1024
TEXTURE_HU = 25.0
"""Standard deviation of a lung's own density over some voxels: its small vessels and airways."""


def phantom_study(label: str, seed: int) -> bytes:
    """Return a chest CT of one of the CLASSES as a zip of axial DICOM slices.

    The same class and seed give the same bytes of pixels; every other seed is another body.
    """
    random = default_rng((seed, CLASSES.index(label)))
    scan = acquisition(random)
    return _zip(scan, chest(label, scan, random), name=f"chest-{label}-{seed}")


def chest(label: str, scan: Acquisition, random: Generator) -> NDArray[np.int16]:
    """Return Hounsfield units of a random chest as it was scanned, [slice, row, column]."""
    at, body = lattice(scan), thorax(random)
    lungs = lungs_of(body, at)
    hu = wall_of(body, at)
    texture = ndimage.gaussian_filter(random.standard_normal(at.shape, np.float32), 0.8)
    dependent = random.uniform(0, 0.6) * at.y  # HU: lungs are denser where they lie on
    lung_hu = body.lung_hu + dependent + texture * np.float32(TEXTURE_HU / texture.std())
    np.copyto(hu, lung_hu.astype(np.float32), where=lungs)
    order = order_of(label, body, at, lungs=lungs, random=random)
    add_density(hu, lungs, order, added=added_density(random))
    return scanned(with_tubes(hu, body, at, random=random), scan, random)


def _zip(scan: Acquisition, slices: NDArray[np.int16], *, name: str) -> bytes:
    series = Scan(
        *("CT", CTImageStorage, scan.slices, scan.size, round(scan.pixel_mm, 5), scan.step_mm),
        *(scan.noise_hu, (-1000.0, 40.0, -850.0)),
        stated={
            "RescaleIntercept": INTERCEPT_HU,
            "RescaleSlope": 1,
            "RescaleType": "HU",
            "KVP": 120,
            "PatientID": name,
            "PatientName": name,
            "StudyDescription": "synthetic chest",
            "SeriesDescription": "synthetic chest",
            "StudyInstanceUID": _uid(name, "study"),
            "FrameOfReferenceUID": _uid(name, "frame"),
        },
        series_uid=_uid(name, "series"),
    )
    entries = []
    for k, plane in enumerate(slices):
        header = slice_header(series, k, 1.0)
        header.SliceThickness = scan.thickness_mm
        header.SOPInstanceUID = _uid(name, str(k))
        header.PixelData = (plane - INTERCEPT_HU).astype("<u2").tobytes()
        entries.append(entry(f"CT/IM{k:05}.dcm", last_piece(encoded(header))))
    return zip_of(entries)


def _uid(name: str, part: str) -> str:
    return str(generate_uid(entropy_srcs=[name, part]))
