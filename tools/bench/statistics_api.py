"""What Triton says of the time that requests took in each model, from its statistics API."""

import json
import time
import urllib.request
from collections.abc import Mapping
from typing import Any

from tools.engine.command import KEY_HEADER

SETTLED_SECONDS = 2
"""Triton counts a request just after it has answered it."""

PARTS = ("queue", "compute_input", "compute_infer", "compute_output")


class Statistics:
    """The statistics of one running server, in seconds since it started."""

    def __init__(self, http_url: str, key: str) -> None:
        self._url = f"http://{http_url}/v2"
        self._headers = {KEY_HEADER: key}

    def version(self) -> str:
        """Return the version of the server."""
        return str(self._ask("")["version"])

    def config(self, model: str) -> dict[str, Any]:
        """Return a model's configuration as Triton has completed it."""
        answer: dict[str, Any] = self._ask(f"models/{model}/config")
        return answer

    def now(self) -> dict[str, dict[str, tuple[int, float]]]:
        """Return the number of requests and the seconds by model and part of the time."""
        return {
            model["name"]: {
                part: (counted["count"], counted["ns"] / 1e9)
                for part, counted in model["inference_stats"].items()
            }
            for model in self._ask("models/stats")["model_stats"]
        }

    def since(self, before: Mapping[str, Mapping[str, tuple[int, float]]], model: str) -> "Spent":
        """Return what one request to `model` took, once Triton has counted it."""
        deadline = time.monotonic() + SETTLED_SECONDS
        while True:
            now = self.now()
            if now[model]["success"][0] > before[model]["success"][0]:
                break
            if time.monotonic() > deadline:
                raise RuntimeError(f"Triton has not counted a request to {model}")
            time.sleep(0.005)
        return {
            name: {part: parts[part][1] - before[name][part][1] for part in (*PARTS, "success")}
            for name, parts in now.items()
        }

    def _ask(self, path: str) -> Any:
        request = urllib.request.Request(f"{self._url}/{path}".rstrip("/"), headers=self._headers)  # noqa: S310
        with urllib.request.urlopen(request) as answer:  # noqa: S310  (loopback)
            return json.load(answer)


Spent = dict[str, dict[str, float]]
"""Seconds of one request by model and part; `success` is all of it."""
