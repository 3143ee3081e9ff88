"""Made studies of the sizes that hospitals send: a CT, an MR, a PET, and regions of interest.

Content and headers are in size and kind those of scanners, so that they deflate, parse and decode
as a patient's study does: a body with organs, the noise of a scanner, some eighty attributes.
"""

import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from imaging.cores import usable_cores
from tools.bench.headers import encoded, slice_header
from tools.bench.scans import Scan, ct, mr, pt
from tools.bench.structures import structures
from tools.bench.zips import Packed, Piece, entry, first_piece, last_piece, zip_of

__all__ = ["Scan", "Study", "ct", "mr", "pt", "study_zip"]

PLANES_MADE = 64
"""Planes with noise of their own; the others are these again: inflating knows nothing of the entry
before, and these take more than a processor's caches. A study of 1000 slices is made in seconds."""


def study_zip(scan: Scan, *, regions: int = 0) -> bytes:
    """Return a series as a deflated zip, as exports write it; with an RTSTRUCT of `regions`."""
    return Study(scan).zip(regions=regions)


class Study:
    """A series, deflated once: zips of its first slices, with any number of regions."""

    def __init__(self, scan: Scan) -> None:
        self.scan = scan
        with ThreadPoolExecutor(usable_cores()) as threads:
            self._planes = list(threads.map(_plane, _values(scan)))
        self._slices: list[Packed] = []

    def zip(self, *, slices: int | None = None, regions: int = 0) -> bytes:
        """Return the study as a deflated zip; as many slices as the scan has, if not stated."""
        scan = replace(self.scan, slices=slices or self.scan.slices)
        for k in range(len(self._slices), scan.slices):
            self._slices.append(self._slice(k))
        entries = self._slices[: scan.slices]
        if regions:
            content = encoded(structures(scan, regions))
            entries = [*entries, entry("RS/RS00001.dcm", last_piece(content))]
        return zip_of(entries)

    def _slice(self, k: int) -> Packed:
        """Return the slice k: its header deflated alone, its pixels as they were deflated once."""
        plane = self._planes[k % len(self._planes)]
        header = first_piece(encoded(slice_header(self.scan, k, plane.slope)) + plane.tag)
        return entry(f"{self.scan.modality}/IM{k:05}.dcm", header, plane.pixels)


@dataclass(frozen=True)
class Plane:
    """The pixels of a slice, as they are stored, and what one of their steps means.

    tag: of the element PixelData: PS3.5 table 7.1-1, with the length.
    """

    pixels: Piece
    slope: float

    @property
    def tag(self) -> bytes:
        return struct.pack("<2H2s2xL", 0x7FE0, 0x0010, b"OW", len(self.pixels.content))


def _plane(job: tuple[Scan, NDArray[np.float32]]) -> Plane:
    scan, values = job
    slope = 1.0
    if scan.modality == "PT":  # each slice fills its 16 bits
        slope = float(np.format_float_positional(values.max() / 32767, 6, fractional=False))
    least = -1024 if scan.modality == "CT" else 0
    stored = (values.clip(least) - scan.stated.get("RescaleIntercept", 0)) / slope
    return Plane(last_piece(np.rint(stored).astype("<u2").tobytes()), slope)


def _values(scan: Scan) -> Iterator[tuple[Scan, NDArray[np.float32]]]:
    """Yield planes in the unit, each with noise of its own."""
    random = np.random.default_rng(1)
    body = _body(scan)
    for _ in range(min(PLANES_MADE, scan.slices)):
        yield scan, body + random.normal(0, scan.noise, body.shape).astype(np.float32)


def _body(scan: Scan) -> NDArray[np.float32]:
    """Return one plane in the unit: a body with two lungs (or ventricles) in air."""
    down, across = np.mgrid[-1 : 1 : scan.size * 1j, -1 : 1 : scan.size * 1j]
    outside, tissue, organ = scan.contrast
    plane = np.full((scan.size, scan.size), outside, np.float32)
    plane[(down / 0.75) ** 2 + (across / 0.92) ** 2 < 1] = tissue
    for side in (-0.42, 0.42):
        plane[(down / 0.5) ** 2 + ((across - side) / 0.3) ** 2 < 1] = organ
    return plane
