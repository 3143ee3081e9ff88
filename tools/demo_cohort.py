"""A cohort to look at: the sample study and synthetic chests as a job of the page."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from itertools import product
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from tools.gateway_process import GatewayProcess
from tools.phantom_chest.density import CLASSES
from tools.phantom_chest.study import phantom_study

TITLE = "Demonstration: the sample and 20 synthetic chests"

OF_EACH_CLASS = 10

FIRST_SEED = 700_000
"""Far from those that the default model was trained on, and tried with."""

SAMPLE = "sample"

ANSWER_SECONDS = 300.0


def begin(page: GatewayProcess, sample: Path, console: Console) -> None:
    """Say where the cohort is on the page, and have its studies made and sent beside.

    One that a start before has made is taken, as long as the page keeps its rows.
    """
    try:
        with _client(page) as client:
            job = _job(client)
    except (httpx.HTTPError, KeyError, ValueError):
        return  # a page without jobs: there is nothing to be said of it
    console.print(f"a cohort to look at: {page.url}#/jobs/{job['id']}", markup=False)
    if job["state"] != "ended":
        arguments = (page, job, sample)
        threading.Thread(target=_send, args=arguments, name="demo cohort", daemon=True).start()


def _client(page: GatewayProcess) -> httpx.Client:
    headers = {"Authorization": f"Bearer {page.token}"}
    return httpx.Client(base_url=page.root, headers=headers, timeout=ANSWER_SECONDS)


def _job(client: httpx.Client) -> dict[str, Any]:
    """Return the cohort that is there already and whole, or else a new one."""
    for job in client.get("/api/jobs").raise_for_status().json()["jobs"]:
        if job["title"] == TITLE:
            if job["state"] == "ended" and job["counts"]["done"] == sum(job["counts"].values()):
                return dict(job)
            client.delete(f"/api/jobs/{job['id']}")
    keys = [SAMPLE, *(f"{label}-{seed}" for label, seed in _chests())]
    body = {
        "source": {"kind": "uploads"},
        "studies": [{"key": key} for key in keys],
        "model": "ct3dcnn",
        "title": TITLE,
    }
    return dict(client.post("/api/jobs", json=body).raise_for_status().json())


def _chests() -> Iterator[tuple[str, int]]:
    return product(CLASSES, range(FIRST_SEED, FIRST_SEED + OF_EACH_CLASS))


def _send(page: GatewayProcess, job: dict[str, Any], sample: Path) -> None:
    """Send all studies; the page says of each whether that went well."""
    with suppress(httpx.HTTPError), _client(page) as client:
        for study, content in zip(job["studies"], _studies(sample), strict=True):
            client.put(
                f"/api/jobs/{job['id']}/studies/{study['position']}/file",
                content=content,
                headers={"Content-Type": "application/zip"},
            )


def _studies(sample: Path) -> Iterator[bytes]:
    yield sample.read_bytes()
    for label, seed in _chests():
        yield phantom_study(label, seed)
