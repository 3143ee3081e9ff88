"""A service of the bench's own, seen from a client: studies sent both ways, memory, processor."""

import json
import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from typing import Any

import numpy as np
import tritonclient.http as triton
from numpy.typing import NDArray

from tools.bench.statistics_api import Statistics
from tools.client import send_tensor
from tools.engine.memory import service_memory
from tools.engine.processes import cpu_ticks
from tools.shared_study import Access, send_shared

MODEL, PREPROCESS, EXTRACTOR = "ct3dcnn", "ct3dcnn__v1_preprocess", "ct3dcnn__v1_extractor"

RAW = {"Inference-Header-Content-Length": "0", "Content-Type": "application/octet-stream"}
"""A body that is the zip and nothing else, as curl sends it."""


@dataclass(frozen=True)
class Answer:
    """What came for a study, and the seconds from its first byte sent to its last one read."""

    features: NDArray[np.float32]
    report: dict[str, Any]
    seconds: float


class Service:
    """A running service on the same machine.

    url: host and port of its HTTP.
    pids: gives all its processes; models may get new ones.
    shared_before: bytes of shared memory that the machine had in use before the service started.
    """

    def __init__(
        self, access: Access, pids: Callable[[], Iterable[int]], shared_before: int
    ) -> None:
        self._access = access
        self.url = access.http_url
        self._pids = pids
        self._shared_before = shared_before
        self.statistics = Statistics(access.http_url, access.key)

    def over_http(self, study: bytes, parameters: Mapping[str, str] | None = None) -> Answer:
        """Send a zip as the body of one request, its length stated."""
        options = {f"x-df-{name}": value for name, value in (parameters or {}).items()}
        response, body, seconds = timed_post(
            self.url, f"/v2/models/{MODEL}/infer", study, headers=RAW | options
        )
        if response.status != 200:
            raise RuntimeError(f"Triton refused the study: {body[:300]!r}")
        header_bytes = int(response.headers["Inference-Header-Content-Length"])
        result = triton.InferResult.from_response_body(body, header_length=header_bytes)
        return _answer(result, seconds)

    def through_memory(self, study: bytes, parameters: Mapping[str, str] | None = None) -> Answer:
        """Send a zip through memory that Triton and the client share; putting it there counts."""
        start = time.perf_counter()
        result = send_shared(self._access, MODEL, study, parameters)
        return _answer(result, time.perf_counter() - start)

    def extract(self, volumes: NDArray[np.float32]) -> None:
        """Ask the extractor alone."""
        tensor = triton.InferInput("volumes", list(volumes.shape), "FP32")
        tensor.set_data_from_numpy(volumes)
        send_tensor(self.url, EXTRACTOR, tensor, parameters=None)

    def memory_bytes(self) -> int:
        """Return the memory of all processes of the service, shared memory included."""
        return service_memory(self._pids(), self._shared_before)

    def cpu_seconds(self) -> float:
        """Return the processor time of all processes of the service so far."""
        return cpu_ticks(self._pids()) / os.sysconf("SC_CLK_TCK")


def timed_post(
    url: str, path: str, body: bytes, *, headers: Mapping[str, str]
) -> tuple[HTTPResponse, bytes, float]:
    """Return an answer, its body, and the seconds from the first byte sent to the last one read."""
    connection = HTTPConnection(url)
    try:
        connection.connect()
        start = time.perf_counter()
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
        answered = response.read()
        return response, answered, time.perf_counter() - start
    finally:
        connection.close()


def _answer(result: triton.InferResult, seconds: float) -> Answer:
    report = json.loads(result.as_numpy("REPORT")[0])
    return Answer(np.array(result.as_numpy("FEATURES")), report, seconds)
