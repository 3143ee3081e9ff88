"""The way of one study of a job: out of its source, through a Triton, into the database."""

import asyncio
from collections.abc import Mapping

from gateway.jobs.asking import asked, within
from gateway.jobs.claim import Claim, Finished, LostError
from gateway.jobs.queue import Queue
from gateway.jobs.revocations import LoginOf
from gateway.jobs.states import CHECKED, RECEIVED, REFUSED, RETRIEVING
from gateway.jobs.trouble import is_temporary, pause_s, stated_pause_s
from gateway.problems import ProblemError
from gateway.sources.credential import Credential
from gateway.sources.source import Source, SourceError
from gateway.uploads.admission import Place
from gateway.uploads.region import RegionGoneError
from gateway.uploads.studies import Studies

GONE = SourceError("no_source", "this gateway is not connected to the source of the job any more")


class Retrieval:
    """Works on studies of jobs from sources.

    resting: users who had no place, by name; until when, by the loop's clock.
    """

    def __init__(
        self,
        queue: Queue,
        studies: Studies,
        *,
        sources: Mapping[str, Source],
        login_of: LoginOf,
    ) -> None:
        self._queue, self._studies, self._sources = queue, studies, sources
        self._login_of = login_of
        self.resting: dict[str, float] = {}

    async def work(self, claim: Claim) -> None:
        """Work on a study, and write down what came of it."""
        try:
            await self._work(claim)
        except LostError:
            return  # whoever has it now writes it down

    async def _work(self, claim: Claim) -> None:
        try:
            place = self._studies.admission.place(claim.owner)
        except ProblemError as refusal:
            after_s = pause_s(1, stated_pause_s(refusal))
            self.resting[claim.owner] = asyncio.get_running_loop().time() + after_s
            await asyncio.to_thread(self._queue.put_back, claim, after_s=after_s)
            return
        try:
            await self._with_place(claim, place)
        finally:
            place.leave()

    async def _with_place(self, claim: Claim, place: Place) -> None:
        await asyncio.to_thread(self._queue.begin, claim, RETRIEVING)
        try:
            finished = await self._answered(claim, place)
        except RegionGoneError:
            return  # the gateway ends, and lets go of its studies
        except (ProblemError, SourceError) as error:
            await self._failed(claim, error)
        else:
            await asyncio.to_thread(self._queue.finish, claim, finished)

    async def _answered(self, claim: Claim, place: Place) -> Finished:
        source = self._sources.get(claim.kind)
        if source is None:
            raise GONE
        with self._studies.regions.new() as region:
            retrieved = await source.retrieve(
                claim.credential, album=claim.album, study_uid=claim.name, region=region
            )
            await asyncio.to_thread(self._queue.move, claim, (RECEIVED, CHECKED))
            options = within(claim.options, retrieved)
            finished, _ = await asked(
                self._studies, place, claim=claim, region=region, options=options
            )
        return finished

    async def _failed(self, claim: Claim, error: ProblemError | SourceError) -> None:
        if error.code == REFUSED and await self._is_login_over(claim):
            await self._refused(claim)
            return
        trouble = claim.trouble.and_then(error.code)
        if not is_temporary(error) or trouble.is_too_much:
            await asyncio.to_thread(self._queue.fail, claim, error.code, sentence=error.sentence)
            return
        await asyncio.to_thread(
            self._queue.again,
            claim,
            trouble,
            sentence=error.sentence,
            after_s=pause_s(trouble.failures, stated_pause_s(error)),
        )

    async def _refused(self, claim: Claim) -> None:
        """Go on by a login of the owner, if they are there; else the job waits for it."""
        fresh = None
        if claim.trouble.code != REFUSED:
            fresh = await self._fresh(claim)
        await asyncio.to_thread(self._queue.refuse, claim, fresh)

    async def _fresh(self, claim: Claim) -> Credential | None:
        login = await self._login_of(claim.owner)
        if login is None:
            return None
        try:
            return await self._sources[claim.kind].for_job(login, claim.album)
        except SourceError:
            return None

    async def _is_login_over(self, claim: Claim) -> bool:
        """Ask for the job's album: sources say the same of a login and of one study's rights."""
        source = self._sources[claim.kind]
        try:
            await source.study_uids(claim.credential, claim.album)
        except SourceError as error:
            return error.code == REFUSED
        return False
