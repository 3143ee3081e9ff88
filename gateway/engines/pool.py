"""Several Tritons by their addresses: who gets the next study, and who gets none for now."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from gateway.engines.canary import Canary
from gateway.engines.catalogue import Model
from gateway.engines.engine import Engine, client_of
from gateway.problems import ProblemError
from gateway.settings import Settings

LOOK_AGAIN_SECONDS = 0.1

KNOWN_FOR_SECONDS = 600.0
"""So long a model is still waited for whose engines are all gone."""


class Engines:
    """All Tritons of the gateway; `running` has canaries sent to them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._engines = [Engine(url, client_of(url)) for url in settings.triton_urls]

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Engines"]:
        """Watch the engines during the block; close their connections after it."""
        canaries = [Canary(engine, self._settings) for engine in self._engines]
        tasks = [asyncio.create_task(canary.run()) for canary in canaries]
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            for engine in self._engines:
                await engine.http.aclose()

    def __iter__(self) -> Iterator[Engine]:
        return iter(self._engines)

    @property
    def is_ready(self) -> bool:
        """Whether an engine has answered a canary, and none since was too late."""
        return any(engine.is_in for engine in self._engines)

    @property
    def models(self) -> dict[str, Model]:
        """The public models by name; those of engines that are away for now, too."""
        now = time.monotonic()
        return {
            name: model
            for engine in self._engines
            if engine.is_in or now - engine.answered_at < KNOWN_FOR_SECONDS
            for name, model in sorted(engine.models.items())
        }

    def model(self, name: str) -> Model:
        """Return a public model; raises ProblemError `unknown_model`, or `retry` at the start."""
        models = self.models
        if name in models:
            return models[name]
        if not models:
            raise no_engine()
        raise ProblemError(404, "unknown_model", "there is no public model of this name")

    async def choose(self, model: str, *, but: Engine | None, deadline: float) -> Engine:
        """Return the engine with the fewest of our studies that has the model; wait for one.

        but: taken only if there is no other. deadline: of the loop's clock; raises ProblemError
        `retry` then.
        """
        loop = asyncio.get_running_loop()
        while True:
            serving = [engine for engine in self._engines if engine.serves(model)]
            if serving:
                return min(serving, key=lambda engine: (engine is but, engine.pending))
            left = deadline - loop.time()
            if left <= 0:
                raise no_engine()
            await asyncio.sleep(min(left, LOOK_AGAIN_SECONDS))

    def any_serving(self, model: str | None) -> Engine:
        """Return an engine for a short question, of one model or of none; raises ProblemError."""
        for engine in self._engines:
            if engine.serves(model) if model else engine.is_in:
                return engine
        raise no_engine()


def no_engine() -> ProblemError:
    """Return the refusal while no engine answers."""
    sentence = "no engine answers now, and one comes back by itself: try again in a while"
    return ProblemError(503, "retry", sentence, headers={"Retry-After": "5"})
