"""Answers that are none: problem details of the gateway, and Triton's texts, as typed errors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType

from deep_features_client.errors import (
    UNREADABLE_ANSWER,
    Busy,
    DeepFeaturesError,
    NotAllowed,
    Refused,
    ServerFailed,
)
from deep_features_client.limits import retry_after_s
from deep_features_client.replies import Reply

BUSY_CODES = frozenset({"busy", "queue_full", "no_room", "retry", "too_many_of_yours"})
FAILURE_CODES = frozenset(
    {"service_error", "source_failed", "source_unreachable", "too_slow", "truncated_zip"}
)
LOGIN_CODES = frozenset({"source_refused", "not_registered"})

WORDS_OF_INTERRUPTIONS = (
    "Stub process",
    "has no available versions",
    "is not at ready state",
)
"""Of Triton's own errors: what a request gets whose model died, or is being loaded again."""

CODE_OF_STATUS: Mapping[int, str] = MappingProxyType(
    {400: "bad_request", 401: "not_allowed", 403: "not_allowed", 404: "unknown_model"}
)
"""Of Triton's own errors, which have no code."""


def problem_of(reply: Reply) -> DeepFeaturesError:
    """Return the error that an answer states; it is not a success."""
    code, sentence = _stated(reply)
    status = reply.status
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return NotAllowed(code, sentence, status)
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        return Busy(code, sentence, status, retry_after_s=retry_after_s(reply.headers))
    if code in BUSY_CODES:  # Triton has one status for all that its models refuse
        return Busy(code, sentence, status)
    is_of_the_sender = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    kind = Refused if is_of_the_sender and code != UNREADABLE_ANSWER else ServerFailed
    return kind(code, sentence, status)


def problem_of_study(code: str, sentence: str) -> DeepFeaturesError:
    """Return the error of a study of a job, which has a code but no status."""
    for codes, kind in (
        (BUSY_CODES, Busy),
        (FAILURE_CODES, ServerFailed),
        (LOGIN_CODES, NotAllowed),
    ):
        if code in codes:
            return kind(code, sentence)
    return Refused(code, sentence)


def bad_answer(status: int | None = None) -> ServerFailed:
    """Return the error of an answer that is not in the service's form."""
    sentence = "what answers at this address is not the service, or one of another version"
    return ServerFailed(UNREADABLE_ANSWER, sentence, status)


def _stated(reply: Reply) -> tuple[str, str]:
    """Return code and sentence."""
    try:
        document = reply.document()
    except ValueError:
        document = None
    match document:
        case {"code": str(code), "detail": str(sentence)}:
            return code, sentence
        case {"error": str(text)}:
            return _of_triton(text, reply.status)
    return UNREADABLE_ANSWER, f"{bad_answer().sentence} (status {reply.status})"


def _of_triton(text: str, status: int) -> tuple[str, str]:
    """Return code and sentence of `in ensemble 'NAME', code: sentence`."""
    if text.startswith("in ensemble '"):
        text = text.partition("', ")[2]
    code, _, sentence = text.partition(": ")
    if sentence and re.fullmatch("[a-z0-9]+(_[a-z0-9]+)*", code):
        return code, sentence
    if any(words in text for words in WORDS_OF_INTERRUPTIONS):
        return "retry", "the service was interrupted and comes back by itself"
    return CODE_OF_STATUS.get(status, "service_error"), text
