"""The ICC of all features by perturbation, as one picture."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tools.stability.lines import EXCELLENT, GOOD, Line

WIDTH, ROW_HEIGHT, DOTS = 8, 0.45, 120
"""Inches, inches a perturbation, and dots an inch."""


def draw(lines: Sequence[Line], file: Path) -> None:
    """Write a panel for each group as PNG: quartiles of ICC(1,1) over the features.

    The lines end at 5 and 95 %. lines: those that have an agreement, one or more.
    """
    groups: dict[str, list[Line]] = {}
    for line in lines:
        groups.setdefault(line.group, []).append(line)
    heights = [len(some) for some in groups.values()]
    size = (WIDTH, ROW_HEIGHT * sum(heights) + 1.2 * len(groups))
    figure = Figure(figsize=size, dpi=DOTS, layout="constrained")
    panels = figure.subplots(len(groups), squeeze=False, height_ratios=heights, sharex=True)
    for axes, (group, some) in zip(panels[:, 0], groups.items(), strict=True):
        _panel(axes, group, some)
    panels[-1, 0].set_xlabel("ICC(1,1) of the features; dotted: 0.75 and 0.9")
    figure.savefig(file)


def _panel(axes: Axes, group: str, lines: Sequence[Line]) -> None:
    values = [line.agreement.icc for line in lines if line.agreement is not None]
    defined = [each[~np.isnan(each)] for each in values]
    labels = [line.kind for line in lines]
    axes.boxplot(
        defined, orientation="horizontal", tick_labels=labels, whis=(5, 95), showfliers=False
    )
    for limit in (GOOD, EXCELLENT):
        axes.axvline(limit, color="grey", linestyle=":", linewidth=1)
    subjects, studies = lines[0].measured.shape[0], lines[0].studies
    axes.set_title(f"{group}: {subjects} rows of {studies} studies", loc="left", fontsize=10)
    axes.invert_yaxis()
