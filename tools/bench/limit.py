"""The least that a study could take on this machine: measured beside what is compared with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.bench.network_size import operations
from tools.bench.peer import Peer, result_of
from tools.bench.service import EXTRACTOR
from tools.bench.timing import Timing
from tools.locations import data_folder

INFLATING = ("inflate_isal", "inflate_libdeflate")
MULTIPLYING = ("matrix_numpy", "matrix_tensorflow")


def wanted(study_file: Path) -> dict[str, Sequence[object]]:
    """Return the contenders that the limit is made of, with their arguments."""
    return {**{name: [study_file] for name in INFLATING}, **{name: [] for name in MULTIPLYING}}


def saved_model() -> Path:
    """Return the folder of the network."""
    return data_folder("model_repository") / EXTRACTOR / "1" / "model.savedmodel"


def network_operations() -> int:
    """Return the operations of the network for one volume."""
    return operations(result_of("kernels", [saved_model()]))


@dataclass(frozen=True)
class Limit:
    """The fastest inflating and the network's arithmetic at the highest rate, round by round."""

    total: Timing
    inflating: Timing
    arithmetic: Timing
    facts: dict[str, Any]


def limit_of(timings: Mapping[str, Timing], ready: Sequence[Peer], *, rows: int) -> Limit:
    """Return the limit from the rounds of its parts, for a study of so many rows."""
    results = {peer.name: peer.result for peer in ready}
    needed = rows * network_operations()
    inflating = min((name for name in INFLATING if name in timings), key=_median_of(timings))
    arithmetic = {
        name: Timing(tuple(each * needed / results[name] for each in timings[name].seconds))
        for name in MULTIPLYING
        if name in timings
    }
    fastest = min(arithmetic, key=_median_of(arithmetic))
    parts = zip(timings[inflating].seconds, arithmetic[fastest].seconds, strict=True)
    return Limit(
        Timing(tuple(map(sum, parts))),
        timings[inflating],
        arithmetic[fastest],
        {
            "inflated_bytes": results[inflating],
            "inflated_by": inflating.removeprefix("inflate_"),
            "multiplied_by": fastest.removeprefix("matrix_"),
            "gflop": round(needed / 1e9, 3),
            "gflop_per_s": round(needed / arithmetic[fastest].median / 1e9, 1),
        },
    )


def _median_of(timings: Mapping[str, Timing]) -> Any:
    return lambda name: timings[name].median
