"""The network alone: ours, in Triton and without it, beside the engines that others would take.

Like is compared with like: an array in, an array out, each engine in a process of its own with the
threads it chooses. For ours that is the code of backends/tensorflow, asked as Triton asks it. What
Triton's statistics say of the same code at work (compute_infer) has the way of the arrays between
its processes on top.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging.archive import Limits
from imaging.instances import quiet_pydicom
from imaging.options import Options
from imaging.preprocess import feature_inputs
from imaging.recipe import Recipe
from tools.bench.limit import saved_model
from tools.bench.peer import MissingPeerError, Peer, peers, result_of
from tools.bench.plan import Workshop
from tools.bench.service import EXTRACTOR, PREPROCESS, Service
from tools.bench.timing import Timing, Turn, as_json, interleaved, ratio_of_pairs

FROM_ONNX = ("network_onnxruntime", "network_openvino")
PEERS = ("network_tensorflow", *FROM_ONNX)
OURS = "network_ours"
IN_TRITON = "network_in_triton"

PARITY = 1e-4
"""Of features, relative to the largest one; a peer that computes something else is no peer."""


def measure(workshop: Workshop, service: Service) -> dict[str, Any]:
    """Return the times, who is the fastest peer, and our ratios to it."""
    workshop.say("network: making its input, and the peers' files")
    volumes = network_input(workshop.study_file().read_bytes(), service)
    contenders = _contenders(workshop, service, volumes)

    def in_triton() -> float:
        before = service.statistics.now()
        service.extract(volumes)
        return service.statistics.since(before, EXTRACTOR)[EXTRACTOR]["compute_infer"]

    with peers(contenders, workshop.missing) as ready:
        parity = check_parity(ready)
        workshop.say("network: the engines in turns")
        turns: dict[str, Turn] = {peer.name: peer for peer in ready} | {IN_TRITON: in_triton}
        timings = interleaved(turns, workshop.plan.rounds)
    return {"timings": as_json(timings), "parity": parity} | _against_best(timings)


def network_input(study: bytes, service: Service) -> NDArray[np.float32]:
    """Return what the network sees of the first row of a study, [1, 128, 128, 64, 1]."""
    quiet_pydicom()
    stated = service.statistics.config(PREPROCESS)["parameters"]
    recipe = Recipe.from_parameters({key: each["string_value"] for key, each in stated.items()})
    rows = feature_inputs(memoryview(study), recipe=recipe, options=Options(), limits=Limits())
    return rows.volumes[0][None]


def check_parity(ready: Sequence[Peer]) -> dict[str, float]:
    """Return how far the peers' features are from plain TensorFlow's; refuse other networks."""
    for peer in ready:
        peer()
    results = {peer.name: np.array(peer.result) for peer in ready}
    judge = results["network_tensorflow"]
    parity = {
        name: float(f"{np.max(np.abs(features - judge)) / np.max(np.abs(judge)):.1e}")
        for name, features in results.items()
    }
    if wrong := [name for name, difference in parity.items() if difference > PARITY]:
        raise RuntimeError(f"another network than TensorFlow's: {', '.join(wrong)}")
    return parity


def _contenders(
    workshop: Workshop, service: Service, volumes: NDArray[np.float32]
) -> dict[str, Sequence[object]]:
    model, volume = saved_model(), workshop.folder / "volumes.npy"
    config, graph = workshop.folder / "config.json", workshop.folder / "extractor.onnx"
    np.save(volume, volumes)
    config.write_text(json.dumps(service.statistics.config(EXTRACTOR)))
    contenders: dict[str, Sequence[object]] = {
        "network_tensorflow": [model, volume],
        OURS: [config, model.parent, volume],
    }
    if _has_onnx(workshop, model, graph, shape=volumes.shape[1:]):
        contenders |= {name: [graph, volume] for name in FROM_ONNX}
    return contenders


def _has_onnx(workshop: Workshop, model: Path, graph: Path, *, shape: Sequence[int]) -> bool:
    try:
        result_of("write_onnx", [model, graph, *shape])
    except MissingPeerError as error:
        workshop.missing.update(dict.fromkeys(FROM_ONNX, error.package))
        return False
    return True


def _against_best(timings: dict[str, Timing]) -> dict[str, Any]:
    best = min((name for name in PEERS if name in timings), key=lambda name: timings[name].median)
    ratios = {
        name: round(ratio_of_pairs(timings[name].seconds, timings[best].seconds), 3)
        for name in timings
    }
    return {"best_peer": best, "ratios": ratios}
