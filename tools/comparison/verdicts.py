"""What a difference means, in words, and whether it is one that is made on purpose.

docs/conversion.md, "Next to dcm2niix", has the reasons. What is said here is measured on the data,
or told by our rows and report; nothing depends on what a case is called.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.comparison.conversion import Conversion, Ours
from tools.comparison.differences import AFFINE_MM, SCALED, Difference, Scaling
from tools.comparison.images import Image
from tools.comparison.pairing import Pair

LOSSY_VALUES = 1
"""Decoders of JPEG may round differently."""

NATURES = {
    "colour": "reference has a colour image",
    "segmentation": "reference has a segmentation as an image",
    "slice": "reference has a single slice, no volume",
}
"""What is converted by others, and no volume of grey values."""

BY_RULE = {
    "gantry_tilt",
    "incomplete_stack",
    "mixed_geometry",
    "same_position",
    "uneven_spacing",
    "unsupported_object",
    "unsupported_pixels",
}
"""Refusals of series that are whole, but that one affine or one grey value a voxel cannot hold.

Others say that the input is broken: another converter that reads it knows better.
"""


@dataclass(frozen=True)
class Finding:
    """One thing to say of a case; is_fine: it is equal, or differs on purpose."""

    words: str
    is_fine: bool = True


def in_words(findings: Iterable[Finding]) -> str:
    """Return the findings as one line; the same ones are counted."""
    counts = Counter(finding.words for finding in findings)
    if len(counts) == 1:
        return next(iter(counts))
    return "; ".join(
        f"{count} volumes: {words}" if count > 1 else words for words, count in counts.items()
    )


def of_pair(pair: Pair, conversion: Conversion) -> Finding:
    """Return what is to say of two volumes."""
    values = of_values(pair.ours, pair.difference)
    words = [values.words]
    if times := len(pair.ours.members) - 1:
        words.append(f"{times + 1} time points in files of their own")
    if pair.difference.is_same_place or pair.reference.image is None:
        return Finding(", ".join(words), values.is_fine)
    place = _of_place(pair.ours, pair.reference.image, conversion)
    return Finding(", ".join([*words, place.words]), values.is_fine and place.is_fine)


def of_values(ours: Ours, apart: Difference) -> Finding:
    """Return what is to say of the voxels."""
    if apart.is_equal:
        how = "" if apart.by == "voxels" else f" (by {apart.by})"
        return Finding(("equal" if apart.largest == 0 else "equal to 1e-6") + how)
    if apart.scaling:
        return _of_scaling(ours, apart.scaling)
    if "LOSSY" in ours.codes and apart.largest is not None and apart.largest <= LOSSY_VALUES:
        return Finding("within 1 (lossy)")
    if apart.largest is None:
        return Finding(f"differs by its {apart.by}", is_fine=False)
    return Finding(
        f"differs in {apart.differing} of {apart.voxels} voxels by up to {apart.largest:.4g}",
        is_fine=False,
    )


def _of_scaling(ours: Ours, scaling: Scaling) -> Finding:
    # Hounsfield units are a scale of their own; MR signals and units of PET are not.
    is_fine = ours.label["unit"] != "HU" and scaling.factor > 0
    words = f"other scaling: x {scaling.factor:.6g}"
    reference_range = abs(scaling.factor) * float(np.ptp(np.asarray(ours.image.values)))
    if abs(scaling.offset) > SCALED * reference_range:
        words += f" {scaling.offset:+.4g}"
    return Finding(words, is_fine)


def _of_place(ours: Ours, reference: Image, conversion: Conversion) -> Finding:
    """Return why affines differ.

    ImagePositionPatient of all slices is what is right: by it, steps that are rounded or shortened
    by a tilt are told from ours that are wrong. The one slice that all steps start from must agree.
    """
    apart = np.abs(ours.image.affine - reference.affine)
    in_plane = [axis for axis in range(3) if axis != ours.slices_axis]
    if apart[:, in_plane].max() <= AFFINE_MM:
        stated_mm = conversion.stated_positions_mm(ours)
        ours_mm = _off_mm(ours, ours.image, stated_mm)
        reference_mm = _off_mm(ours, reference, stated_mm)
        starts_right = min(reference_mm[0], reference_mm[-1]) <= AFFINE_MM
        if starts_right and ours_mm.mean() < reference_mm.mean():
            tilted = "tilted: " if "TILT_SHEARED" in ours.codes else ""
            return Finding(
                f"{tilted}slices {1000 * ours_mm.mean():.3f} µm from their stated positions, the "
                f"reference's {1000 * reference_mm.mean():.3f} µm"
            )
    return Finding(f"differs in place by up to {apart.max():.4g} mm", is_fine=False)


def _off_mm(ours: Ours, image: Image, stated_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far each slice lies from its stated position by the affine of an image."""
    positions_mm = ours.slice_positions_mm(len(stated_mm), image.affine)
    distances: NDArray[np.float64] = np.linalg.norm(positions_mm - stated_mm, axis=1)
    return distances
