"""One study of a job, in shared memory, to a Triton; its answer, ready to be kept."""

import asyncio
from collections.abc import Mapping

from starlette.requests import Request

from gateway.engines.answer import answer
from gateway.engines.handover import Reply
from gateway.engines.question import Question
from gateway.jobs.claim import Claim, Finished
from gateway.results.answer import Answer
from gateway.results.packing import packed, version_of
from gateway.sources.source import Retrieved
from gateway.uploads.admission import Place
from gateway.uploads.region import Region
from gateway.uploads.studies import Studies

BEFORE_THE_NETWORK = ("headers", "volumes", "regions")
"""Stages of the report's seconds; Triton does not tell of them before it answers."""


def within(options: Mapping[str, str], retrieved: Retrieved) -> dict[str, str]:
    """Return options by which nothing is read that a zip holds beside what was asked for."""
    own = retrieved.series_uids
    if own is None:
        return dict(options)
    chosen = options.get("series", "").split(",")
    return {**options, "series": ",".join([uid for uid in own if uid in chosen] or own)}


async def asked(
    studies: Studies,
    place: Place,
    *,
    claim: Claim,
    region: Region,
    options: Mapping[str, str],
    request: Request | None = None,
) -> tuple[Finished, tuple[str, ...]]:
    """Return the answer to a study, and its StudyInstanceUIDs; raises ProblemError.

    options: of the question. request: of who sent it and waits; ClientDisconnect if
    they go away.
    """
    stated = {**options, "preview": "false"}  # pictures are not kept
    question = Question(claim.model, parameters={"binary_data_output": True, **stated})
    loop = asyncio.get_running_loop()
    begun = loop.time()
    reply = await studies.answer(request, place, question=question, region=region, whole=True)
    found = await asyncio.to_thread(answer, reply.response)
    studies.metrics.report(found.report)
    return await asyncio.to_thread(_finished, found, reply, loop.time() - begun)


def _finished(found: Answer, reply: Reply, seconds: float) -> tuple[Finished, tuple[str, ...]]:
    stages = found.report.get("seconds", {})
    to_volumes = sum(stages.get(stage, 0.0) for stage in BEFORE_THE_NETWORK)
    finished = Finished(
        content=packed(found),
        rows=len(found.table.labels),
        version=version_of(found),
        seconds_to_volumes=round(to_volumes, 4),
        seconds_to_features=round(max(seconds - to_volumes, 0.0), 4),
        interruptions=reply.interruptions,
    )
    return finished, found.study_uids
