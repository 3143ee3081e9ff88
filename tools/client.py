"""A study to a model and back, over HTTP: rows, features, report."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any

import numpy as np
import tritonclient.http as triton
from numpy.typing import NDArray
from tritonclient.utils import InferenceServerException

from imaging.errors import REFUSALS

REQUEST_SECONDS = 300

INTERRUPTED = "the service was interrupted and comes back by itself: send the study again"

WORDS_OF_INTERRUPTIONS = (
    "Stub process",
    "has no available versions",
    "is not at ready state",
    "Unable to find shared memory region",
)
"""Of Triton's own errors: what a request gets whose model died, or is being loaded again, or whose
study was handed over to a Triton that has been started again since."""


class ServiceError(RuntimeError):
    """The service refused a study or cannot be reached; code is stable, the text says why."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(f"{code}: {sentence}")
        self.code = code


@dataclass(frozen=True)
class Features:
    """The answer for one study.

    rows: a label a row; features: float32 [rows, F]; previews: a base64 PNG a row.
    """

    rows: list[dict[str, Any]]
    features: NDArray[np.float32]
    report: dict[str, Any]
    previews: list[str]


def is_serving(url: str, model: str) -> bool:
    """Say whether a Triton that has the model answers at `url`."""
    try:
        with triton.InferenceServerClient(url) as client:
            return bool(client.is_model_ready(model))
    except (InferenceServerException, OSError):
        return False


def is_live(url: str) -> bool:
    """Say whether a Triton answers at `url`, whatever models it has."""
    try:
        with triton.InferenceServerClient(url) as client:
            return bool(client.is_server_live())
    except (InferenceServerException, OSError):
        return False


def infer(
    url: str, model: str, study: bytes, parameters: Mapping[str, str] | None = None
) -> Features:
    """Return the features of a DICOM zip.

    Raises ServiceError with the code of the refusal, or as `send` does.
    """
    return features_of(send(url, model, study, parameters))


def features_of(answer: triton.InferResult) -> Features:
    """Return the answer of a feature model as what it means."""
    return Features(
        [json.loads(row) for row in answer.as_numpy("ROWS")],
        answer.as_numpy("FEATURES"),
        json.loads(answer.as_numpy("REPORT")[0]),
        [preview.decode() for preview in answer.as_numpy("PREVIEW")],
    )


def send(
    url: str, model: str, study: bytes | memoryview, parameters: Mapping[str, str] | None = None
) -> triton.InferResult:
    """Return what a model that takes a DICOM zip answers.

    Raises ServiceError: with the code of the refusal; `busy` if too many studies are waiting;
    `retry` if the service was interrupted; `unreachable` if nothing answers.
    """
    tensor = triton.InferInput("DICOM_ZIP", [len(study)], "UINT8")
    tensor.set_data_from_numpy(np.frombuffer(study, np.uint8))
    return send_tensor(url, model, tensor, parameters=parameters)


def send_tensor(
    url: str, model: str, tensor: triton.InferInput, *, parameters: Mapping[str, str] | None
) -> triton.InferResult:
    """Return what a model answers to its one input; raises as `send` does."""
    try:
        with triton.InferenceServerClient(url, network_timeout=REQUEST_SECONDS) as client:
            return client.infer(model, [tensor], parameters=dict(parameters or {}))
    except InferenceServerException as error:
        raise refusal_of(error.message()) from error
    except ConnectionRefusedError as error:
        raise ServiceError("unreachable", f"nothing answers at {url}") from error
    except (OSError, HTTPException) as error:
        raise ServiceError("retry", INTERRUPTED) from error


def refusal_of(message: str) -> ServiceError:
    """Return the error in Triton's text: `in ensemble 'ct3dcnn', code: sentence`."""
    text = message.partition("', ")[2] if message.startswith("in ensemble '") else message
    code, _, sentence = text.partition(": ")
    # A refusal first: it may quote the name of a region, which may be anything.
    if code not in REFUSALS and any(words in text for words in WORDS_OF_INTERRUPTIONS):
        return ServiceError("retry", INTERRUPTED)
    if not re.fullmatch("[a-z0-9_]+", code):
        return ServiceError("service_error", message)
    return ServiceError(code, sentence)
