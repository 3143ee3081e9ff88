"""A zip as this project converts it: its volumes, and where the slices they are made of lie."""

import gzip
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from imaging.archive import Limits
from imaging.errors import InputError
from imaging.geometry import LPS_TO_RAS, Grid, grid_of
from imaging.nifti import nifti_file
from imaging.options import Options
from imaging.preprocess import nifti_files
from imaging.quantities import stored_quantity
from imaging.series import Series, without_copies
from imaging.stacks.objects import slices_of
from imaging.stacks.planes import read_volume
from imaging.stacks.split import Stack, stacks_of
from imaging.study import Study
from tools.comparison.differences import same_grid
from tools.comparison.images import Image

TIME_POINT = re.compile(r"(?P<others>.*?)(, )?time \d+ of (?P<count>\d+)")


@dataclass(frozen=True)
class Ours:
    """One volume, or the time points of one.

    label: of the row, or of the first time point.
    raw_affine: of the file before its axes were turned, k counting slices: 4x4, RAS+, mm.
    members: numbers of the rows that it is made of.
    """

    label: dict[str, Any]
    image: Image
    raw_affine: NDArray[np.float64]
    members: tuple[int, ...]

    @property
    def codes(self) -> set[str]:
        """Quality codes of the row."""
        return {each["code"] for each in self.label["quality"]}

    @property
    def slices_axis(self) -> int:
        """Which of the turned axes the slices follow."""
        return int(np.abs(self._turned[:3, 2]).argmax())

    @property
    def _turned(self) -> NDArray[np.float64]:
        """From indices of the file as written to those of the turned axes."""
        turned: NDArray[np.float64] = np.linalg.inv(self.image.affine) @ self.raw_affine
        return np.rint(turned)

    def slice_positions_mm(self, count: int, affine: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return where the first pixels of the slices lie: RAS+, float64 [count, 3].

        affine: of the turned axes, our own or the reference's.
        """
        indices = np.zeros((4, count))
        indices[2], indices[3] = np.arange(count), 1
        positions: NDArray[np.float64] = (affine @ self._turned @ indices)[:3].T
        return positions


@dataclass
class Conversion:
    """What became of a zip."""

    zip_bytes: memoryview
    options: Options
    volumes: list[Ours]
    report: dict[str, Any]
    seconds: float

    @classmethod
    def of(cls, zip_bytes: memoryview, options: Options) -> "Conversion":
        """Return the conversion of a zip; raises InputError if nothing comes of it."""
        start = time.perf_counter()
        answer = nifti_files(zip_bytes, options=options, limits=Limits())
        seconds = time.perf_counter() - start
        volumes = [
            _ours(file, label, number)
            for number, (file, label) in enumerate(zip(answer.files, answer.labels, strict=True))
        ]
        return cls(zip_bytes, options, volumes, answer.report, seconds)

    def time_series(self) -> list[Ours]:
        """Return the volumes that are time points, stacked: each series along a fourth axis."""
        groups: dict[tuple[str, ...], list[Ours]] = {}
        for each in self.volumes:
            if found := TIME_POINT.fullmatch(each.label["stack"]):
                key = (*_key(each.label)[:2], found["others"], found["count"])
                groups.setdefault(key, []).append(each)
        return [_stacked(group) for group in groups.values() if _same_grid(group)]

    def stated_positions_mm(self, ours: Ours) -> NDArray[np.float64]:
        """Return ImagePositionPatient of each slice, in our order: RAS+, float64 [slices, 3]."""
        slices = self._grids[_key(ours.label)].slices
        stated_lps_mm = np.array([each.plane.position_mm for each in slices])
        stated_mm: NDArray[np.float64] = stated_lps_mm @ LPS_TO_RAS[:3, :3]
        return stated_mm

    def as_acquired(self, ours: Ours) -> Image:
        """Return the slices as they were before they were set on even steps."""
        grid = self._grids[_key(ours.label)]
        shape = (*grid.shape[:2], len(grid.slices))
        quantity = stored_quantity(ours.label["modality"], grid.slices)
        volume = read_volume(replace(grid, steps=None, shape=shape), quantity)
        return Image.of_nifti(nib.Nifti1Image.from_bytes(nifti_file(volume, compress=False)))

    @cached_property
    def _grids(self) -> dict[tuple[str, ...], Grid]:
        """Read once more, and only if a volume needs explaining: labels have no positions."""
        study = Study.from_zip(self.zip_bytes, Limits())
        found: dict[tuple[str, ...], Grid] = {}
        for stack in (stack for series in study.series for stack in _stacks(series)):
            with suppress(InputError):  # the report has it; no volume asks for its grid
                key = (stack.series.study_uid, stack.series.series_uid, stack.name)
                found[key] = grid_of(stack.slices, lenient=self.options.lenient)
        return found


def _stacks(series: Series) -> Sequence[Stack]:
    try:
        return stacks_of(series, slices_of(without_copies(series.instances)))
    except InputError:
        return ()


def _key(label: dict[str, Any]) -> tuple[str, ...]:
    return label["study_uid"], label["series_uid"], label["stack"]


def _opened(file: bytes) -> Any:
    return nib.Nifti1Image.from_bytes(gzip.decompress(file))


def _ours(file: bytes, label: dict[str, Any], number: int) -> Ours:
    nifti = _opened(file)
    return Ours(label, Image.of_nifti(nifti), nifti.affine, (number,))


def _same_grid(group: Sequence[Ours]) -> bool:
    return all(same_grid(group[0].image, each.image) for each in group)


def _stacked(group: Sequence[Ours]) -> Ours:
    first = group[0]
    values = np.stack([np.asarray(each.image.values) for each in group], axis=3)
    members = tuple(number for each in group for number in each.members)
    image = replace(first.image, shape=values.shape, values=values)
    return replace(first, image=image, members=members)
