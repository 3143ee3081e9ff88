"""Triton's restricted APIs, with the key: models loaded and unloaded, regions let go of."""

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
    """The model repository and the registered regions of one running server.

    Raises ControlError if it does not answer in time, or refuses.
    """

    def __init__(self, http_url: str, key: str) -> None:
        self._url = f"http://{http_url}/v2"
        self._headers = {KEY_HEADER: key, "Content-Type": "application/json"}

    def public_models(self) -> list[str]:
        """Return the loaded models that take a zip: ensembles, and the conversion to NIfTI."""
        return sorted(name for name in self.loaded_models() if "__" not in name)

    def loaded_models(self) -> set[str]:
        """Return what Triton takes for loaded; also a model whose process died."""
        index = self._ask("repository/index", QUESTION_SECONDS, {"ready": True})
        return {model["name"] for model in index}

    def load(self, model: str) -> None:
        """Load a model; one that is loaded is replaced, without a gap, if its files differ."""
        self._ask(f"repository/models/{model}/load", LOAD_SECONDS, {})

    def unload(self, model: str) -> None:
        """Unload a model, not those that it is made of; it finishes what it works on."""
        body = {"parameters": {"unload_dependents": False}}
        self._ask(f"repository/models/{model}/unload", LOAD_SECONDS, body)

    def registered_regions(self) -> set[str]:
        """Return the names of the regions of system shared memory that clients have registered."""
        status = self._ask("systemsharedmemory/status", QUESTION_SECONDS)
        return {region["name"] for region in status}

    def unregister(self, region: str) -> None:
        """Have Triton let go of a region; it refuses while an inference reads it."""
        self._ask(f"systemsharedmemory/region/{region}/unregister", QUESTION_SECONDS, {})

    def _ask(self, path: str, seconds: float, body: Mapping[str, Any] | None = None) -> Any:
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self._url}/{path}", content, self._headers)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=seconds) as answer:  # noqa: S310
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise ControlError(f"{path}: {_words(error)}") from error
        except (OSError, ValueError) as error:
            raise ControlError(f"{path}: {error}") from error


def _words(error: urllib.error.HTTPError) -> str:
    """Return what Triton says of an error, or at least its number."""
    try:
        return str(json.loads(error.read())["error"])
    except (OSError, ValueError, KeyError, TypeError):
        return str(error)
