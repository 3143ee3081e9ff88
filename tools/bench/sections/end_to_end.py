"""A zip to features through Triton, both ways, beside the machine's limit and the thesis's way."""

from typing import Any

import numpy as np

from tools.bench.limit import Limit, limit_of, saved_model, wanted
from tools.bench.peer import Peer, peers
from tools.bench.plan import Workshop
from tools.bench.requests import Recorder
from tools.bench.service import Service
from tools.bench.timing import Timing, Turn, as_json, interleaved, ratio_of_pairs

THESIS = ("thesis_dicom2nifti", "thesis_dcm2niix")
WAYS = ("http", "memory")


def measure(workshop: Workshop, service: Service) -> dict[str, Any]:
    """Return the times, the stages of the median request, and the ratios of pairs."""
    plan, file = workshop.plan, workshop.study_file()
    study = file.read_bytes()
    ways = {
        "http": Recorder(service, service.over_http, study),
        "memory": Recorder(service, service.through_memory, study),
    }
    contenders = wanted(file) | {name: [file, saved_model()] for name in THESIS}
    workshop.say("e2e: getting the limit and the thesis's way ready")
    with peers(contenders, workshop.missing) as ready:
        turns: dict[str, Turn] = {**ways, **{peer.name: peer for peer in ready}}
        workshop.say("e2e: the service, the limit and the thesis's way in turns")
        fewer = dict.fromkeys(THESIS, plan.slow_rounds)
        timings = interleaved(turns, plan.rounds, fewer=fewer)
        features = service.over_http(study).features
        limit = limit_of(timings, ready, rows=len(features))
        differences = {peer.name: _difference(peer, features) for peer in ready}
    return {
        "zip_bytes": len(study),
        "rows": len(features),
        "limit": limit.facts | as_json({"inflate": limit.inflating, "network": limit.arithmetic}),
        "timings": as_json({**timings, "limit": limit.total}),
        "stages": {name: way.median_stages() for name, way in ways.items()},
        "thesis_differs_by": {name: differences[name] for name in THESIS if name in differences},
        "ratios": _ratios(timings, limit),
    }


def _ratios(timings: dict[str, Timing], limit: Limit) -> dict[str, float]:
    ratios = {
        f"{way}_to_limit": ratio_of_pairs(timings[way].seconds, limit.total.seconds) for way in WAYS
    }
    for peer in THESIS:
        if peer in timings:
            for way in WAYS:
                ratios[f"{peer}_to_{way}"] = ratio_of_pairs(
                    timings[peer].seconds, timings[way].seconds
                )
    return {name: round(value, 3) for name, value in ratios.items()}


def _difference(peer: Peer, features: Any) -> float | None:
    """Return the largest difference of features, relative to the largest one of them."""
    if not isinstance(peer.result, list) or len(peer.result) != features.shape[1]:
        return None
    differences = np.abs(np.subtract(peer.result, features[0]))
    return float(f"{np.max(differences) / np.max(np.abs(features[0])):.1e}")
