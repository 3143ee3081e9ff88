"""The image series of a zip, for a person who chooses among them: what each is, and the default."""

from dataclasses import dataclass
from typing import Any

import nibabel as nib

from imaging.acquisition import acquisition
from imaging.archive import Limits
from imaging.choice import UNUSABLE, Standing, standings
from imaging.geometry import Grid
from imaging.options import Options
from imaging.regions import drawings_in, referenced_series
from imaging.report import Report
from imaging.series import Series, is_image
from imaging.stacks.contrasts import refuse_unsuited
from imaging.stacks.split import Stack
from imaging.study import Study
from imaging.study_volumes import read_study, stacks_in
from imaging.thumbnail import thumbnail_png
from imaging.usable import candidate_of, quantity_of, upright_grid


@dataclass(frozen=True)
class Shown:
    """The first volume of a series that can be used. thumbnail: a base64 PNG."""

    stack: Stack
    grid: Grid
    thumbnail: str


def series_candidates(
    buffer: memoryview, options: Options, limits: Limits
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return what each image series of a zip is and whether it would be taken, and the report.

    One plane of each series is decoded. Raises InputError if the zip cannot be read, or no series
    can be used; a tie is told, not refused.
    """
    report = Report()
    study = read_study(buffer, options, limits, report)
    with report.timed("regions"):
        referenced = referenced_series(drawings_in(study.series, limits), options.roi)
    shown = _shown(study, options, report)
    images = [series for series in study.series if is_image(series)]
    firsts = [shown.get(id(series)) for series in images]
    candidates = [
        candidate_of(series, first.grid if first else None)
        for series, first in zip(images, firsts, strict=True)
    ]
    found = standings(candidates, referenced, options.candidates or ())
    labels = [
        _label(series, firsts[number], found[number])
        | {"referenced": series.series_uid in referenced}
        | _why_not(series, found[number], report)
        for number, series in enumerate(images)
    ]
    return labels, report.finished(study)


def _shown(study: Study, options: Options, report: Report) -> dict[int, Shown]:
    """Return the first usable volume of each series, by the series' id."""
    shown: dict[int, Shown] = {}
    for stack in stacks_in(study, options, report):
        with report.outcome(stack.part, stack.name):
            grid = upright_grid(stack, options)
            if stack.series.modality == "MR":
                refuse_unsuited(stack.slices[0], options.allow)
            quantity = quantity_of(stack, grid, options)
            if id(stack.series) not in shown:
                with report.timed("previews"):
                    shown[id(stack.series)] = Shown(stack, grid, thumbnail_png(grid, quantity))
    return shown


def _label(series: Series, first: Shown | None, standing: Standing) -> dict[str, Any]:
    """Return what tells a series from others: attributes of the list of acquisition alone."""
    label: dict[str, Any] = {
        "study_uid": series.study_uid,
        "series_uid": series.series_uid,
        "modality": series.modality,
        "instances": len(series.instances),
        "standing": standing.word,
        "decided_by": standing.decided_by,
        "thumbnail": first.thumbnail if first else "",
    }
    if first is None:
        return label
    grid = first.grid
    return label | {
        "volumes": first.stack.count,
        "shape": list(grid.shape),
        "voxel_mm": [round(float(length), 6) for length in grid.spacing_mm],
        "acquired_orientation": "".join(nib.aff2axcodes(grid.affine)),
        "acquisition": acquisition(series.modality, grid.slices),
    }


def _why_not(series: Series, standing: Standing, report: Report) -> dict[str, Any]:
    """Return why a series is not taken: that it cannot be used, or by what another comes first."""
    if standing.word != UNUSABLE:
        return {"code": "", "reason": standing.reason}
    own = (series.study_uid, series.series_uid)
    refused = next(
        each
        for each in report.outcomes
        if (each["study_uid"], each["series_uid"]) == own and each["status"] == "skipped"
    )
    return {"code": refused["code"], "reason": refused["reason"]}
