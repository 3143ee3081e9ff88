"""The panels of the picture: ours blue, peers grey, limits and bounds dark."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes

from tools.bench.sheets import NAMES
from tools.bench.targets import ALWAYS_BYTES, MEMORY_BOUNDS

Results = Mapping[str, Any]

OURS, OURS_TOO, PEER, LIMIT = "#1f6fb4", "#7db7e8", "#b3b3b3", "#333333"

STAGES = {
    "transport": "#9ecae1",
    "headers": "#7fbf7b",
    "regions": "#c7b8e0",
    "volumes": "#4292c6",
    "previews": "#e7d36f",
    "tensors": "#c9c9c9",
    "network": "#e6873c",
    "rest": "#eeeeee",
}
"""Colours of the stages; the limit's two parts have those of what they bound."""

SMALL = 8


def end_to_end(axes: Axes, section: Results) -> None:
    """Draw both ways by stage, above the limit; the thesis's way is too long to draw."""
    limit, timings = section["limit"], section["timings"]
    bars = {
        "Triton,\nHTTP": section["stages"]["http"],
        "Triton,\nshared memory": section["stages"]["memory"],
        "limit": {"volumes": limit["inflate"]["median_s"], "network": limit["network"]["median_s"]},
    }
    named: set[str] = set()
    for place, stages in enumerate(bars.values()):
        left = 0.0
        for stage, seconds in stages.items():
            label = "_" if stage in named or seconds < 0.0005 else stage
            axes.barh(place, 1000 * seconds, left=left, color=STAGES.get(stage, PEER), label=label)
            named |= {label}
            if 1000 * seconds > 12:
                axes.text(left + 500 * seconds, place, f"{1000 * seconds:.0f}", **_CENTRED)
            left += 1000 * seconds
        axes.text(left, place, f"  {left:.0f} ms", va="center", weight="bold")
    axes.set_yticks(range(len(bars)), list(bars))
    axes.invert_yaxis()
    axes.set_xlabel("ms; the stages of the median request")
    axes.margins(x=0.12)
    axes.set_title(f"A CT of {section['zip_bytes'] / 1e6:.0f} MB to features")
    axes.legend(ncols=8, loc="lower left", bbox_to_anchor=(0, -0.27), handlelength=1)
    facts = (
        f"limit: all entries inflated by {limit['inflated_by']},\n"
        f"{limit['gflop']:.1f} GFLOP at {limit['gflop_per_s']:.0f} GFLOP/s"
    )
    beside = "\n".join([facts, *_thesis(timings, section["ratios"])])
    axes.text(0.995, 0.03, beside, ha="right", size=SMALL, transform=axes.transAxes)


def conversion(axes: Axes, section: Results) -> None:
    """Draw a group of bars for each study."""
    ways = {"nifti_memory": OURS, "nifti_files": OURS_TOO, "dcm2niix": PEER}
    for number, (way, colour) in enumerate(ways.items()):
        for place, study in enumerate(section["studies"].values()):
            if way not in study["timings"]:
                continue
            x = place + 0.27 * (number - 1)
            ms = 1000 * study["timings"][way]["median_s"]
            axes.bar(x, ms, 0.25, color=colour, label="_" if place else NAMES[way])
            _errors(axes, x, study["timings"][way], upright=True)
            top = 1000 * study["timings"][way]["max_s"]
            axes.text(x, top, f"{ms:.0f}", ha="center", va="bottom", size=SMALL)
    axes.set_xticks(range(len(section["studies"])), list(section["studies"]))
    axes.set_ylabel("ms")
    axes.margins(y=0.15)
    axes.legend()
    axes.set_title("Zip to NIfTI, uncompressed")


def network(axes: Axes, section: Results) -> None:
    """Draw a bar for each engine, the fastest below."""
    timings = sorted(section["timings"].items(), key=lambda each: -each[1]["median_s"])
    for place, (name, timing) in enumerate(timings):
        ours = name in ("network_ours", "network_in_triton")
        ms = 1000 * timing["median_s"]
        axes.barh(place, ms, color=OURS if ours else PEER)
        _errors(axes, place, timing, upright=False)
        axes.text(ms / 2, place, f"{ms:.0f}", **_CENTRED, color="white" if ours else "black")
    labels = [NAMES[name].replace(" in Triton", "\nin Triton") for name, _ in timings]
    axes.set_yticks(range(len(labels)), labels)
    longest = max(timing["median_s"] for _, timing in timings)
    most = max(timing["max_s"] for _, timing in timings)
    axes.set_xlim(
        0, 1050 * min(most, 1.5 * longest)
    )  # a single slow turn does not squeeze the bars
    axes.set_xlabel("ms a volume")
    axes.set_title("The network alone")


def clients(axes: Axes, section: Results) -> None:
    """Draw the throughput by clients, below what the processors could do at most."""
    counts = section["counts"]
    places = range(len(counts))
    rates = [each["studies_per_s"] for each in counts.values()]
    possible = section["possible_per_s"]
    for part, dashes, what in ((1, "--", "all processors, always"), (0.9, ":", "needed")):
        axes.axhline(part * possible, color=LIMIT, ls=dashes, lw=1.1)
        axes.annotate(what, (0, part * possible), (-20, 2), size=SMALL, **_POINTS)
    axes.plot(places, rates, "o-", color=OURS)
    for place, each in zip(places, counts.values(), strict=True):
        text = f"{each['studies_per_s']:.2f}\n{each['cpu_busy']:.0%} busy"
        axes.annotate(text, (place, each["studies_per_s"]), (0, -8), **_BELOW)
    labels = [f"{name}\n{each['p95_s']:.2f} s" for name, each in counts.items()]
    axes.set_xticks(places, labels)
    axes.set_xlabel("clients at once; 95 % of answers within")
    axes.set_ylabel("studies a second")
    axes.set_ylim(0, 1.15 * section["possible_per_s"])
    axes.margins(x=0.15)
    axes.set_title("Throughput")


def slices(axes: Axes, section: Results) -> None:
    """Draw the time by the slices of a CT."""
    _growth(axes, section["slices"], "slices")
    axes.set_title("Growth with slices")


def rows(axes: Axes, section: Results) -> None:
    """Draw the time by the rows: regions of interest on one CT."""
    _growth(axes, section["rows"], "rows, a region of interest each")
    axes.set_title("Growth with rows")


def memory(axes: Axes, section: Results) -> None:
    """Draw the memory while the largest zip is worked on, and the bounds."""
    longest = max(max(each["samples"]["seconds"]) for each in section["one"].values())
    for way, colour in (("http", OURS_TOO), ("memory", OURS)):
        each = section["one"][way]
        seconds, values = each["samples"]["seconds"], each["samples"]["bytes"]
        axes.plot(seconds, _gigabytes(values), color=colour, lw=1.8, label=NAMES[way])
        bound = MEMORY_BOUNDS[way] * section["zip_bytes"] + ALWAYS_BYTES
        axes.axhline(bound / 1e9, color=colour, ls="--", lw=1.2)
        axes.annotate("at most", (0, bound / 1e9), (2, 2), size=SMALL, **_POINTS)
        axes.plot(1.12 * longest, each["after_bytes"] / 1e9, "o", color=colour)
    axes.annotate(
        f"{section['pause_seconds']:.0f} s\nlater", (1.12 * longest, 0), (0, 4), **_POINTS | _MIDDLE
    )
    row = section["in_a_row"]
    number = len(row["bytes_after"])
    grown = f"{row['growth']:+.1%} after the {row['settled_after']}th"
    axes.set_xlabel(f"s; {number} small studies in a row:\n{grown}")
    axes.set_ylabel("GB, all processes")
    axes.set_ylim(bottom=0)
    axes.legend(loc="lower left")
    axes.set_title(f"Memory, one zip of {section['zip_bytes'] / 1e6:.0f} MB")


_CENTRED: dict[str, Any] = {"ha": "center", "va": "center", "size": SMALL}
_POINTS: dict[str, Any] = {"textcoords": "offset points"}
_MIDDLE: dict[str, Any] = {"ha": "center", "size": SMALL}
_BELOW: dict[str, Any] = {"va": "top"} | _POINTS | _MIDDLE


def _growth(axes: Axes, grown: Results, of: str) -> None:
    line, sizes = grown["line"], grown["sizes"]
    x = [each["size"] for each in sizes]
    ends = [0, max(x)]
    axes.plot(
        ends,
        [1000 * (line["fixed"] + line["each"] * end) for end in ends],
        color=LIMIT,
        ls="--",
        lw=1.2,
        label=f"line: {1000 * line['fixed']:.0f} ms + {1000 * line['each']:.2f} ms each\n"
        f"R² {line['r_squared']:.3f}, at most {line['largest_deviation']:.0%} off",
    )
    axes.plot(x, _ms_of(sizes), "o", color=OURS, label="request")
    for stage in ("network", "volumes", "headers", "transport"):
        stages = [1000 * each["stages"].get(stage, 0) for each in sizes]
        axes.plot(x, stages, ".-", color=STAGES[stage], lw=1, ms=4, label=stage)
    axes.set_xlabel(of)
    axes.set_ylabel("ms")
    axes.set_ylim(bottom=0)
    axes.legend(loc="upper left")


def _errors(axes: Axes, place: float, timing: Results, *, upright: bool) -> None:
    """Draw from the least to the most."""
    ends = [1000 * timing["min_s"], 1000 * timing["max_s"]]
    here: Sequence[Any] = [place, place]
    axes.plot(*((here, ends) if upright else (ends, here)), color=LIMIT, lw=0.9)


def _thesis(timings: Results, ratios: Results) -> list[str]:
    return [
        f"{NAMES[peer]}: {timings[peer]['median_s']:.1f} s, {ratios[f'{peer}_to_http']:.0f} × HTTP"
        for peer in ("thesis_dicom2nifti", "thesis_dcm2niix")
        if peer in timings
    ]


def _ms_of(sizes: Sequence[Results]) -> list[float]:
    return [1000 * each["timing"]["median_s"] for each in sizes]


def _gigabytes(values: Sequence[float]) -> list[float]:
    return [each / 1e9 for each in values]
