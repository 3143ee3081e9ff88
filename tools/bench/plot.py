"""A run as one picture: seven panels, each with what it is compared with."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tools.bench import panels

Results = Mapping[str, Any]

WIDTH, HEIGHT, DOTS = 18, 9.5, 100
"""Inches, and dots an inch: readable in a document and from the back of a room."""

STYLE = {
    "font.size": 9.5,
    "axes.titlesize": 11.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
}

LAYOUT = "EECN;KSRM"

PANELS: Mapping[str, tuple[str, Callable[[Axes, Results], None]]] = {
    "E": ("e2e", panels.end_to_end),
    "C": ("conversion", panels.conversion),
    "N": ("network", panels.network),
    "K": ("clients", panels.clients),
    "S": ("growth", panels.slices),
    "R": ("growth", panels.rows),
    "M": ("memory", panels.memory),
}


def draw(results: Results, file: Path) -> None:
    """Write the picture as PNG; what was not measured is an empty panel that says so."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, HEIGHT), dpi=DOTS, layout="constrained")
        axes = figure.subplot_mosaic(LAYOUT)
        for letter, (section, panel) in PANELS.items():
            if section in results:
                panel(axes[letter], results[section])
            else:
                axes[letter].set_axis_off()
                axes[letter].text(0.5, 0.5, f"{section}: not measured", ha="center")
        machine = results["machine"]
        figure.suptitle(
            f"deepfeatures bench, {machine['date']}: {machine['processor']}, {machine['cores']} "
            "cores; medians, thin lines from the least to the most",
            x=0.01,
            ha="left",
        )
        figure.savefig(file)
