"""How many studies wait for a model, as Triton counts them, and when that is too many.

Triton's own bound is `max_queue_size` of the dynamic batcher. With it, Triton looks only each half
second whether a process has become free, and the process idles until then (2.51, and the source of
June 2026: `PriorityQueue::SupportPrefetching`, `DynamicBatchScheduler::BatcherThread`).
"""

import os
import re
from http.client import HTTPConnection, HTTPException

from imaging.errors import InputError

METRICS = "DEEPFEATURES_METRICS"
"""Of the environment: host:port of Triton's metrics; without it nothing is counted."""

MOST_WAITING = 32

PATIENCE_SECONDS = 1.0

PENDING = re.compile(r'^nv_inference_pending_request_count\{model="([^"]*)"[^}]*\} (\d+)', re.M)


def refuse_beyond_bound(model: str) -> None:
    """Refuse a study (`busy`) while too many wait for the models that it belongs to.

    model: its name; those of one network have the same words before `__`.
    """
    if waiting(model.partition("__")[0]) > MOST_WAITING:
        raise InputError("busy", "too many studies are waiting: send the study again in a while")


def waiting(name: str) -> int:
    """Return how many requests wait for the models of one name; 0 where Triton does not tell."""
    address = os.environ.get(METRICS)
    if not address:
        return 0
    try:
        text = _page(address)
    except (OSError, HTTPException):
        return 0
    return sum(
        int(count) for model, count in PENDING.findall(text) if model.partition("__")[0] == name
    )


def _page(address: str) -> str:
    connection = HTTPConnection(address, timeout=PATIENCE_SECONDS)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().read().decode()
    finally:
        connection.close()
