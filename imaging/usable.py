"""The volumes that a feature model can be given, and the one series of several that it is given."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from imaging.choice import ALL, ASKED, Candidate, choose
from imaging.errors import InputError
from imaging.geometry import Grid, untilted
from imaging.mr_maps import map_kind
from imaging.options import Options
from imaging.quantities import Quantity, network_quantity, stored_quantity
from imaging.recipe import Recipe
from imaging.regions import Drawings, referenced_series
from imaging.report import Report
from imaging.series import Series, is_image
from imaging.stacks.contrasts import refuse_unsuited
from imaging.stacks.split import Stack
from imaging.study import Study
from imaging.study_volumes import readable_grid, stacks_in
from imaging.window_parameters import STORED_PT
from imaging.windows import Window


@dataclass(frozen=True)
class Usable:
    """A volume that the model has a window for, with what its numbers mean."""

    stack: Stack
    grid: Grid
    quantity: Quantity
    window: Window


def usable_volumes(
    study: Study, recipe: Recipe, options: Options, report: Report
) -> tuple[Usable, ...]:
    """Return all volumes that could be rows; why others could not is noted in the report."""
    found: list[Usable] = []
    for stack in stacks_in(study, options, report):
        with report.skipping(stack.part, stack.name), report.timed("volumes"):
            grid = upright_grid(stack, options)
            window = _window(stack, recipe, options)
            quantity = quantity_of(stack, grid, options)
            _refuse_other_unit(window, quantity)
            found.append(Usable(stack, grid, quantity, window))
    return tuple(found)


def chosen(
    usable: Sequence[Usable],
    study: Study,
    drawings: Drawings,
    *,
    recipe: Recipe,
    options: Options,
    report: Report,
) -> Iterator[tuple[Usable, str]]:
    """Yield the volumes that become rows, each with why its series was taken.

    Series that are named in the options, or all, are taken as they are. Else one for each modality
    of a study: a tie is refused, and what is not taken is noted in the report.
    """
    if options.series or options.every_series:
        reason = ASKED if options.series else ALL
        yield from ((volume, reason) for volume in usable)
        return
    images = [series for series in study.series if is_image(series)]
    choice = choose(
        [_candidate(series, usable) for series in images],
        referenced_series(drawings, options.roi),
        recipe.series_rule,
    )
    for volume in usable:
        number = next(n for n, series in enumerate(images) if series is volume.stack.series)
        if number in choice.taken:
            yield volume, choice.taken[number]
        else:
            with report.skipping(volume.stack.part, volume.stack.name):
                raise InputError("not_chosen", choice.others[number])


def _candidate(series: Series, usable: Sequence[Usable]) -> Candidate:
    grids = (volume.grid for volume in usable if volume.stack.series is series)
    return candidate_of(series, next(grids, None))


def candidate_of(series: Series, grid: Grid | None) -> Candidate:
    """Return a series as the choice looks at it; grid: of its first usable volume, if any."""
    if grid is None:
        return Candidate(series, None)
    return Candidate(series, grid.slices[len(grid.slices) // 2], grid.slice_mm)


def upright_grid(stack: Stack, options: Options) -> Grid:
    """Return where a volume is sampled for a network, if its pixels can be read."""
    return untilted(readable_grid(stack, options))


def quantity_of(stack: Stack, grid: Grid, options: Options) -> Quantity:
    """Return what a network is given of a volume; refuses PET without what SUV needs."""
    modality = stack.series.modality
    if options.pt_unit == "stored":
        return stored_quantity(modality, grid.slices)
    return network_quantity(modality, grid.slices)


def _window(stack: Stack, recipe: Recipe, options: Options) -> Window:
    """Return the model's window for the series' modality; untrained modalities must be allowed.

    Refuses MR that shows no magnitude: its numbers are none that networks are trained on. Maps of
    ADC, T1 and T2 have windows of their own.
    """
    modality = stack.series.modality
    if modality not in recipe.training.modalities and "untrained_modality" not in options.allow:
        trained = ", ".join(sorted(recipe.training.modalities))
        raise InputError(
            "untrained_modality",
            f"the model was made for {trained}, this is {modality}; "
            "allow=untrained_modality gives rows that say so",
        )
    if modality == "MR":
        refuse_unsuited(stack.slices[0], options.allow)
    kind = _window_kind(stack, options)
    if kind not in recipe.windows:
        raise InputError("no_window", f"the model has no intensity window for {kind}")
    return recipe.windows[kind]


def _window_kind(stack: Stack, options: Options) -> str:
    modality = stack.series.modality
    if modality == "PT" and options.pt_unit == "stored":
        return STORED_PT
    kind = map_kind(stack.slices[0]) if modality == "MR" else ""
    return f"{modality}_{kind}" if kind else modality


def _refuse_other_unit(window: Window, quantity: Quantity) -> None:
    if not window.is_relative and window.unit != quantity.unit:
        raise InputError(
            "no_window", f"the model's window is in {window.unit}, the image in {quantity.unit}"
        )
