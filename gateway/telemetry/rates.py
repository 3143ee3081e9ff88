"""How many requests one user may send a minute: a moving window, in memory."""

import math
import time

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.login.guard import OPEN_FOLDER
from gateway.problems import ProblemError, ProblemResponse


class Rates:
    """ASGI middleware behind the guard: refuses a user's requests beyond the limit (429).

    Who is not logged in is counted by address. The files of the page are not counted: they come
    twenty at a time, and many people may share one address.
    """

    def __init__(self, app: ASGIApp, requests_a_minute: int) -> None:
        self._app = app
        self._item = RateLimitItemPerMinute(requests_a_minute)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it before a byte of its body is taken."""
        free = scope["type"] != "http" or scope["path"].startswith(OPEN_FOLDER)
        if free or await self._limiter.hit(self._item, _counted_as(scope)):
            await self._app(scope, receive, send)
            return
        reset, _ = await self._limiter.get_window_stats(self._item, _counted_as(scope))
        seconds = max(1, math.ceil(reset - time.time()))
        problem = ProblemError(
            429,
            "too_many_requests",
            f"more than {self._item.amount} requests a minute: go on in {seconds} s",
            headers={"Retry-After": str(seconds)},
        )
        await ProblemResponse(problem)(scope, receive, send)


def _counted_as(scope: Scope) -> str:
    principal = scope.get("principal")
    if principal:
        return f"user {principal.subject}"
    address = scope.get("client")
    return f"address {address[0] if address else ''}"
