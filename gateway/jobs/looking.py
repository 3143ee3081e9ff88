"""A study of a job, looked at again: a picture of a row, or the series that it has.

Pictures are not kept. So the study is retrieved once more, by the login of whoever asks, and
nothing of it is stored; rows and states stay as they are.
"""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.engines.answer import answer
from gateway.engines.pool import Engines
from gateway.engines.question import Question
from gateway.jobs.asking import within
from gateway.jobs.login import login_of
from gateway.jobs.records import Job
from gateway.jobs.setup import jobs_of
from gateway.jobs.stated import document_of, stated_row
from gateway.jobs.states import UPLOADS
from gateway.login.principal import principal_of
from gateway.problems import ProblemError
from gateway.results.packing import unpacked
from gateway.uploads.listing import LISTER, listed, question_of
from gateway.uploads.studies import Studies

Label = Mapping[str, Any]
Asking = Callable[[Mapping[str, str]], Question]


async def picture(request: Request) -> Response:
    """Answer all planes of what the network saw of one row, and how they lie in the picture."""
    job = await _job(request)
    label = await _label(request, stated_row(await document_of(request)))
    model = job.row.model

    def asking(options: Mapping[str, str]) -> Question:
        return Question(model, parameters={"binary_data_output": True, **options})

    def found(response: httpx.Response) -> dict[str, Any]:
        seen = answer(response)
        for row, preview in zip(seen.table.labels, seen.previews, strict=True):
            if row["input_sha256"] == label["input_sha256"]:
                return {"preview": preview, "picture": row["picture"]}
        sentence = "the study, or the model, is not as it was when the row was computed"
        raise ProblemError(409, "picture_differs", f"{sentence}: extract it again")

    options = {**job.request["options"], **_only(label), "preview": "stack"}
    return await _looked(request, job, options=options, asking=asking, found=found)


async def series(request: Request) -> Response:
    """Answer which image series the study has; a tie is told, not refused."""
    job = await _job(request)
    engines: Engines = request.app.state.engines
    engines.model(LISTER)
    model = engines.models.get(job.row.model)

    options = {name: text for name, text in job.request["options"].items() if name != "series"}
    asking = partial(question_of, model)
    return await _looked(request, job, options=options, asking=asking, found=listed)


ROUTES = [
    Route("/api/jobs/{id}/studies/{position:int}/picture", picture, methods=["POST"]),
    Route("/api/jobs/{id}/studies/{position:int}/series", series, methods=["POST"]),
]


async def _job(request: Request) -> Job:
    """Return the job, if it has such a study, and one that can be retrieved."""
    owner, job_id = principal_of(request).subject, request.path_params["id"]
    job = await asyncio.to_thread(jobs_of(request).records.one, owner, job_id)
    request.scope["model"] = job.row.model
    if request.path_params["position"] >= sum(job.counts.values()):
        raise ProblemError(404, "unknown_study", "the job has no study at this position")
    if job.row.kind == UPLOADS:
        sentence = "files that were uploaded are not kept: send the study again, by itself"
        raise ProblemError(409, "not_kept", sentence)
    return job


async def _label(request: Request, row: int) -> Label:
    """Return the labels of a row of the study."""
    owner, position = principal_of(request).subject, request.path_params["position"]
    stored = await asyncio.to_thread(
        jobs_of(request).records.stored,
        owner,
        request.path_params["id"],
        positions=range(position, position + 1),
    )
    labels = [label for each in stored if each.content for label in unpacked(each.content).labels]
    if row >= len(labels):
        raise ProblemError(404, "unknown_row", f"the study has {len(labels)} rows")
    return labels[row]


def _only(label: Label) -> dict[str, str]:
    """Return the options by which the row comes, and few others."""
    series = {"series": label["series_uid"]}
    if label["roi_number"] is None:
        return {**series, "regions": "whole", "roi": ""}
    return {**series, "regions": "all", "roi": label["roi"]}


async def _looked(
    request: Request,
    job: Job,
    *,
    options: Mapping[str, str],
    asking: Asking,
    found: Callable[[httpx.Response], dict[str, Any]],
) -> Response:
    """Retrieve the study, ask a Triton, and answer what is found in its answer."""
    studies: Studies = request.app.state.studies
    subject, position = principal_of(request).subject, request.path_params["position"]
    (entry,) = await asyncio.to_thread(
        jobs_of(request).records.entries, subject, job.row.id, position=position
    )
    login = await login_of(request, job.row.kind)
    request.scope["study_uids"] = (entry.name,)
    place = studies.admission.place(subject)
    try:
        with studies.regions.new() as region:
            retrieved = await login.retrieve(job.request["album"], entry.name, region=region)
            question = asking(within(options, retrieved))
            reply = await studies.answer(
                request, place, question=question, region=region, whole=True
            )
        return JSONResponse(await asyncio.to_thread(found, reply.response))
    finally:
        place.leave()
