"""Images as Kheops gives them: its own zip of a study, and WADO-RS passed on from the PACS."""

import io
import zipfile
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import httpx
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MediaStorageDirectoryStorage, generate_uid
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from kheops.searches import UID
from kheops.tokens import Unauthorized
from kheops.world import Somebody

if TYPE_CHECKING:
    from kheops.stand_in import Kheops

WADO = 'multipart/related; type="application/dicom"'


async def study(kheops: "Kheops", request: Request, somebody: Somebody) -> Response:
    """Answer the zip of a study: of all that somebody sees of it, whatever album is named."""
    uid = request.path_params["study"]
    accept = request.query_params.get("accept", request.headers.get("accept", ""))
    if not UID.match(uid):
        return Response(status_code=400)
    if accept != "application/zip":
        return Response(status_code=406)
    seen = {key[1] for key in kheops.world.seen(somebody, uid)}
    if not seen:
        return Response(status_code=502)
    files = await _files(request.app.state.pacs, uid, seen)
    if files is None:
        return Response(status_code=502)
    is_cut = kheops.truncations[uid] > 0
    kheops.truncations[uid] -= is_cut
    content = zip_of_kheops(files)
    # Without a length, in chunks; a failure is a zip that ends early.
    return StreamingResponse(
        _chunks(content[: len(content) * 2 // 3] if is_cut else content),
        media_type="application/zip",
        headers={"Content-Disposition": 'attachment; filename="DICOM.ZIP"'},
    )


async def series(kheops: "Kheops", request: Request, somebody: Somebody) -> Response:
    """Answer a series by WADO-RS; one that somebody does not see is a 401."""
    uid, name = request.path_params["study"], request.path_params["series"]
    if (uid, name) not in kheops.world.seen(somebody, uid):
        raise Unauthorized
    if request.headers.get("accept") != WADO:
        return Response(status_code=406)
    answer = await request.app.state.pacs.get(
        f"/dicom-web/studies/{uid}/series/{name}", headers={"Accept": WADO}
    )
    if answer.status_code != 200:
        return Response(status_code=502)
    return Response(answer.content, media_type=answer.headers["content-type"])


def zip_of_kheops(files: list[bytes]) -> bytes:
    """Return the zip that Kheops makes of some DICOM files."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for number, content in enumerate(files, 1):
            archive.writestr(f"DICOM/{number // 1000}/{number}", content)
        archive.writestr("DICOMDIR", _dicomdir())
    return file.getvalue()


async def _files(pacs: httpx.AsyncClient, study: str, series: set[str]) -> list[bytes] | None:
    query = {"Level": "Series", "Query": {"StudyInstanceUID": study}, "Expand": True}
    names = [
        name
        for each in (await pacs.post("/tools/find", json=query)).json()
        if each["MainDicomTags"]["SeriesInstanceUID"] in series
        for name in each["Instances"]
    ]
    return [(await pacs.get(f"/instances/{name}/file")).content for name in names] or None


async def _chunks(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 8192):
        yield content[start : start + 8192]


def _dicomdir() -> bytes:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset.FileSetID = "KHEOPS"
    dataset.DirectoryRecordSequence = []
    content = io.BytesIO()
    pydicom.dcmwrite(content, dataset, enforce_file_format=True)
    return content.getvalue()
