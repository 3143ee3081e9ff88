"""What the project promises, and whether a run kept it."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

Results = Mapping[str, Any]

GIGABYTE = 1e9

MEMORY_BOUNDS = {"memory": 2.5, "http": 3.5}
"""Times the zip, beside what the service takes anyway: 1.5 GB."""

ALWAYS_BYTES = 1.5 * GIGABYTE

STEADY = 0.02
"""Growth, relative, that is none: what an allocator keeps varies by this."""


@dataclass(frozen=True)
class Target:
    """One promise, with what was measured.

    ratio: measured over its bound, so that 1 is on the border.
    at_most: whether the bound is the highest value that keeps the promise, or the lowest.
    """

    section: str
    name: str
    measured: float
    bound: float
    unit: str = "×"
    at_most: bool = True

    @property
    def met(self) -> bool:
        return self.measured <= self.bound if self.at_most else self.measured >= self.bound

    @property
    def ratio(self) -> float | None:
        return round(self.measured / self.bound, 3) if self.bound else None

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"ratio": self.ratio, "met": self.met}


def targets(results: Results) -> list[Target]:
    """Return the promises that the sections of a run say something of."""
    ways = {
        "e2e": _end_to_end,
        "conversion": _conversion,
        "network": _network,
        "clients": _clients,
        "growth": _growth,
        "memory": _memory,
    }
    return [
        target
        for section, of_section in ways.items()
        if section in results
        for target in of_section(results[section])
    ]


def _end_to_end(section: Results) -> Iterator[Target]:
    ratios = section["ratios"]
    yield Target("e2e", "raw HTTP request, to the limit", ratios["http_to_limit"], 1.8)
    yield Target("e2e", "shared memory, to the limit", ratios["memory_to_limit"], 1.5)
    for peer, name in (("dicom2nifti", "dicom2nifti"), ("dcm2niix", "dcm2niix")):
        if (ratio := ratios.get(f"thesis_{peer}_to_http")) is not None:
            yield Target(
                *("e2e", f"faster than the thesis's way with {name}, HTTP", ratio, 25),
                at_most=False,
            )


def _conversion(section: Results) -> Iterator[Target]:
    for study, measured in section["studies"].items():
        for ours, name in (("nifti_memory", "in memory"), ("nifti_files", "file to files")):
            if (ratio := measured["ratios"].get(ours)) is not None:
                yield Target("conversion", f"{study}, {name}, to unzip + dcm2niix", ratio, 1.0)


def _network(section: Results) -> Iterator[Target]:
    for ours, name in (("network_ours", "our backend"), ("network_in_triton", "in Triton")):
        yield Target("network", f"{name}, to the fastest peer", section["ratios"][ours], 1.1)


def _clients(section: Results) -> Iterator[Target]:
    number, ratios = section["most"], section["ratios"]
    most = section["counts"][str(number)]
    yield Target(
        *("clients", f"{number} clients: processors busy", most["cpu_busy"], 0.9, ""),
        at_most=False,
    )
    yield Target(
        *("clients", f"{number} clients: throughput, to cores / processor seconds of a study"),
        *(ratios["throughput_to_possible"], 0.9),
        at_most=False,
    )
    yield Target(
        *("clients", f"{number} clients: 95 % of latencies, to {number} × that of one"),
        *(ratios["p95_to_queue"], 1.3),
    )
    lost = sum(each["lost"] for each in section["counts"].values())
    yield Target("clients", "requests lost", lost, 0, "")


def _growth(section: Results) -> Iterator[Target]:
    for of in ("slices", "rows"):
        line = section[of]["line"]
        yield Target(
            *("growth", f"linear in {of}: R² of the line", line["r_squared"], 0.95, ""),
            at_most=False,
        )


def _memory(section: Results) -> Iterator[Target]:
    size = section["zip_bytes"]
    for way, name in (("memory", "shared memory"), ("http", "HTTP")):
        bound = MEMORY_BOUNDS[way] * size + ALWAYS_BYTES
        peak = section["one"][way]["peak_bytes"]
        yield Target(
            *("memory", f"peak with one zip of {size / 1e6:.0f} MB, {name}"),
            *(round(peak / GIGABYTE, 3), round(bound / GIGABYTE, 3), "GB"),
        )
    row = section["in_a_row"]
    first, last = row["settled_after"], len(row["bytes_after"])
    yield Target(
        *("memory", f"growth from study {first} to {last} in a row", row["growth"], STEADY, "")
    )
