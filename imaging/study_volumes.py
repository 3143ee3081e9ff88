"""The volumes in a study: its image series parted into stacks, each on its grid."""

from collections.abc import Iterator

from imaging.archive import Limits
from imaging.errors import InputError, shown_uid
from imaging.geometry import Grid, grid_of
from imaging.options import Options
from imaging.report import Report
from imaging.series import (
    REGIONS,
    Series,
    is_image,
    refuse_pixels,
    refuse_unreadable,
    without_copies,
)
from imaging.stacks.objects import slices_of
from imaging.stacks.split import Stack, stacks_of
from imaging.study import Study


def read_study(buffer: memoryview, options: Options, limits: Limits, report: Report) -> Study:
    """Return the study in the zip; refuse it if a series that is wanted is not there."""
    with report.timed("headers"):
        study = Study.from_zip(buffer, limits)
    images = [series.series_uid for series in study.series if is_image(series)]
    if unknown := options.series.difference(images):
        raise InputError(
            "unknown_series",
            f"the zip has no image series of {len(unknown)} of the UIDs asked for; "
            f"it has {', '.join(dict.fromkeys(map(shown_uid, images)))}",
        )
    return study


def stacks_in(study: Study, options: Options, report: Report) -> Iterator[Stack]:
    """Yield the volumes of all series that are wanted; what is none is noted in the report."""
    for series in study.series:
        if series.sop_class in REGIONS:
            report.regions_source(series)
            continue
        stacks: tuple[Stack, ...] = ()
        with report.skipping(series):
            stacks = _stacks(series, options, report)
        yield from stacks


def _stacks(series: Series, options: Options, report: Report) -> tuple[Stack, ...]:
    if options.series and series.series_uid not in options.series:
        raise InputError("not_chosen", "another series was asked for")
    refuse_unreadable(series)
    instances = without_copies(series.instances)
    if copies := len(series.instances) - len(instances):
        report.warn("copies_left_out", series, copies)
    if not (series.study_uid and series.series_uid):
        report.warn("uids_absent", series, len(instances))
    with report.timed("volumes"):
        return stacks_of(series, slices_of(instances))


def readable_grid(stack: Stack, options: Options) -> Grid:
    """Return where the slices of a stack lie, if their pixels can be read."""
    refuse_pixels(stack.objects)
    if stack.lacking:
        raise InputError(
            "incomplete_stack",
            f"it has {len(stack.slices)} of the {len(stack.slices) + stack.lacking} slices "
            "of the other time points",
        )
    return grid_of(stack.slices, lenient=options.lenient)
