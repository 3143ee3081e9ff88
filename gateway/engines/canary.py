"""Canaries: a small study through each public model of an engine, again and again.

Triton's own readiness lies: it is said while a model's process is dead. A busy engine answers late,
and late is not dead: an unanswered canary counts when nothing else is in flight there, or when the
longest that a study may take has passed.
"""

import asyncio
import json
import logging
import time
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import httpx

from gateway.engines.answer import refusal
from gateway.engines.catalogue import Model, models_of
from gateway.engines.engine import Engine
from gateway.engines.question import Question
from gateway.settings import Settings
from imaging.errors import REFUSALS
from tools.engine.access import local_access
from tools.phantom import phantom_zip

EVERY_SECONDS = 5.0
AGAIN_SECONDS = 0.5
LATE_SECONDS = 15.0
LOOK_SECONDS = 1.0

OPTIONS = {"preview": "false", "allow": "untrained_modality"}

log = logging.getLogger(__name__)


class CanaryError(Exception):
    """A model did not answer a canary, or not as one that works."""


class Canary:
    """What watches one engine: takes it in when it answers, and out when it does not."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine = engine
        self._settings = settings
        self._study = phantom_zip()

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            is_well = await self._round()
            await asyncio.sleep(EVERY_SECONDS if is_well else AGAIN_SECONDS)

    async def _round(self) -> bool:
        """Look at the engine once; say whether all of it is well."""
        engine = self._engine
        try:
            models = await self._in_time(self._models())
            broken = {name for name in models if not await self._answers(models, name)}
        except (httpx.HTTPError, CanaryError, ValueError, KeyError, TypeError) as error:
            engine.take_out(f"no canary is answered ({type(error).__name__})")
            return False
        engine.models, engine.broken = models, frozenset(broken)
        if models.keys() - broken:
            engine.take_in()
        else:
            engine.take_out("no model answers a canary")
        return bool(models) and not broken

    async def _models(self) -> dict[str, Model]:
        access = await asyncio.to_thread(local_access, self._engine.url)
        self._engine.is_local = access is not None
        key = access.key if access else str(self._settings.triton_key) or None
        return await models_of(self._engine.http, key, self._settings.models)

    async def _answers(self, models: dict[str, Model], name: str) -> bool:
        """Send a study through a model; learn from its row what its configuration did not tell."""
        response = await self._in_time(self._sent(models[name]))
        if response.status_code != httpx.codes.OK:
            return refusal(response).code in REFUSALS
        if models[name].has_features:
            outputs = {output["name"]: output["data"] for output in response.json()["outputs"]}
            row = json.loads(outputs["ROWS"][0])
            models[name] = replace(
                models[name], prefix=row["feature_prefix"], weights=row["weights"]
            )
        return True

    async def _sent(self, model: Model) -> httpx.Response:
        names = ["ROWS", "FEATURES"] if model.has_features else ["ROWS"]
        question = Question(model.name, parameters=OPTIONS, outputs=[{"name": n} for n in names])
        http = self._engine.http
        return await http.send(question.with_bytes(http, self._study))

    async def _in_time(self, question: Coroutine[Any, Any, Any]) -> Any:
        """Return an answer; raises CanaryError when it is so late that it counts."""
        sent = time.monotonic()
        task = asyncio.create_task(question)
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=LOOK_SECONDS)
                if not task.done() and self._is_late(sent):
                    raise CanaryError
            self._engine.has_answered()
            return task.result()
        finally:
            task.cancel()

    def _is_late(self, sent: float) -> bool:
        """Say whether an answer counts as missing; any answer of the engine starts it anew."""
        silent = time.monotonic() - max(sent, self._engine.answered_at)
        is_idle = not self._engine.pending
        return silent > (LATE_SECONDS if is_idle else self._settings.bounds.seconds)
