"""The memory of all processes of the service: at its peak, afterwards, and after many studies."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tools.bench.plan import Workshop
from tools.bench.requests import Send
from tools.bench.service import Service
from tools.bench.starting import whole_service

SAMPLE_SECONDS = 0.03

LAST = 20
"""Studies at the end: at least one of them comes beside a canary."""

SETTLING_CLIENTS = 4
"""As many as there are processes of one model at most."""


def measure(workshop: Workshop) -> dict[str, Any]:
    """Return bytes: each of the two ways and the row of studies on a service of its own."""
    ways = {"memory": Service.through_memory, "http": Service.over_http}
    large = _large_zip(workshop)
    one = {}
    for name, way in ways.items():
        workshop.say(f"memory: one zip of {len(large) / 1e6:.0f} MB, {name}")
        with whole_service() as service:
            one[name] = _one(service, way.__get__(service), large, workshop.plan.pause_seconds)
    return {
        "zip_bytes": len(large),
        "pause_seconds": workshop.plan.pause_seconds,
        "one": one,
        "in_a_row": in_a_row(workshop),
    }


def _large_zip(workshop: Workshop) -> bytes:
    scan = workshop.plan.scans[0]
    study = workshop.made(scan)
    workshop.say("memory: making a large study")
    per_slice = len(study.zip()) / scan.slices
    return study.zip(slices=round(workshop.plan.large_bytes / per_slice))


def _one(service: Service, send: Send, study: bytes, pause_seconds: float) -> dict[str, Any]:
    before = service.memory_bytes()
    with sampled(service) as samples:
        answer = send(study)
    time.sleep(pause_seconds)
    return {
        "before_bytes": before,
        "peak_bytes": max(samples.values),
        "after_bytes": service.memory_bytes(),
        "seconds": round(answer.seconds, 3),
        "samples": samples.thinned(),
    }


def in_a_row(workshop: Workshop) -> dict[str, Any]:
    """Return the memory after each of many small studies, sent both ways in turn.

    The first come at once, so that each process has had one. Memory is 20 MB higher after a study
    that came beside a canary, so the highest of the first is compared with the highest of the last.
    """
    plan = workshop.plan
    study = workshop.made(plan.scans[0]).zip(slices=plan.small_slices)
    workshop.say(f"memory: {plan.studies_in_a_row} small studies in a row")
    after = []
    with whole_service() as service:
        ways = (service.through_memory, service.over_http)

        def send(number: int) -> None:
            ways[number % 2](study)
            after.append(service.memory_bytes())

        with ThreadPoolExecutor(SETTLING_CLIENTS) as clients:
            list(clients.map(send, range(plan.settled_after)))
        for number in range(plan.settled_after, plan.studies_in_a_row):
            send(number)
    settled, last = (max(some) for some in (after[: plan.settled_after], after[-LAST:]))
    return {
        "zip_bytes": len(study),
        "bytes_after": after,
        "settled_after": plan.settled_after,
        "settled_bytes": settled,
        "last_bytes": last,
        "growth": round(last / settled - 1, 4),
    }


@dataclass
class Samples:
    """Bytes, one sample after the other, at these seconds since the first."""

    values: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def thinned(self, most: int = 400) -> dict[str, list[float]]:
        """Return no more samples than a plot shows; the peak may be left out."""
        step = max(1, len(self.values) // most)
        return {
            "seconds": [round(each, 3) for each in self.seconds[::step]],
            "bytes": list(map(float, self.values[::step])),
        }


@contextmanager
def sampled(service: Service) -> Iterator[Samples]:
    """Look at the memory of a service again and again while the block runs."""
    samples, stop, start = Samples(), threading.Event(), time.perf_counter()

    def sample() -> None:
        while not stop.wait(SAMPLE_SECONDS):
            samples.values.append(service.memory_bytes())
            samples.seconds.append(time.perf_counter() - start)

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield samples
    finally:
        stop.set()
        thread.join()
        samples.values.append(service.memory_bytes())
        samples.seconds.append(time.perf_counter() - start)
