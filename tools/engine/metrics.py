"""What the engine tells Prometheus: is it well, what was brought back, what memory it takes."""

import os
import time
from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from imaging.rows import SOFTWARE
from tools.engine import memory, processes, regions
from tools.engine.state import EngineState

PREFIX = "deepfeatures_engine"


def engine_metrics(state: EngineState) -> CollectorRegistry:
    """Return the metrics of an engine, which are looked at whenever they are asked for."""
    registry = CollectorRegistry()
    registry.register(_Engine(state))
    return registry


class _Engine(Collector):
    def __init__(self, state: EngineState) -> None:
        self._state = state

    def describe(self) -> list[Metric]:
        """Return nothing: else all would be looked at when it is registered."""
        return []

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily(PREFIX, "Which version it is.", {"software": SOFTWARE})
        yield from self._health()
        yield from self._brought_back()
        yield from self._memory()
        yield from _shared_memory()

    def _health(self) -> Iterator[Metric]:
        state = self._state
        yield _gauge("ready", "1 while it gets studies, as /readyz says.", state.status == "ready")
        age = time.monotonic() - state.canary_at if state.canary_at else float("nan")
        yield _gauge("canary_age_seconds", "Since all models last answered a canary.", age)
        text = "Rounds of canaries that failed in a row."
        yield _gauge("canary_failures", text, state.canary_failures)
        seconds = GaugeMetricFamily(
            f"{PREFIX}_canary_seconds", "What the last canary took.", labels=["model"]
        )
        for model, taken in dict(state.canaries).items():
            seconds.add_metric([model], taken)
        yield seconds

    def _brought_back(self) -> Iterator[Metric]:
        state = self._state
        yield _counter("restarts", "Starts of Triton but for the first.", state.restarts)
        yield _counter("reloads", "Models loaded again because a process died.", state.reloads)
        yield _counter("recycled", "Processes replaced for the memory they kept.", state.recycled)

    def _memory(self) -> Iterator[Metric]:
        server = self._state.triton_pid
        yield _gauge("processes", "Processes of models.", len(processes.stubs(server)))
        pids = [os.getpid(), server, *processes.children(server)] if server else [os.getpid()]
        text = "Memory of all its processes, without shared memory."
        yield _gauge("memory_bytes", text, sum(map(memory.private_bytes, pids)))
        text = "Memory that there is: of its container, else of the machine."
        yield _gauge("memory_limit_bytes", text, memory.limit_bytes())


def _shared_memory() -> Iterator[Metric]:
    found = os.statvfs(regions.SHARED_MEMORY)
    text = "Bytes that fit into /dev/shm."
    yield _gauge("shared_memory_size_bytes", text, found.f_blocks * found.f_frsize)
    text = "Bytes of /dev/shm that are free."
    yield _gauge("shared_memory_free_bytes", text, found.f_bavail * found.f_frsize)
    used = GaugeMetricFamily(
        f"{PREFIX}_shared_memory_bytes", "Bytes of our regions there.", labels=["of"]
    )
    for purpose, taken in regions.taken_bytes().items():
        used.add_metric([purpose], taken)
    yield used


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"{PREFIX}_{name}", text, value)


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(f"{PREFIX}_{name}", text, value)
