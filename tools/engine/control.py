"""Triton's restricted APIs, with the key: models loaded and unloaded, requests counted."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from tools.engine.command import KEY_HEADER

LOAD_SECONDS = 120
QUESTION_SECONDS = 5


class ControlError(RuntimeError):
    """Triton did not do what it was asked, or did not answer."""


class Control:
    """The model repository and the statistics of one running server.

    Raises ControlError if it does not answer in time, or refuses.
    """

    def __init__(self, http_url: str, key: str) -> None:
        self._url = f"http://{http_url}/v2"
        self._headers = {KEY_HEADER: key, "Content-Type": "application/json"}

    def public_models(self) -> list[str]:
        """Return the loaded models that take a zip: ensembles, and the conversion to NIfTI."""
        index = self._ask("repository/index", QUESTION_SECONDS, {"ready": True})
        names = [model["name"] for model in index]
        return sorted(name for name in names if "__" not in name)

    def reload(self, model: str) -> None:
        """Unload and load a model whose stub is dead; ensembles that use it follow by themselves.

        To load alone does nothing while Triton takes the model for loaded.
        """
        self._ask(f"repository/models/{model}/unload", LOAD_SECONDS, {})
        self._ask(f"repository/models/{model}/load", LOAD_SECONDS, {})

    def answered(self) -> int:
        """Return how many requests all models have finished, well or not, since the start."""
        statistics = self._ask("models/stats", QUESTION_SECONDS)
        return sum(
            model["inference_stats"][kind]["count"]
            for model in statistics["model_stats"]
            for kind in ("success", "fail")
        )

    def _ask(self, path: str, seconds: float, body: Mapping[str, Any] | None = None) -> Any:
        """GET, or POST where there is a body."""
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self._url}/{path}", content, self._headers)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=seconds) as answer:  # noqa: S310
                return json.loads(answer.read() or b"null")
        except (OSError, ValueError) as error:
            raise ControlError(f"{path}: {error}") from error
