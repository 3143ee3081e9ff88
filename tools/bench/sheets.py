"""The tables of a run: printed, and as Markdown for documents."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

Results = Mapping[str, Any]

NAMES = {
    "http": "Triton, raw HTTP request",
    "memory": "Triton, shared memory",
    "limit": "limit: inflating + arithmetic",
    "direct": "straight to Triton",
    "gateway": "through the gateway",
    "inflate_isal": "all entries inflated, ISA-L",
    "inflate_libdeflate": "all entries inflated, libdeflate",
    "matrix_numpy": "products of matrices, NumPy",
    "matrix_tensorflow": "products of matrices, TensorFlow",
    "thesis_dicom2nifti": "thesis's way, dicom2nifti",
    "thesis_dcm2niix": "thesis's way, dcm2niix",
    "nifti_memory": "ours, in memory",
    "nifti_files": "ours, file to files",
    "dcm2niix": "unzip + dcm2niix",
    "network_ours": "our backend",
    "network_in_triton": "our backend in Triton",
    "network_tensorflow": "TensorFlow",
    "network_onnxruntime": "ONNX Runtime",
    "network_openvino": "OpenVINO",
}


@dataclass(frozen=True)
class Sheet:
    """A table: its first column is text, the others are numbers."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def sheets(results: Results) -> list[Sheet]:
    """Return the tables of the sections that a run has, its targets first."""
    ways: dict[str, Callable[[Results], Iterator[Sheet]]] = {
        "e2e": _end_to_end,
        "gateway": _gateway,
        "conversion": _conversion,
        "network": _network,
        "clients": _clients,
        "growth": _growth,
        "memory": _memory,
    }
    of_sections = (way(results[name]) for name, way in ways.items() if name in results)
    tables = [_targets(results), *(sheet for section in of_sections for sheet in section)]
    missing = [(NAMES.get(what, what), name) for what, name in results["not_measured"].items()]
    if missing:
        tables.append(Sheet("Not measured", ("what", "package that is not installed"), missing))
    return tables


def as_markdown(results: Results) -> str:
    """Return the tables, below a line on what they were measured on."""
    return "\n".join([_measured_on(results), "", *map(_markdown, sheets(results))])


def print_sheets(results: Results, console: Console) -> None:
    """Print the tables."""
    for sheet in sheets(results):
        table = Table(title=sheet.title, box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left")
        for number, column in enumerate(sheet.columns):
            table.add_column(column, justify="right" if number else "left", overflow="fold")
        for row in sheet.rows:
            style = "red" if "not met" in row else ""
            table.add_row(*map(escape, row), style=style)
        console.print(table)


def _markdown(sheet: Sheet) -> str:
    sides = ["---", *["--:"] * (len(sheet.columns) - 1)]
    lines = ["| " + " | ".join(cells) + " |" for cells in (sheet.columns, sides, *sheet.rows)]
    return "\n".join([f"### {sheet.title}", "", *lines, ""])


def _measured_on(results: Results) -> str:
    machine = results["machine"]
    versions = ", ".join(f"{name} {text}" for name, text in machine["versions"].items())
    return (
        f"{machine['date']}, {machine['processor']}, {machine['cores']} cores, "
        f"{machine['memory_gb']} GB, load {machine['load']} at the start. {versions}."
    )


def _targets(results: Results) -> Sheet:
    rows = []
    for target in results["targets"]:
        sign, unit = "≤" if target["at_most"] else "≥", f" {target['unit']}".rstrip()
        rows.append(
            (
                f"{target['section']}: {target['name']}",
                f"{target['measured']:.3g}{unit}",
                f"{sign} {target['bound']:.3g}{unit}",
                "met" if target["met"] else "not met",
            )
        )
    return Sheet("Targets", ("what", "measured", "needed", "verdict"), rows)


def _end_to_end(section: Results) -> Iterator[Sheet]:
    facts = section["limit"]
    title = (
        f"A zip of {section['zip_bytes'] / 1e6:.0f} MB to features; the limit is inflating "
        f"({facts['inflated_by']}) and {facts['gflop']:.1f} GFLOP at {facts['gflop_per_s']:.0f} "
        f"GFLOP/s ({facts['multiplied_by']})"
    )
    yield _times(title, section["timings"])
    stages = section["stages"]
    names = list(dict.fromkeys(stage for way in stages.values() for stage in way))
    rows = [(name, *(_ms(way.get(name, 0)) for way in stages.values())) for name in names]
    rows.append(("total", *(_ms(sum(way.values())) for way in stages.values())))
    columns = ("stage, ms", *(NAMES[way] for way in stages))
    yield Sheet("Where the time of the median request goes", columns, rows)


def _gateway(section: Results) -> Iterator[Sheet]:
    title = f"A zip of {section['zip_bytes'] / 1e6:.0f} MB over HTTP, with and without the gateway"
    yield _times(title, section["timings"])


def _conversion(section: Results) -> Iterator[Sheet]:
    for study, measured in section["studies"].items():
        title = f"{study}, a zip of {measured['zip_bytes'] / 1e6:.0f} MB to NIfTI, uncompressed"
        yield _times(title, measured["timings"], measured["ratios"])


def _network(section: Results) -> Iterator[Sheet]:
    title = f"The network alone; the fastest peer is {NAMES[section['best_peer']]}"
    yield _times(title, section["timings"], section["ratios"])


def _clients(section: Results) -> Iterator[Sheet]:
    rows = [
        (
            number,
            f"{each['studies_per_s']:.2f}",
            f"{each['median_s']:.2f}",
            f"{each['p95_s']:.2f}",
            f"{each['cpu_busy']:.0%}",
            str(each["lost"]),
        )
        for number, each in section["counts"].items()
    ]
    title = (
        f"Clients at once; one study takes {section['latency_s']:.3f} s and "
        f"{section['cpu_s']:.2f} processor seconds, so at most "
        f"{section['possible_per_s']:.2f} a second are possible"
    )
    columns = ("clients", "studies/s", "median s", "95 % s", "processors busy", "lost")
    yield Sheet(title, columns, rows)


def _growth(section: Results) -> Iterator[Sheet]:
    for of in ("slices", "rows"):
        line, sizes = section[of]["line"], section[of]["sizes"]
        rows = [
            (
                str(each["size"]),
                f"{each['zip_bytes'] / 1e6:.0f}",
                _ms(each["timing"]["median_s"]),
                _ms(line["fixed"] + line["each"] * each["size"]),
                *(_ms(each["stages"].get(name, 0)) for name in ("headers", "regions", "volumes")),
                _ms(each["stages"]["network"]),
            )
            for each in sizes
        ]
        title = (
            f"Growth with {of}: {_ms(line['fixed'])} ms + {1000 * line['each']:.2f} ms each, "
            f"R² {line['r_squared']:.4f}, at most {line['largest_deviation']:.0%} off the line"
        )
        columns = (of, "zip MB", "ms", "line ms", "headers", "regions", "volumes", "network")
        yield Sheet(title, columns, rows)


def _memory(section: Results) -> Iterator[Sheet]:
    rows = [
        (
            NAMES[way],
            *(f"{each[f'{when}_bytes'] / 1e9:.2f}" for when in ("before", "peak", "after")),
        )
        for way, each in section["one"].items()
    ]
    title = f"Memory of all processes, GB, one zip of {section['zip_bytes'] / 1e6:.0f} MB"
    yield Sheet(title, ("way", "before", "peak", f"{section['pause_seconds']} s after"), rows)


def _times(title: str, timings: Results, ratios: Results | None = None) -> Sheet:
    ratios = ratios or {}
    rows = [
        (
            NAMES.get(name, name),
            *(_ms(timing[f"{which}_s"]) for which in ("median", "min", "max")),
            str(timing["rounds"]),
            *((f"{ratios[name]:.2f}" if name in ratios else "–",) if ratios else ()),
        )
        for name, timing in timings.items()
    ]
    last = ("ratio",) if ratios else ()
    return Sheet(title, ("what, ms", "median", "least", "most", "rounds", *last), rows)


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.1f}" if seconds < 0.1 else f"{1000 * seconds:.0f}"
