"""Studies of a DICOMweb server: searched, and zipped as they come, from a real Orthanc."""

import io
import zipfile
from dataclasses import replace

import httpx
import pydicom
import pytest
from gateway_server import listening
from kheops.orthanc import environment
from pydicom.uid import generate_uid
from sources_world import (
    BOUNDS,
    a_region,
    content_of,
    gateway_of,
    program,
    study_files,
    token_of,
)
from starlette.applications import Starlette
from starlette.responses import RedirectResponse
from starlette.routing import Route

from gateway.problems import ProblemError
from gateway.reading import Reader
from gateway.sources import trying
from gateway.sources.asking import source_http
from gateway.sources.credential import NO_CREDENTIAL
from gateway.sources.dicomweb.source import Dicomweb
from gateway.sources.queries import Query
from gateway.sources.settings import SourcesSettings
from gateway.sources.setup import sources_of
from gateway.sources.source import Retrieved, SourceError
from imaging.archive import Limits
from imaging.study import Study
from tools.engine.ports import free_ports

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch):
    monkeypatch.setattr(trying, "PAUSES_SECONDS", (0.0, 0.0))


@pytest.fixture(scope="module")
async def ada(_running_provider, orthanc):
    async with (
        gateway_of(_running_provider, **environment(orthanc)) as app,
        program(app, token_of(_running_provider, "ada")) as client,
    ):
        yield client


@pytest.fixture(scope="module")
async def source(orthanc):
    async with sources_of(SourcesSettings.read(Reader(environment(orthanc)))) as sources:
        yield sources.dicomweb


@pytest.fixture(scope="module")
def cohort(orthanc):
    """Studies of three patients whom no other test has; their UIDs by the patients' ids."""
    patients = {
        "DW-1": ("ROSSI^ANNA", "20200101", ("CT",)),
        "DW-2": ("DUPONT^LUC", "20200103", ("CT", "PT")),
        "DW-3": ("MEIER^DW-2", "20200102", ("MR",)),
    }
    uids = {}
    for patient, (name, date, modalities) in patients.items():
        stated = {"PatientID": patient, "PatientName": name, "StudyDate": date}
        uids[patient] = generate_uid()
        orthanc.store(
            *study_files(
                *modalities, StudyInstanceUID=uids[patient], StudyDescription="Chest", **stated
            )
        )
    return uids


FOUND = [
    ("search=DW-", ["DW-2", "DW-3", "DW-1"]),
    ("search=DW-&sort=date", ["DW-1", "DW-3", "DW-2"]),
    ("search=DW-&sort=-patient_id", ["DW-3", "DW-2", "DW-1"]),
    ("search=DW-&sort=date&limit=1&offset=1", ["DW-3"]),
    ("search=DW-2", ["DW-2", "DW-3"]),
    ("search=DW-&modality=PT", ["DW-2"]),
    ("search=DW-&modality=CT&sort=date", ["DW-1", "DW-2"]),
    ("search=rossi^anna", ["DW-1"]),
    ("search=dw-2%20", ["DW-2", "DW-3"]),
    ("search=nobody%26PatientID=DW-1", []),
]


async def test_studies_are_found_and_sorted(ada, cohort):
    assert len(cohort) == 3
    for query, patients in FOUND:
        answer = (await ada.get(f"/api/dicomweb/studies?{query}")).json()
        assert [study["patient_id"] for study in answer["studies"]] == patients, query
    assert answer["total"] == 0


async def test_a_study_is_told_with_what_is_stated_of_it(ada, cohort):
    answer = (await ada.get(f"/api/dicomweb/studies?search={cohort['DW-2']}")).json()

    assert answer == {
        "studies": [
            {
                "study_uid": cohort["DW-2"],
                "patient_id": "DW-2",
                "patient_name": "DUPONT^LUC",
                "date": "2020-01-03",
                "description": "Chest",
                "modalities": ["CT", "PT"],
                "series": 2,
                "instances": 4,
            }
        ],
        "total": 1,
    }


async def test_without_a_search_it_is_the_server_that_pages(ada, cohort):
    """It neither counts nor sorts: that there is more, it does not say."""
    found, offset = [], 0
    while True:
        page = (await ada.get(f"/api/dicomweb/studies?limit=2&offset={offset}")).json()
        found += [study["study_uid"] for study in page["studies"]]
        offset += 2
        if page["total"] is not None:
            break

    assert page["total"] == len(found) == len(set(found))
    assert set(found) >= set(cohort.values())


async def test_series_are_told(ada, cohort):
    path = f"/api/dicomweb/studies/{cohort['DW-2']}/series"

    series = (await ada.get(path)).json()["series"]

    assert [(each["modality"], each["number"], each["instances"]) for each in series] == [
        ("CT", 1, 2),
        ("PT", 2, 2),
    ]


async def test_a_study_that_is_not_there_has_no_series(ada):
    answer = await ada.get(f"/api/dicomweb/studies/{generate_uid()}/series")

    assert answer.json() == {"series": []}


async def test_what_makes_no_sense_is_refused(ada):
    for path in ("studies?limit=0", "studies?album=x", "studies/1.2./series"):
        answer = await ada.get(f"/api/dicomweb/{path}")
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_query"), path


async def retrieved(source, study):
    with a_region() as region:
        said = await source.retrieve(NO_CREDENTIAL, album=None, study_uid=study, region=region)
        assert said == Retrieved(None)
        return content_of(region)


async def test_a_study_comes_as_it_is_stored(source, orthanc):
    """Byte for byte: Orthanc stores files as they were sent."""
    study = generate_uid()
    files = study_files("CT", "MR", "RTSTRUCT", StudyInstanceUID=study)
    orthanc.store(*files)

    content = await retrieved(source, study)

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        assert sorted(map(archive.read, archive.namelist())) == sorted(files)


async def test_the_engine_reads_what_came(source, cohort):
    content = await retrieved(source, cohort["DW-2"])

    found = Study.from_zip(memoryview(content), Limits())

    assert {series.study_uid for series in found.series} == {cohort["DW-2"]}
    assert [len(series.instances) for series in found.series] == [2, 2]


async def test_a_compressed_study_comes_as_it_is_stored(source, orthanc):
    """Without being unpacked on the way: not by the server, either."""
    study = generate_uid()
    (file,) = study_files("CT", slices_each=1, StudyInstanceUID=study)
    dataset = pydicom.dcmread(io.BytesIO(file))
    dataset.compress(pydicom.uid.RLELossless)
    written = io.BytesIO()
    dataset.save_as(written)
    orthanc.store(written.getvalue())

    content = await retrieved(source, study)

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        (name,) = archive.namelist()
        assert archive.read(name) == written.getvalue()


async def test_a_study_that_is_not_there_is_not_had(source):
    with pytest.raises(SourceError, match="^source_empty"):
        await retrieved(source, generate_uid())


async def test_a_study_above_the_limit_is_refused(source, cohort):
    with (
        a_region(replace(BOUNDS, study_bytes=1000)) as region,
        pytest.raises(ProblemError, match="^too_large"),
    ):
        await source.retrieve(NO_CREDENTIAL, album=None, study_uid=cohort["DW-1"], region=region)


async def test_a_hospital_is_no_cohort(source):
    with pytest.raises(SourceError, match="^bad_query"):
        await source.study_uids(NO_CREDENTIAL, None)


async def test_a_job_needs_no_credential(source):
    assert await source.for_job(NO_CREDENTIAL, None) is NO_CREDENTIAL
    await source.release(NO_CREDENTIAL)


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"GATEWAY_DICOMWEB_PASSWORD": "wrong"}, "source_refused"),
        ({"GATEWAY_DICOMWEB_USER": "", "GATEWAY_DICOMWEB_TOKEN": "wrong"}, "source_refused"),
        ({"GATEWAY_DICOMWEB_USER": ""}, "source_refused"),
        ({"GATEWAY_DICOMWEB_URL": "http://127.0.0.1:9/dicom-web"}, "source_unreachable"),
        ({"GATEWAY_DICOMWEB_URL": "{url}/nothing-here"}, "source_empty"),
    ],
)
async def test_settings_that_are_wrong_are_told(orthanc, other, code):
    stated = environment(orthanc) | {
        name: text.format(url=orthanc.url) for name, text in other.items()
    }
    every = Query(search="", modality="", sort="", limit=50, offset=0)
    async with sources_of(SourcesSettings.read(Reader(stated))) as sources:
        with pytest.raises(SourceError, match=f"^{code}"):
            await sources.dicomweb.studies(every)
        with pytest.raises(SourceError, match=f"^{code}"):
            await retrieved(sources.dicomweb, "1.2.3")


PART = b"--x\r\nContent-Type: application/dicom\r\n\r\n" + b"D" * 1000 + b"\r\n"

TYPE = 'multipart/related; type="application/dicom"; boundary=x'

BROKEN = {
    "no last boundary": (TYPE, PART, "truncated_zip"),
    "in the middle of a part": (TYPE, PART + PART[:500], "truncated_zip"),
    "nothing": (TYPE, b"", "truncated_zip"),
    "no boundary": (TYPE.partition("; boundary")[0], PART + b"--x--\r\n", "source_failed"),
    "a page": ("text/html", b"<html>", "source_failed"),
    "another boundary": (TYPE, b"--y\r\n\r\nD\r\n--y--\r\n", "source_failed"),
    "no parts": (TYPE, b"--x--\r\n", "source_"),
}


def a_server_that(answer):
    http = source_http()
    http._transport = httpx.MockTransport(answer)
    stated = {"GATEWAY_DICOMWEB_URL": "https://pacs.example/dicom-web"}
    return Dicomweb(SourcesSettings.read(Reader(stated)), http)


@pytest.mark.parametrize("what", BROKEN)
async def test_an_answer_that_is_not_whole_is_noticed(what):
    content_type, content, code = BROKEN[what]
    source = a_server_that(
        lambda _: httpx.Response(200, content=content, headers={"Content-Type": content_type})
    )

    with a_region() as region, pytest.raises(SourceError, match=f"^{code}"):
        await source.retrieve(NO_CREDENTIAL, album=None, study_uid="1.2", region=region)


async def test_an_answer_that_is_whole_is_a_zip_of_its_parts():
    source = a_server_that(
        lambda _: httpx.Response(
            200, content=PART + PART + b"--x--\r\n", headers={"Content-Type": TYPE}
        )
    )

    with zipfile.ZipFile(io.BytesIO(await retrieved(source, "1.2"))) as archive:
        assert [archive.read(name) for name in archive.namelist()] == [b"D" * 1000] * 2


async def test_a_server_that_knows_no_transfer_syntax_is_asked_without():
    asked = []

    def answer(request):
        asked.append(request.headers["accept"])
        if "transfer-syntax" in asked[-1]:
            return httpx.Response(406)
        return httpx.Response(200, content=PART + b"--x--\r\n", headers={"Content-Type": TYPE})

    await retrieved(a_server_that(answer), "1.2")

    assert asked == [
        'multipart/related; type="application/dicom"; transfer-syntax=*',
        'multipart/related; type="application/dicom"',
    ]


async def test_a_search_is_led_nowhere_else():
    async def elsewhere(request):
        asked.append(request.url.path)
        return RedirectResponse(f"/elsewhere{request.url.path}")

    asked = []
    (port,) = free_ports(1)
    stated = {"GATEWAY_DICOMWEB_URL": f"http://127.0.0.1:{port}/dicom-web"}
    app = Starlette(routes=[Route("/{path:path}", elsewhere)])
    every = Query(search="", modality="", sort="", limit=50, offset=0)
    with listening(app, port):
        async with sources_of(SourcesSettings.read(Reader(stated))) as sources:
            for ask in (sources.dicomweb.studies(every), sources.dicomweb.series("1.2")):
                with pytest.raises(SourceError, match="^source_failed"):
                    await ask
            with pytest.raises(SourceError, match="^source_failed"):
                await retrieved(sources.dicomweb, "1.2")

    assert {path.partition("/studies")[0] for path in asked} == {"/dicom-web"}
