"""What there is to choose from: albums, studies and series of the sources that are configured."""

from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.jobs.settings import DAY_S
from gateway.problems import ProblemError
from gateway.sources.callers import credential_of
from gateway.sources.dicomweb.source import Dicomweb
from gateway.sources.found import Series
from gateway.sources.kheops.ids import INBOX, is_album
from gateway.sources.kheops.source import Kheops
from gateway.sources.qido import is_uid
from gateway.sources.queries import ALBUM_SORTS, STUDY_SORTS, bad_query, query_of


async def sources(request: Request) -> Response:
    """Answer which sources there are, and what jobs may be."""
    state = request.app.state
    return JSONResponse(
        {
            "kheops": "kheops" in state.sources,
            "dicomweb": "dicomweb" in state.sources,
            "jobs": state.jobs is not None,
            "studies_of_a_job": state.settings.jobs.studies,
            "rows_days": state.settings.jobs.rows_s / DAY_S,
        }
    )


async def albums(request: Request) -> Response:
    """Answer albums of Kheops that the sender sees."""
    kheops = _kheops(request)
    query = query_of(request.query_params, sorts=ALBUM_SORTS, has_modality=False)
    found = await kheops.albums(await credential_of(request), query)
    return JSONResponse(found.as_json())


async def album_studies(request: Request) -> Response:
    """Answer studies of an album, or of the sender's inbox."""
    kheops, album = _kheops(request), _album(request)
    query = query_of(request.query_params, sorts=STUDY_SORTS, has_modality=True)
    found = await kheops.studies(await credential_of(request), album=album, query=query)
    return JSONResponse(found.as_json("studies"))


async def album_series(request: Request) -> Response:
    """Answer the series of a study that an album has."""
    kheops, album, study_uid = _kheops(request), _album(request), _study_uid(request)
    _refuse_query(request)
    credential = await credential_of(request)
    return _series(await kheops.series(credential, album=album, study_uid=study_uid))


async def studies(request: Request) -> Response:
    """Answer studies of the DICOMweb server."""
    query = query_of(request.query_params, sorts=STUDY_SORTS, has_modality=True)
    found = await _dicomweb(request).studies(query)
    return JSONResponse(found.as_json("studies"))


async def study_series(request: Request) -> Response:
    """Answer the series of a study of the DICOMweb server."""
    study_uid = _study_uid(request)
    _refuse_query(request)
    return _series(await _dicomweb(request).series(study_uid))


ROUTES = (
    Route("/api/sources", sources),
    Route("/api/kheops/albums", albums),
    Route("/api/kheops/albums/{album}/studies", album_studies),
    Route("/api/kheops/albums/{album}/studies/{study_uid}/series", album_series),
    Route("/api/dicomweb/studies", studies),
    Route("/api/dicomweb/studies/{study_uid}/series", study_series),
)


def _kheops(request: Request) -> Kheops:
    source: Kheops | None = request.app.state.sources.get("kheops")
    if source is None:
        raise ProblemError(404, "no_source", "this gateway has no Kheops (GATEWAY_KHEOPS_URL)")
    return source


def _dicomweb(request: Request) -> Dicomweb:
    source: Dicomweb | None = request.app.state.sources.get("dicomweb")
    if source is None:
        sentence = "this gateway has no DICOMweb server (GATEWAY_DICOMWEB_URL)"
        raise ProblemError(404, "no_source", sentence)
    return source


def _album(request: Request) -> str | None:
    """Return the id of the album in the path; None for the inbox."""
    stated: str = request.path_params["album"]
    if stated == INBOX:
        return None
    if not is_album(stated):
        raise bad_query(f"an album is named by ten letters and digits, or is {INBOX}")
    return stated


def _study_uid(request: Request) -> str:
    stated: str = request.path_params["study_uid"]
    if not is_uid(stated):
        raise bad_query("a study is named by its StudyInstanceUID")
    return stated


def _refuse_query(request: Request) -> None:
    if request.query_params:
        raise bad_query("the series of a study are told all at once, without a search")


def _series(found: list[Series]) -> Response:
    return JSONResponse({"series": [asdict(each) for each in found]})
