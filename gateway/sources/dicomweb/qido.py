"""Searches of a DICOMweb server, by dicomweb-client, which blocks: so in threads."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import requests
from dicomweb_client import DICOMwebClient
from starlette.datastructures import Secret

from gateway.sources import qido, searching
from gateway.sources.asking import ANSWER_BYTES, ANSWER_SECONDS, CONNECT_SECONDS
from gateway.sources.failures import AWAY, UNREADABLE, Failures
from gateway.sources.found import Page, Series, Study
from gateway.sources.queries import Query
from gateway.sources.searching import Wanted

CHUNK_BYTES = 1 << 16

T = TypeVar("T")


class Searches:
    """Searches of the server at a URL; authorization: the header of the gateway itself, or "".

    All methods raise SourceError.
    """

    def __init__(self, url: str, authorization: Secret, failures: Failures) -> None:
        self._failures = failures
        self._session = _Session(authorization)
        self._client = DICOMwebClient(
            url,
            session=self._session,
            permissive_uid=True,  # what goes into a path is checked before
            timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
        )
        self._client.set_http_retry_params(retry=False)

    def close(self) -> None:
        """Let go of connections."""
        self._session.close()

    async def studies(self, query: Query) -> Page[Study]:
        """Return studies that are looked for; a DICOMweb server neither sorts nor counts them."""
        return await searching.studies(query, self._studies, sorts=False)

    async def series(self, study_uid: str) -> list[Series]:
        """Return the series of a study."""
        found = await self._asked(
            lambda: self._client.search_for_series(study_uid, fields=qido.SERIES_FIELDS)
        )
        return qido.series(found)

    async def _studies(self, wanted: Wanted) -> Page[Study]:
        found = await self._asked(
            lambda: self._client.search_for_studies(
                limit=wanted.limit + 1,
                offset=wanted.offset,
                fields=(*qido.STUDY_FIELDS, qido.STUDY_COUNT),
                search_filters=dict(wanted.filters),
            )
        )
        studies = qido.studies(found)
        has_more = len(found) > wanted.limit
        total = None if has_more else wanted.offset + len(studies)
        return Page(studies[: wanted.limit], total)

    async def _asked(self, ask: Callable[[], T]) -> T:
        try:
            return await asyncio.to_thread(ask)
        except requests.JSONDecodeError as error:
            raise self._failures.of(UNREADABLE) from error
        except requests.RequestException as error:
            if error.response is None:
                raise self._failures.of(AWAY) from error
            retry_after = error.response.headers.get("retry-after", "")
            raise self._failures.of_status(error.response.status_code, retry_after) from error


class _Session(requests.Session):
    """A session that is led nowhere else, and takes answers up to a size.

    It leaves out a Host header of dicomweb-client's, which lacks the port, and a Warning, which
    dicomweb-client would put into the log as the server has written it.
    """

    def __init__(self, authorization: Secret) -> None:
        super().__init__()
        self.auth = _Authorization(authorization)

    def get(  # type: ignore[override]  # as dicomweb-client calls it
        self, url: str, *, headers: dict[str, str], timeout: tuple[float, float], **_: Any
    ) -> requests.Response:
        """Return the answer of a GET; its wildcards are not encoded (searching.UNSAFE)."""
        headers.pop("Host", None)
        response = super().get(
            url.replace("%2A", "*"),
            headers=headers,
            timeout=timeout,
            allow_redirects=False,
            stream=True,
        )
        if response.is_redirect:
            raise requests.TooManyRedirects(response=response)
        response._content = _bounded(response)
        response.headers.pop("Warning", None)
        return response


def _bounded(response: requests.Response) -> bytes:
    content = bytearray()
    for chunk in response.iter_content(CHUNK_BYTES):
        content += chunk
        if len(content) > ANSWER_BYTES:
            response.close()
            raise requests.exceptions.ContentDecodingError
    return bytes(content)


class _Authorization(requests.auth.AuthBase):
    """The gateway's own header, whatever the account's .netrc says."""

    def __init__(self, authorization: Secret) -> None:
        self._authorization = authorization

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._authorization:
            request.headers["Authorization"] = str(self._authorization)
        return request
