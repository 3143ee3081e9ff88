"""`/api/jobs`: cohorts that are begun here and end by themselves."""

import asyncio
import time
from typing import Any

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.engines.pool import Engines
from gateway.jobs.events import job_events
from gateway.jobs.login import Login, login_of
from gateway.jobs.looking import ROUTES as LOOKING
from gateway.jobs.quantimage import LONG_FORMS
from gateway.jobs.results import FORMS, Made
from gateway.jobs.setup import Jobs, jobs_of
from gateway.jobs.stated import (
    bad_job,
    document_of,
    refuse_too_many,
    stated_job,
    stated_retry,
)
from gateway.jobs.states import UPLOADS
from gateway.jobs.store import NewJob
from gateway.jobs.uploads import upload
from gateway.jobs.view import job_json, whole_json
from gateway.login.principal import principal_of
from gateway.problems import ProblemError
from gateway.results.bundle import file_title
from gateway.results.desk import Desk
from gateway.results.exclusion import refuse_unknown
from gateway.results.quantimage import allowed, is_quantimage
from gateway.results.responses import file_response
from gateway.sources.callers import credential_of
from gateway.sources.credential import ACCESS, NO_CREDENTIAL
from gateway.uploads.options import options_of

ALL_STUDIES = 1 << 30


async def create(request: Request) -> Response:
    """Begin a job.

    The scope gets `model` and `study_uids` for those who watch over requests.
    """
    jobs, engines = jobs_of(request), request.app.state.engines
    stated = stated_job(await document_of(request), most_studies=jobs.settings.studies)
    request.scope["model"] = _feature_model(engines, stated.model)
    login = Login(None, NO_CREDENTIAL)
    names = stated.names
    if stated.kind != UPLOADS:
        login = await login_of(request, stated.kind)
        if names is None:
            names = await _all_names(login, stated.album, most=jobs.settings.studies)
        request.scope["study_uids"] = names
    new = NewJob(
        owner=principal_of(request).subject,
        model=stated.model,
        kind=stated.kind,
        album=stated.album,
        title=stated.title,
        options=stated.options,
        names=names or (),
    )
    expires_at = time.time() + jobs.settings.rows_s
    async with login.for_job(stated.album) as credential:
        job_id = await asyncio.to_thread(
            jobs.store.create, new, credential=credential, expires_at=expires_at
        )
    jobs.runner.wake()
    where = {"Location": f"/api/jobs/{job_id}"}
    return JSONResponse(await _whole(jobs, new.owner, job_id=job_id), 202, where)


async def all_jobs(request: Request) -> Response:
    """Answer a user's jobs, the newest first, without their studies."""
    owner = principal_of(request).subject
    found = await asyncio.to_thread(jobs_of(request).records.all_of, owner)
    content = {"jobs": [job_json(job) for job in found]}
    return JSONResponse(content, background=_revoking(request))


async def one(request: Request) -> Response:
    """Answer a job with its studies."""
    owner, job_id = _which(request)
    found = await _whole(jobs_of(request), owner, job_id=job_id)
    return JSONResponse(found, background=_revoking(request))


async def cancel(request: Request) -> Response:
    """Cancel what is not done of a job."""
    jobs, (owner, job_id) = jobs_of(request), _which(request)
    await asyncio.to_thread(jobs.store.cancel, owner, job_id)
    jobs.runner.drop(job_id)
    found = await _whole(jobs, owner, job_id=job_id)
    return JSONResponse(found, 202, background=_revoking(request))


async def delete(request: Request) -> Response:
    """Cancel a job, and delete all that is kept of it."""
    jobs, (owner, job_id) = jobs_of(request), _which(request)
    await asyncio.to_thread(jobs.store.delete, owner, job_id)
    jobs.runner.drop(job_id)
    return Response(status_code=204, background=_revoking(request))


async def retry(request: Request) -> Response:
    """Begin again with what failed or was cancelled, or with other series, by the login of now."""
    jobs, (owner, job_id) = jobs_of(request), _which(request)
    stated = stated_retry(await document_of(request))
    job = await asyncio.to_thread(jobs.records.one, owner, job_id)
    if any(each >= sum(job.counts.values()) for each in (*stated.positions, *stated.series)):
        raise bad_job("a position is none of the job's")
    login = Login(None, NO_CREDENTIAL)
    if job.row.kind != UPLOADS:
        login = await login_of(request, job.row.kind)
    expires_at = time.time() + jobs.settings.rows_s
    async with login.for_job(job.request["album"]) as credential:
        await asyncio.to_thread(
            jobs.store.retry,
            owner,
            job_id,
            positions=stated.positions,
            older=stated.older,
            series=stated.series,
            credential=credential,
            expires_at=expires_at,
        )
    jobs.runner.wake()
    found = await _whole(jobs, owner, job_id=job_id)
    return JSONResponse(found, 202, background=_revoking(request))


async def results(request: Request) -> Response:
    """Answer the rows so far as a file; it is called after the job's title."""
    jobs, (owner, job_id) = jobs_of(request), _which(request)
    query = request.query_params
    forms = LONG_FORMS if is_quantimage(query.getlist("profile")) else FORMS
    name = request.path_params["form"]
    form = forms.get(name)
    if form is None:
        raise ProblemError(404, "not_found", f"results can be had as {', '.join(forms)}")
    allow = allowed(options_of(("allow", each) for each in query.getlist("allow")))
    job = await asyncio.to_thread(jobs.records.one, owner, job_id)
    positions = _positions(request) if form.is_paged else range(ALL_STUDIES)
    excluded = _excluded(request)
    model = request.app.state.engines.models.get(job.row.model)

    def written() -> bytes:
        studies = jobs.records.stored(owner, job_id, positions=positions)
        parameters = model.parameters if model else {}
        return form.write(Made(job, studies, parameters, allow=allow, excluded=excluded))

    desk: Desk = request.app.state.desk
    content = await desk.done(written)
    title = "" if form.is_paged else f"features_album_{file_title(job.request['title'])}.{name}"
    return file_response(content, name, name=title)


ROUTES = [
    Route("/api/jobs", all_jobs, methods=["GET"]),
    Route("/api/jobs", create, methods=["POST"]),
    Route("/api/jobs/{id}", one, methods=["GET"]),
    Route("/api/jobs/{id}", delete, methods=["DELETE"]),
    Route("/api/jobs/{id}/events", job_events, methods=["GET"]),
    Route("/api/jobs/{id}/retry", retry, methods=["POST"]),
    Route("/api/jobs/{id}/cancel", cancel, methods=["POST"]),
    Route("/api/jobs/{id}/results.{form}", results, methods=["GET"]),
    Route("/api/jobs/{id}/studies/{position:int}/file", upload, methods=["PUT"]),
    *LOOKING,
]


def _which(request: Request) -> tuple[str, str]:
    return principal_of(request).subject, request.path_params["id"]


async def _whole(jobs: Jobs, owner: str, *, job_id: str) -> dict[str, Any]:
    job = await asyncio.to_thread(jobs.records.one, owner, job_id)
    return whole_json(job, await asyncio.to_thread(jobs.records.entries, owner, job_id))


def _feature_model(engines: Engines, name: str) -> str:
    model = engines.model(name)
    if not model.has_features:
        raise ProblemError(404, "unknown_model", "the model gives no features")
    return model.name


async def _all_names(login: Login, album: str | None, *, most: int) -> tuple[str, ...]:
    names = await login.study_uids(album)
    refuse_too_many(names, most)
    if not names:
        raise ProblemError(422, "no_studies", "there are no studies in this album")
    return names


def _positions(request: Request) -> range:
    """Return which studies are asked for; all without a word about it."""
    offset, limit = (_number(request, name) for name in ("offset", "limit"))
    start = offset or 0
    return range(start, ALL_STUDIES if limit is None else min(start + limit, ALL_STUDIES))


def _excluded(request: Request) -> frozenset[str]:
    """Return the quality codes, stated with commas, that rows are left out by."""
    stated = request.query_params.get("exclude", "")
    codes = frozenset(filter(None, stated.split(",")))
    try:
        refuse_unknown(codes)
    except ValueError as error:
        raise ProblemError(400, "bad_query", str(error)) from None
    return codes


def _number(request: Request, name: str) -> int | None:
    stated = request.query_params.get(name)
    if stated is None:
        return None
    if not (stated.isascii() and stated.isdigit() and len(stated) < 9):
        raise ProblemError(400, "bad_query", f"{name} is a number, 0 or more")
    return int(stated)


def _revoking(request: Request) -> BackgroundTask:
    """Return what is done after an answer: what the jobs of its user have left is revoked."""
    return BackgroundTask(_revoke, request)


async def _revoke(request: Request) -> None:
    try:
        by = await credential_of(request)
    except ProblemError:
        return
    if by.kind == ACCESS:
        await jobs_of(request).revocations.revoke_of(principal_of(request).subject, by)
