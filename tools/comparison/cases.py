"""One case: a zip's conversion next to its references, and everything there is to say of it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imaging.errors import InputError
from imaging.options import Options
from tools.comparison.conversion import Conversion, Ours
from tools.comparison.differences import Difference, difference, same_grid
from tools.comparison.images import Image
from tools.comparison.pairing import Pairing, holds_centre, paired, part_of, take
from tools.comparison.references import Reference, ReferenceUnreadableError, references_in
from tools.comparison.verdicts import BY_RULE, NATURES, Finding, in_words, of_pair, of_values

RESAMPLED = {
    "TILT_SHEARED": "sheared upright",
    "GAPS_INTERPOLATED": "on steps of its own",
}
"""What others make in addition of slices that these quality codes are about."""


@dataclass
class Case:
    """What came of one zip.

    ours, reference: how many volumes there are.
    differences: of the pairs.
    seconds: for our conversion; None where there was none.
    """

    name: str
    ours: int = 0
    reference: int = 0
    differences: list[Difference] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    seconds: float | None = None

    @property
    def is_fine(self) -> bool:
        """Whether everything is equal, or differs on purpose."""
        return all(finding.is_fine for finding in self.findings)

    @property
    def largest(self) -> float | None:
        """The largest difference of a voxel, None if none was measured."""
        return max((d.largest for d in self.differences if d.largest is not None), default=None)

    @property
    def affine_mm(self) -> float | None:
        """The largest difference of an entry of an affine."""
        return max((d.affine_mm for d in self.differences), default=None)

    def as_row(self) -> dict[str, Any]:
        """Return the case as the table has it."""
        return {
            "case": self.name,
            "volumes_ours": self.ours,
            "volumes_reference": self.reference,
            "max_voxel_difference": self.largest,
            "max_affine_difference_mm": self.affine_mm,
            "verdict": in_words(self.findings),
            "is_fine": self.is_fine,
            "seconds": None if self.seconds is None else round(self.seconds, 3),
        }


def compare_case(file: Path, folder: Path, *, options: Options) -> Case:
    """Return how the conversion of a zip differs from the references in a folder.

    What cannot be read, or is refused, is a finding like others.
    """
    case = Case(file.stem)
    if not folder.is_dir():
        case.findings.append(Finding("no reference of this name", is_fine=False))
        return case
    try:
        references = references_in(folder)
        case.reference = len(references)
        conversion = Conversion.of(memoryview(file.read_bytes()), options)
    except ReferenceUnreadableError as error:
        case.findings.append(Finding(str(error), is_fine=False))
    except OSError as error:
        case.findings.append(Finding(f"zip cannot be read ({error.strerror})", is_fine=False))
    except InputError as error:
        case.findings += _refused(error.code, references)
    else:
        _compare(case, conversion, references)
    return case


def _compare(case: Case, conversion: Conversion, references: Iterable[Reference]) -> None:
    case.ours, case.seconds = len(conversion.volumes), conversion.seconds
    pairing = paired(conversion, references)
    case.differences = [pair.difference for pair in pairing.pairs]
    case.findings += [of_pair(pair, conversion) for pair in pairing.pairs]
    case.findings += [_without_partner(ours, conversion, pairing) for ours in pairing.ours]
    case.findings += _left_over(pairing.references, conversion)


def _refused(code: str, references: Iterable[Reference]) -> Iterator[Finding]:
    natures = [NATURES.get(each.nature, "") for each in references]
    yield Finding(f"refused: {code}", code in BY_RULE or (bool(natures) and all(natures)))
    yield from (Finding(nature) for nature in natures if nature)


def _without_partner(ours: Ours, conversion: Conversion, pairing: Pairing) -> Finding:
    """Return what is to say of a volume of ours that equals none: its slices may, as acquired."""
    if "GAPS_INTERPOLATED" in ours.codes:
        acquired = conversion.as_acquired(ours)
        if take(pairing, lambda image: _has_voxels_of(acquired, image)):
            tilt = ", sheared by the tilt" if "TILT_SHEARED" in ours.codes else ""
            count = acquired.shape[ours.slices_axis]
            return Finding(f"gaps: ours is on even steps{tilt}; its {count} slices are equal")
    return Finding("ours is not in the reference", is_fine=False)


def _has_voxels_of(acquired: Image, image: Image) -> bool:
    return acquired.shape == image.shape and difference(acquired, image).is_equal


def _left_over(references: Iterable[Reference], conversion: Conversion) -> Iterator[Finding]:
    """Yield what is to say of each reference that no volume of ours is."""
    codes = {each["code"] for each in conversion.report["series"] if each["image"]}
    refused = ", ".join(sorted(codes & BY_RULE))
    for reference in references:
        known = _known(reference, conversion.volumes)
        if known or not refused:
            yield known or Finding("reference has a volume that ours has not", is_fine=False)
        else:
            yield Finding(f"refused: {refused}")


def _known(reference: Reference, volumes: Iterable[Ours]) -> Finding | None:
    """Return why we have no such volume: it is none, a copy, a part, or resampled."""
    image = reference.image
    if image is None or reference.nature:
        return Finding(NATURES[reference.nature])
    for ours in volumes:
        if same_grid(ours.image, image) and difference(ours.image, image).is_equal:
            return Finding("equal")
        if part := part_of(ours.image, image):
            values = of_values(ours, difference(part, image))
            return Finding(f"reference also has a part, {values.words}", values.is_fine)
        if holds_centre(ours.image, image) and (codes := RESAMPLED.keys() & ours.codes):
            how = ", ".join(RESAMPLED[code] for code in RESAMPLED if code in codes)
            return Finding(f"reference also has the slices {how}")
    return None
