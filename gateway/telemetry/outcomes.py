"""How requests end, in few words: whose turn it is to do something about it."""

from collections.abc import Iterator

from gateway.engines.answer import STATUS_OF_CODE
from gateway.problems import CLIENT_GONE
from imaging.errors import REFUSALS

ANSWERED, GONE = "answered", "client_gone"
INPUT, BUSY, NOT_ALLOWED, FAILURE = "input_refused", "busy", "not_allowed", "failure"

BUSY_CODES = frozenset(
    ["busy", "no_room", "queue_full", "too_many_jobs", "too_many_of_yours", "too_many_requests"]
)
"""There is more to do than can be done: 429 and 503, but no fault."""

NOT_ALLOWED_STATUSES = (401, 403, 421)

UPLOADS = "/api/models/{model}/features"

ENDS_OF_UPLOADS = (
    (200, ""),
    (CLIENT_GONE, ""),
    (429, "too_many_of_yours"),
    (500, "internal_error"),
    (502, "service_error"),
    (503, "queue_full"),
    (503, "retry"),
    (504, "too_slow"),
    *((STATUS_OF_CODE.get(code, 422), code) for code in REFUSALS),
)
"""Known before any came: rates see the first one only of what was 0 before."""


def outcome(status: int, code: str) -> str:
    """Return how a request ended: `failure` is our fault, or that of what we depend on."""
    if code in BUSY_CODES:
        return BUSY
    if status in NOT_ALLOWED_STATUSES:
        return NOT_ALLOWED
    if status == CLIENT_GONE:
        return GONE
    if status >= 500:
        return FAILURE
    return INPUT if status >= 400 else ANSWERED


def expected() -> Iterator[tuple[str, str, str, str, str]]:
    """Give route, method, status, code and outcome of what is to be 0 from the start."""
    for status, code in ENDS_OF_UPLOADS:
        yield UPLOADS, "POST", str(status), code, outcome(status, code)
