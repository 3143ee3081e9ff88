"""What the gateway adds to a request over HTTP: login checked, the study taken in and handed on."""

import json
from typing import Any

import numpy as np

from tools.bench.plan import Workshop
from tools.bench.service import MODEL, Service, timed_post
from tools.bench.timing import as_json, interleaved
from tools.engine.ports import free_ports
from tools.gateway_process import GatewayProcess, gateway

SHARE, CONSTANT_SECONDS = 1.1, 0.02
"""What is allowed of a direct request, and beside it."""


def measure(workshop: Workshop, service: Service) -> dict[str, Any]:
    """Return the times of a raw request to Triton, and of one to the gateway before it."""
    study = workshop.study_file().read_bytes()
    (port,) = free_ports(1)
    workshop.say("gateway: starting it")
    with gateway(port, service.url) as process:
        expected = service.over_http(study).features
        workshop.say("gateway: with and without it in turns")

        def through() -> float:
            features, seconds = _through(process, study)
            if not np.array_equal(features, expected):
                raise RuntimeError("the gateway answers other features than Triton")
            return seconds

        turns = {"direct": lambda: service.over_http(study).seconds, "gateway": through}
        timings = interleaved(turns, workshop.plan.rounds)
    pairs = zip(timings["gateway"].seconds, timings["direct"].seconds, strict=True)
    allowed = [ours / (SHARE * direct + CONSTANT_SECONDS) for ours, direct in pairs]
    return {
        "zip_bytes": len(study),
        "timings": as_json(timings),
        "ratios": {"to_allowed": round(float(np.median(allowed)), 3)},
    }


def _through(process: GatewayProcess, study: bytes) -> tuple[Any, float]:
    """Return the features that the gateway answers, float32 [rows, F], and the seconds it took."""
    headers = {"Authorization": f"Bearer {process.token}", "Content-Type": "application/zip"}
    response, body, seconds = timed_post(
        f"127.0.0.1:{process.port}", f"/api/models/{MODEL}/features", study, headers=headers
    )
    if response.status != 200:
        raise RuntimeError(f"the gateway refused the study: {body[:300]!r}")
    rows = json.loads(body)["rows"]
    return np.array([row["features"] for row in rows], np.float32), seconds
