"""The network's input of each study, made once by the code that serves, and kept in a file."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress

from imaging.archive import Limits
from imaging.errors import InputError
from imaging.nifti_source import nifti_source
from imaging.options import Options
from imaging.preprocess import feature_inputs
from imaging.recipe import Recipe
from imaging.whole_input import whole_input
from tools.training.errors import TrainingError
from tools.training.studies import LabelledStudy

OPTIONS = Options(preview=False, regions="whole")


@dataclass(frozen=True)
class Facts:
    """What the card and the split need to know of one study's input.

    group: whom it is of: as stated, else the DICOM PatientID, else the study itself.
    voxel_mm: distance of the input's samples along its axes. covered_mm: from feet to head.
    codes: quality codes of its row.
    """

    label: str
    group: str
    voxel_mm: tuple[float, float, float]
    covered_mm: float
    codes: tuple[str, ...]


@dataclass(frozen=True)
class Inputs:
    """All inputs, and the facts of each.

    volumes: float16 [studies, a, b, c], 0 to 1, read from the file as needed. Half precision rounds
        them by 1/4096 at most, a third of one HU in a window of 1400 HU.
    left_out: how many studies could not be read, and were passed over as asked.
    key: digest of the files and of how inputs are made of them.
    """

    volumes: NDArray[np.float16]
    facts: tuple[Facts, ...]
    left_out: int
    key: str


def input_of(study: LabelledStudy, recipe: Recipe) -> tuple[NDArray[np.float32], Facts]:
    """Return the input of one study, float32 [a, b, c], 0 to 1, and its facts.

    A NIfTI file is taken for a CT in HU. Raises InputError as the service does, and if a zip gives
    more than one row.
    """
    if study.nifti:
        source = nifti_source(study.nifti, recipe.windows["CT"])
        seen = whole_input(source, recipe)
        axes = "".join(nib.aff2axcodes(source.grid.affine))
        covered_mm = _covered_mm(axes, source.grid.shape, source.grid.spacing_mm.tolist())
        codes = tuple(sorted(code for code, number in seen.quality.items() if number))
        facts = Facts(
            study.label, study.group or study.source.name, seen.voxel_mm, covered_mm, codes
        )
        return seen.voxels[..., 0], facts
    rows = feature_inputs(
        memoryview(study.source.zip_bytes()), recipe=recipe, options=OPTIONS, limits=Limits()
    )
    if len(rows.volumes) != 1:
        raise InputError("ambiguous_series", f"it gives {len(rows.volumes)} volumes; one is needed")
    row = rows.labels[0]
    codes = tuple(sorted({each["code"] for each in row["quality"]}))
    first, second, third = row["network_voxel_mm"]
    covered_mm = _covered_mm(row["acquired_orientation"], row["shape"], row["voxel_mm"])
    group = study.group or row["patient_id"] or study.source.name
    facts = Facts(study.label, group, (first, second, third), covered_mm, codes)
    return rows.volumes[0][..., 0], facts


def inputs_of(
    studies: Sequence[LabelledStudy],
    recipe: Recipe,
    *,
    folder: Path,
    skips_unreadable: bool,
    console: Console,
    name: str = "inputs",
) -> Inputs:
    """Return the inputs of all studies; those in the folder's cache are not made again.

    Raises TrainingError if a study cannot be read, unless such are to be skipped.
    """
    cache, known = folder / f"{name}.npy", folder / f"{name}.json"
    key = _key(studies, recipe)
    if stored := _cached(known, key, with_left_out=skips_unreadable):
        return _read(cache, stored)
    known.unlink(missing_ok=True)  # what it says is true of no other inputs than it was written for
    shape = (len(studies), *recipe.shape)
    volumes = _new_file(cache, shape)
    facts: list[Facts] = []
    columns = (*Progress.get_default_columns(), MofNCompleteColumn())
    with Progress(*columns, console=console) as progress:
        for study in progress.track(studies, description=f"making {name}"):
            try:
                volume, fact = input_of(study, recipe)
            except (InputError, OSError) as error:
                console.print(f"{study.source.name}: {error}", style="red", markup=False)
                continue
            volumes[len(facts)] = volume
            facts.append(fact)
    left_out = len(studies) - len(facts)
    if left_out and not skips_unreadable:
        raise TrainingError(
            f"{left_out} of {len(studies)} studies cannot be read: take them away, or leave them "
            "out by --skip-unreadable"
        )
    stored = {"key": key, "left_out": left_out, "facts": [asdict(fact) for fact in facts]}
    known.write_text(json.dumps(stored))
    return _read(cache, stored)


def remove_cache(folder: Path) -> None:
    """Remove the cached inputs: they are images of patients."""
    for name in ("inputs", "held-out inputs"):
        (folder / f"{name}.npy").unlink(missing_ok=True)
        (folder / f"{name}.json").unlink(missing_ok=True)


def _cached(known: Path, key: str, *, with_left_out: bool) -> dict[str, Any] | None:
    """Return what is kept of the same studies, unless some were left out and now may not be."""
    if not known.is_file():
        return None
    stored: dict[str, Any] = json.loads(known.read_text())
    fits = stored["key"] == key and (with_left_out or not stored["left_out"])
    return stored if fits else None


def _read(cache: Path, stored: dict[str, Any]) -> Inputs:
    facts = tuple(
        Facts(
            fact["label"],
            fact["group"],
            tuple(fact["voxel_mm"]),
            fact["covered_mm"],
            tuple(fact["codes"]),
        )
        for fact in stored["facts"]
    )
    volumes = np.load(cache, mmap_mode="r")[: len(facts)]
    return Inputs(volumes, facts, stored["left_out"], stored["key"])


def _new_file(file: Path, shape: tuple[int, ...]) -> NDArray[np.float16]:
    """Return an array in a new file, so that all inputs need no memory at once."""
    volumes: NDArray[np.float16] = np.lib.format.open_memmap(  # type: ignore[no-untyped-call]
        file, "w+", np.float16, shape
    )
    return volumes


def _key(studies: Sequence[LabelledStudy], recipe: Recipe) -> str:
    """Return a digest of what the inputs depend on: the recipe, the files, labels and groups."""
    listed = [
        [
            [str(file), file.stat().st_size if file.is_file() else 0, file.stat().st_mtime_ns]
            for file in study.source.files
        ]
        + [study.label, study.group]
        for study in studies
    ]
    text = json.dumps([recipe.preprocessing_id, listed])
    return hashlib.sha256(text.encode()).hexdigest()


def _covered_mm(axes: str, shape: Sequence[int], voxel_mm: Sequence[float]) -> float:
    """Return the length of the field of view from feet to head, whole voxels counted."""
    axis = next(axis for axis, code in enumerate(axes) if code in "SI")
    return float(shape[axis] * voxel_mm[axis])
