"""What the project promises, and whether a run kept it."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

Results = Mapping[str, Any]

GIGABYTE = 1e9

WAYS = {"memory": "shared memory", "http": "HTTP"}

MEMORY_BOUNDS = {"memory": 2.5, "http": 3.5}
"""Times the zip, beside what the service takes anyway: 1.5 GB."""

ALWAYS_BYTES = 1.5 * GIGABYTE

STRAIGHT = 0.95
"""R² of a line that shows no other growth: half of the slices are no longer inflated beyond 128."""

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
        "gateway": _gateway,
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
    for converter, (way, words) in product(("dicom2nifti", "dcm2niix"), WAYS.items()):
        if (ratio := ratios.get(f"thesis_{converter}_to_{way}")) is not None:
            name = f"the thesis's way with {converter}, to {words}"
            yield Target("e2e", name, ratio, 25, at_most=False)


def _gateway(section: Results) -> Iterator[Target]:
    name = "raw HTTP request, to 1.1 × that to Triton + 20 ms"
    yield Target("gateway", name, section["ratios"]["to_allowed"], 1.0)


def _conversion(section: Results) -> Iterator[Target]:
    for study, measured in section["studies"].items():
        for ours, way in (("nifti_memory", "in memory"), ("nifti_files", "file to files")):
            if (ratio := measured["ratios"].get(ours)) is not None:
                yield Target("conversion", f"{study}, {way}, to unzip + dcm2niix", ratio, 1.0)


def _network(section: Results) -> Iterator[Target]:
    for ours, way in (("network_ours", "our backend"), ("network_in_triton", "in Triton")):
        yield Target("network", f"{way}, to the fastest peer", section["ratios"][ours], 1.1)


def _clients(section: Results) -> Iterator[Target]:
    number, ratios = section["most"], section["ratios"]
    busy = section["counts"][str(number)]["cpu_busy"]
    throughput, p95 = ratios["throughput_to_possible"], ratios["p95_to_queue"]
    lost = sum(each["lost"] for each in section["counts"].values())
    of = f"{number} clients"
    yield Target("clients", f"{of}: processors busy", busy, 0.9, unit="", at_most=False)
    name = f"{of}: throughput, to cores / processor seconds of a study"
    yield Target("clients", name, throughput, 0.9, at_most=False)
    yield Target("clients", f"{of}: 95 % of latencies, to {number} × that of one", p95, 1.3)
    yield Target("clients", "requests lost", lost, 0, unit="")


def _growth(section: Results) -> Iterator[Target]:
    for of in ("slices", "rows"):
        r_squared = section[of]["line"]["r_squared"]
        name = f"linear in {of}: R² of the line"
        yield Target("growth", name, r_squared, STRAIGHT, unit="", at_most=False)


def _memory(section: Results) -> Iterator[Target]:
    size = section["zip_bytes"]
    for way, name in WAYS.items():
        bound = (MEMORY_BOUNDS[way] * size + ALWAYS_BYTES) / GIGABYTE
        peak = section["one"][way]["peak_bytes"] / GIGABYTE
        text = f"peak with one zip of {size / 1e6:.0f} MB, {name}"
        yield Target("memory", text, round(peak, 3), round(bound, 3), unit="GB")
    row = section["in_a_row"]
    text = f"growth from study {row['settled_after']} to {len(row['bytes_after'])} in a row"
    yield Target("memory", text, row["growth"], STEADY, unit="")
