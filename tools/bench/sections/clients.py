"""Several clients at once, each with the next study as soon as it has the answer to the last."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging.cores import usable_cores
from tools.bench.plan import Workshop
from tools.bench.requests import Send
from tools.bench.service import Service
from tools.bench.timing import percentile

LEAST_ANSWERS = 3
"""A machine that is slow is given the time for them."""

PROCESSORS = Path("/proc/stat")
USER, NICE, SYSTEM, IDLE, WAITING, INTERRUPTS, SOFT_INTERRUPTS = range(7)
"""The first numbers of /proc/stat: proc_stat(5). Time that other machines stole is not ours."""


def measure(workshop: Workshop, service: Service) -> dict[str, Any]:
    """Return throughput, latencies and how busy the processors are, by the number of clients."""
    study = workshop.study_file().read_bytes()
    workshop.say("clients: one request after the other")
    expected = service.through_memory(study).features
    alone = _alone(service, study, workshop.plan.rounds)
    counts = {}
    for number in workshop.plan.clients:
        workshop.say(f"clients: {number} at once")
        run = Run(service.through_memory, study, expected)
        counts[str(number)] = run.of(number, workshop.plan.client_seconds, alone["latency_s"])
    number = max(workshop.plan.clients)
    most, possible = counts[str(number)], usable_cores() / alone["cpu_s"]
    return {
        "zip_bytes": len(study),
        "cores": usable_cores(),
        **alone,
        "possible_per_s": round(possible, 4),
        "counts": counts,
        "most": number,
        "ratios": {
            "throughput_to_possible": round(most["studies_per_s"] / possible, 3),
            "p95_to_queue": round(most["p95_s"] / (number * alone["latency_s"]), 3),
        },
    }


def _alone(service: Service, study: bytes, rounds: int) -> dict[str, float]:
    """Return what one study takes when nothing else is there: seconds, and processor seconds."""
    cpu_before = service.cpu_seconds()
    latencies = [service.through_memory(study).seconds for _ in range(rounds)]
    cpu_s = (service.cpu_seconds() - cpu_before) / rounds
    return {"latency_s": round(percentile(latencies, 50), 5), "cpu_s": round(cpu_s, 4)}


@dataclass
class Run:
    """Clients that send one study; each answer must be that alone, `expected`, bit for bit."""

    send: Send
    study: bytes
    expected: NDArray[np.float32]
    answered: list[tuple[float, float]] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def of(self, number: int, seconds: float, alone_s: float) -> dict[str, Any]:
        """Return what was measured for `seconds`, once every client has waited in line."""
        threads = [threading.Thread(target=self._client) for _ in range(number)]
        for thread in threads:
            thread.start()
        time.sleep(number * alone_s)
        start, before = time.perf_counter(), processor_ticks()
        time.sleep(seconds)
        while len(self._answered_since(start)) < LEAST_ANSWERS and not self.lost:
            time.sleep(0.1)
        end, after = time.perf_counter(), processor_ticks()
        self._stop.set()
        for thread in threads:
            thread.join()
        inside = [(at, latency) for at, latency in self._answered_since(start) if at <= end]
        return summary(inside) | {
            "lost": len(self.lost),
            "errors": sorted(set(self.lost)),
            "cpu_busy": round(busy_part(before, after), 4),
        }

    def _answered_since(self, start: float) -> list[tuple[float, float]]:
        return [(at, latency) for at, latency in self.answered if at >= start]

    def _client(self) -> None:
        while not self._stop.is_set():
            try:
                answer = self.send(self.study)
            except (RuntimeError, OSError) as error:
                self.lost.append(type(error).__name__)
                continue
            if np.array_equal(answer.features, self.expected):
                self.answered.append((time.perf_counter(), answer.seconds))
            else:
                self.lost.append("other features")


def summary(answered: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """Return throughput and latencies from the moments and the latencies of answers.

    The throughput is that between the first and the last answer, so that it does not depend on
    where the time was cut.
    """
    moments = sorted(moment for moment, _ in answered)
    latencies = [latency for _, latency in answered]
    if len(answered) < LEAST_ANSWERS:
        raise RuntimeError("the service lost requests of several clients")
    return {
        "studies": len(answered),
        "studies_per_s": round((len(moments) - 1) / (moments[-1] - moments[0]), 4),
        "median_s": round(percentile(latencies, 50), 4),
        "p95_s": round(percentile(latencies, 95), 4),
    }


def processor_ticks() -> list[int]:
    """Return what all processors did so far."""
    return [int(word) for word in PROCESSORS.read_text().splitlines()[0].split()[1:]]


def busy_part(before: Sequence[int], after: Sequence[int]) -> float:
    """Return the part of the time in which the processors worked, 0 to 1."""
    spent = [late - early for early, late in zip(before, after, strict=True)]
    busy = sum(spent[part] for part in (USER, NICE, SYSTEM, INTERRUPTS, SOFT_INTERRUPTS))
    return busy / max(1, busy + spent[IDLE] + spent[WAITING])
