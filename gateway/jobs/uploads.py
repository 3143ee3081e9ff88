"""Studies of a job that are uploaded: each is answered in the request that brings it."""

import asyncio

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from gateway.jobs.asking import asked
from gateway.jobs.claim import Claim, LostError
from gateway.jobs.setup import Jobs, jobs_of
from gateway.jobs.states import CHECKED, RECEIVED, UPLOADS
from gateway.jobs.trouble import is_temporary
from gateway.jobs.view import entry_json
from gateway.login.principal import principal_of
from gateway.problems import ProblemError
from gateway.uploads.body import announced_bytes, receive, refuse_type
from gateway.uploads.region import Region, RegionGoneError
from gateway.uploads.studies import Studies


async def upload(request: Request) -> Response:
    """Take the zip of a study, and answer what came of it once that is written down."""
    jobs, owner = jobs_of(request), principal_of(request).subject
    job_id, position = request.path_params["id"], request.path_params["position"]
    job = await asyncio.to_thread(jobs.records.one, owner, job_id)
    request.scope["model"] = job.row.model
    if job.row.kind != UPLOADS or position >= sum(job.counts.values()):
        raise ProblemError(404, "unknown_study", "the job waits for no file at this position")
    refuse_type(request)
    study = (job_id, position)
    jobs.runner.begin_upload(study)
    try:
        await _taken(request, jobs, study=study)
    finally:
        jobs.runner.end_upload(study)
    (entry,) = await asyncio.to_thread(jobs.records.entries, owner, job_id, position=position)
    return JSONResponse(entry_json(entry, UPLOADS))


async def _taken(request: Request, jobs: Jobs, *, study: tuple[str, int]) -> None:
    """Have a study answered, and written down; raises ProblemError if it is to be sent again."""
    studies: Studies = request.app.state.studies
    place = studies.admission.place(principal_of(request).subject)
    try:
        claim = await asyncio.to_thread(jobs.queue.claim_upload, *study)
        if claim is None:
            sentence = "the study is done, at work or cancelled: retry it first"
            raise ProblemError(409, "not_waiting", sentence)
        try:
            with studies.regions.new(announced_bytes(request)) as region:
                await _received(request, jobs, claim=claim, region=region)
                finished, uids = await asked(
                    studies,
                    place,
                    claim=claim,
                    region=region,
                    options=claim.options,
                    request=request,
                )
            request.scope["study_uids"] = uids
            await asyncio.to_thread(jobs.queue.finish, claim, finished)
        except ProblemError as error:
            await _failed(jobs, claim, error=error)
        except (ClientDisconnect, RegionGoneError):
            await asyncio.to_thread(jobs.queue.lose_file, claim)
            raise ClientDisconnect from None
    except LostError:
        raise ProblemError(409, "not_waiting", "the job was cancelled meanwhile") from None
    finally:
        place.leave()


async def _received(request: Request, jobs: Jobs, *, claim: Claim, region: Region) -> None:
    await asyncio.to_thread(jobs.queue.begin, claim, RECEIVED)
    if await receive(request, region):
        raise ProblemError(400, "bad_form", "options are stated when the job is begun, not here")
    await asyncio.to_thread(jobs.queue.move, claim, (CHECKED,))


async def _failed(jobs: Jobs, claim: Claim, *, error: ProblemError) -> None:
    """Write down a refusal of the study; what another sending may help is raised again."""
    if not is_temporary(error) and error.status in (413, 422):
        await asyncio.to_thread(jobs.queue.fail, claim, error.code, sentence=error.sentence)
        return
    trouble = claim.trouble.and_then(error.code)
    await asyncio.to_thread(jobs.queue.again, claim, trouble, sentence=error.sentence, after_s=0.0)
    raise error
