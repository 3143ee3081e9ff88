"""What a Triton answered, as the gateway says it: rows with features, or a problem."""

import httpx

from gateway.engines.question import HEADER_LENGTH
from gateway.problems import ProblemError
from gateway.results.answer import Answer, answer_of
from imaging.errors import REFUSALS
from tools.client import ServiceError, refusal_of

STATUS_OF_CODE = {"busy": 503, "retry": 503, "no_room": 503, "too_large": 413}
"""Of refusals that HTTP has a status for; all others are 422."""

RETRY_SECONDS = {"busy": "10", "retry": "5"}


def answer(response: httpx.Response) -> Answer:
    """Return what a feature model answered, which has been read; raises ProblemError."""
    if response.status_code != httpx.codes.OK:
        raise problem(refusal(response))
    try:
        return answer_of(response.content, int(response.headers[HEADER_LENGTH]))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise ProblemError(502, "service_error", "the service's answer cannot be read") from None


def problem(error: ServiceError) -> ProblemError:
    """Return the problem of a refusal: its code and its sentence.

    What is no refusal of ours are Triton's own words, which are for the log of the engine.
    """
    if error.code not in REFUSALS and error.code != "retry":
        return ProblemError(502, "service_error", "the service failed over this study")
    sentence = str(error).removeprefix(f"{error.code}: ")
    headers = {"Retry-After": RETRY_SECONDS[error.code]} if error.code in RETRY_SECONDS else {}
    return ProblemError(STATUS_OF_CODE.get(error.code, 422), error.code, sentence, headers=headers)


def refusal(response: httpx.Response) -> ServiceError:
    """Return the error that a Triton's answer states, which has been read."""
    try:
        return refusal_of(str(response.json()["error"]))
    except (ValueError, KeyError, TypeError):
        return ServiceError("service_error", f"Triton answered {response.status_code}")
