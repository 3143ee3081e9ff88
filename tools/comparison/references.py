"""What another converter made of a study: NIfTI files, or a manifest that describes them."""

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError

from tools.comparison.differences import same_grid
from tools.comparison.images import Fingerprint, Image

MANIFEST, MASKS = "manifest.json", "masks.json"
HASH = "sha256_canonical_ras_values_int32_c_order"
TRUTH = "truth_"

UNREADABLE = (ImageFileError, OSError, EOFError, zlib.error, ValueError, KeyError, TypeError)
"""What nibabel, gzip and json raise for damaged files, and we for manifests of another kind."""


class ReferenceUnreadableError(ValueError):
    """A reference is there, but damaged; the text names no file: names may hold patients' names."""


@dataclass(frozen=True)
class Reference:
    """A volume of the reference.

    nature: "colour", "segmentation" or "slice" where it is no volume of grey values, else "".
    image: None for colour.
    """

    nature: str
    image: Image | None


def references_in(folder: Path) -> list[Reference]:
    """Return the volumes that a folder of references has, without its masks.

    A file named truth_… stands instead of others of its shape and place. Volumes that only the
    manifest knows come with their fingerprint.
    """
    try:
        masks = _mask_names(_json(folder / MASKS))
        files = [file for file in sorted(folder.glob("*.nii.gz")) if not _is_mask(file, masks)]
        truths = [_of_file(file) for file in files if file.name.startswith(TRUTH)]
        others = [_of_file(file) for file in files if not file.name.startswith(TRUTH)]
        others += _of_manifest(folder, {file.name for file in files} | masks)
    except UNREADABLE as error:
        raise ReferenceUnreadableError(
            f"reference cannot be read ({type(error).__name__})"
        ) from error
    return truths + [each for each in others if not any(_same_grid(each, t) for t in truths)]


def _json(file: Path) -> dict[str, Any]:
    found = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    if not isinstance(found, dict):
        raise TypeError(found)
    return found


def _mask_names(masks: dict[str, Any]) -> set[str]:
    """Return the files that masks.json names, as keys or in their descriptions."""
    files = {str(each["file"]) for each in masks.values() if "file" in each}
    return files | set(masks)


def _is_mask(file: Path, named: set[str]) -> bool:
    return "mask" in file.name or file.name.startswith("generated_") or file.name in named


def _of_file(file: Path) -> Reference:
    nifti = nib.Nifti1Image.from_filename(file)
    if nifti.get_data_dtype().fields:
        return Reference("colour", None)
    image = Image.of_nifti(nifti)
    return Reference(_nature(image.shape, file), image)


def _of_manifest(folder: Path, present: set[str]) -> Iterator[Reference]:
    for volume in _json(folder / MANIFEST).get("volumes", []):
        if volume["file"] in present:
            continue
        if "canonical_ras_affine" not in volume:  # as of colour
            yield Reference("colour", None)
            continue
        statistics = (float(volume["min"]), float(volume["max"]), float(volume["mean"]))
        image = Image(
            tuple(volume["canonical_ras_shape"]),
            np.array(volume["canonical_ras_affine"], float),
            fingerprint=Fingerprint(volume.get(HASH, ""), statistics),
        )
        yield Reference(_nature(image.shape, folder / volume["file"]), image)


def _nature(shape: tuple[int, ...], file: Path) -> str:
    """Return what a volume is by its shape and the sidecar that dcm2niix writes beside the file."""
    sidecar = _json(file.with_name(file.name.removesuffix(".nii.gz") + ".json"))
    if sidecar.get("Modality") == "SEG":
        return "segmentation"
    return "slice" if 1 in shape[:3] else ""


def _same_grid(one: Reference, other: Reference) -> bool:
    return bool(one.image and other.image and same_grid(one.image, other.image))
