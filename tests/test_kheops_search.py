"""Albums, studies and series of Kheops through the gateway, as each of its users sees them."""

import jsonschema_rs
import pytest
from pydicom.uid import generate_uid
from sources_world import MARKER, gateway_of, program, study_files, token_of

from gateway.sources.description import SCHEMAS

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def gateway(_running_provider, _running_kheops):
    async with gateway_of(_running_provider, GATEWAY_KHEOPS_URL=_running_kheops.url) as app:
        yield app


@pytest.fixture
async def ada(gateway, provider):
    async with program(gateway, token_of(provider, "ada")) as client:
        yield client


async def test_albums_of_a_user_are_listed_with_the_inbox(kheops, ada):
    first = kheops.add_album("Lung", "ada")
    second = kheops.add_album("Head and neck", "ada")
    kheops.add_album("Of others", "ben")
    kheops.add_study(first, *study_files("CT", "MR"), store=False)
    kheops.add_study("ada", *study_files(), store=False)

    answer = (await ada.get("/api/kheops/albums?sort=name")).json()

    assert [album["id"] for album in answer["albums"]] == [second.id, first.id]
    lung = answer["albums"][1]
    assert (lung["name"], lung["studies"], lung["series"]) == ("Lung", 1, 2)
    assert lung["modalities"] == ["CT", "MR"]
    assert answer["total"] == 2
    assert answer["inbox"] == {"studies": 1}


async def test_albums_are_found_by_a_part_of_their_name_and_told_in_pages(kheops, ada):
    names = [f"Lung {number}" for number in range(5)]
    for name in [*names, "Brain"]:
        kheops.add_album(name, "ada")

    page = (await ada.get("/api/kheops/albums?search=LUNG&sort=-name&limit=2&offset=2")).json()

    assert [album["name"] for album in page["albums"]] == ["Lung 2", "Lung 1"]
    assert page["total"] == 5


async def test_studies_of_an_album_are_told_with_what_is_stated_of_them(kheops, ada):
    album = kheops.add_album("Lung", "ada")
    files = study_files("CT", "CT", StudyDate="20200229", StudyDescription="Chest")
    uid = kheops.add_study(album, *files, store=False)

    answer = (await ada.get(f"/api/kheops/albums/{album.id}/studies")).json()

    assert answer["total"] == 1
    assert answer["studies"] == [
        {
            "study_uid": uid,
            "patient_id": "P1",
            "patient_name": MARKER,
            "date": "2020-02-29",
            "description": "Chest",
            "modalities": ["CT"],
            "series": 2,
            "instances": 4,
        }
    ]


async def test_what_kheops_writes_for_nothing_is_empty(kheops, ada):
    album = kheops.add_album("Lung", "ada")
    kheops.add_study(album, *study_files(), store=False)
    for known in kheops.world.studies.values():
        known.update(PatientID=None, PatientName=None, StudyDescription=None, StudyDate=None)

    (study,) = (await ada.get(f"/api/kheops/albums/{album.id}/studies")).json()["studies"]

    texts = [study[each] for each in ("patient_id", "patient_name", "date", "description")]
    assert texts == ["", "", "", ""]


async def test_an_album_without_studies_is_an_empty_list(kheops, ada):
    album = kheops.add_album("Lung", "ada")

    answer = await ada.get(f"/api/kheops/albums/{album.id}/studies")

    assert (answer.status_code, answer.json()) == (200, {"studies": [], "total": 0})


@pytest.fixture
def cohort(kheops):
    """An album with studies of four patients; their UIDs by the patients' ids."""
    album = kheops.add_album("Cohort", "ada")
    patients = {
        "LC-07": ("ROSSI^ANNA", "20200101", "CT"),
        "LC-08": ("DUPONT^LUC", "20200103", "PT"),
        "LC-09": ("MEIER^LC", "20200102", "CT"),
        "HN-01": ("WEBER^LC-08", "20200104", "MR"),
    }
    uids = {}
    for patient, (name, date, modality) in patients.items():
        stated = {"PatientID": patient, "PatientName": name, "StudyDate": date}
        uids[patient] = kheops.add_study(album, *study_files(modality, **stated), store=False)
    return album, uids


FOUND = [
    ("", ["HN-01", "LC-08", "LC-09", "LC-07"]),
    ("sort=date", ["LC-07", "LC-09", "LC-08", "HN-01"]),
    ("sort=-patient_id", ["LC-09", "LC-08", "LC-07", "HN-01"]),
    ("sort=name", ["LC-08", "LC-09", "LC-07", "HN-01"]),
    ("sort=date&limit=2&offset=1", ["LC-09", "LC-08"]),
    ("modality=ct", ["LC-09", "LC-07"]),
    ("search=lc-08", ["HN-01", "LC-08"]),
    ("search=LC&sort=patient_id&limit=2&offset=1", ["LC-07", "LC-08"]),
    ("search=LC&modality=CT&sort=date", ["LC-07", "LC-09"]),
    ("search=rossi^a", ["LC-07"]),
    ("search=rossi a", []),
    ("search=nobody", []),
]


async def test_studies_are_found_and_sorted(ada, cohort):
    album, _ = cohort
    for query, patients in FOUND:
        answer = (await ada.get(f"/api/kheops/albums/{album.id}/studies?{query}")).json()
        assert [study["patient_id"] for study in answer["studies"]] == patients, query


async def test_a_study_is_found_by_its_uid(ada, cohort):
    album, uids = cohort

    path = f"/api/kheops/albums/{album.id}/studies?search={uids['LC-08']}"

    assert [each["study_uid"] for each in (await ada.get(path)).json()["studies"]] == [
        uids["LC-08"]
    ]


async def test_the_inbox_has_studies_and_series_too(kheops, ada):
    uid = kheops.add_study("ada", *study_files("CT", "RTSTRUCT"))

    studies = (await ada.get("/api/kheops/albums/inbox/studies")).json()
    series = (await ada.get(f"/api/kheops/albums/inbox/studies/{uid}/series")).json()["series"]

    assert [study["study_uid"] for study in studies["studies"]] == [uid]
    assert [(each["modality"], each["number"], each["instances"]) for each in series] == [
        ("CT", 1, 2),
        ("RTSTRUCT", 2, 2),
    ]


async def test_series_are_those_of_the_album_alone(kheops, ada):
    study = generate_uid()
    album = kheops.add_album("Lung", "ada")
    kheops.add_study(album, *study_files("CT", StudyInstanceUID=study))
    kheops.add_study("ada", *study_files("MR", StudyInstanceUID=study))

    path = f"/api/kheops/albums/{album.id}/studies/{study}/series"

    series = (await ada.get(path)).json()["series"]
    assert [each["modality"] for each in series] == ["CT"]


async def test_a_study_of_another_album_has_no_series_here(kheops, ada):
    album, other = kheops.add_album("Lung", "ada"), kheops.add_album("Brain", "ada")
    uid = kheops.add_study(other, *study_files(), store=False)

    answer = await ada.get(f"/api/kheops/albums/{album.id}/studies/{uid}/series")

    assert answer.json() == {"series": []}


async def test_the_gateway_says_that_it_has_a_kheops(ada):
    told = (await ada.get("/api/sources")).json()

    assert (told["kheops"], told["dicomweb"]) == (True, False)


async def test_answers_are_as_they_are_described(kheops, ada, cohort):
    album, uids = cohort
    (uid, *_) = uids.values()
    kheops.orthanc.store(*study_files("CT", StudyInstanceUID=uid))
    place = f"/api/kheops/albums/{album.id}/studies"
    for path, schema in (
        ("/api/sources", "Sources"),
        ("/api/kheops/albums", "Albums"),
        (place, "Studies"),
        (f"{place}?search=nobody", "Studies"),
        (f"{place}/{uid}/series", "SeriesOfAStudy"),
    ):
        answer = (await ada.get(path)).json()
        jsonschema_rs.validate(SCHEMAS[schema], answer)


OF_OTHERS = [
    "/api/kheops/albums/{album}/studies",
    "/api/kheops/albums/{album}/studies?search=P1",
    "/api/kheops/albums/{album}/studies/{study}/series",
    "/api/kheops/albums/inbox/studies/{study}/series",
]


async def test_nobody_sees_what_is_another_s(kheops, ada):
    album = kheops.add_album("Of Ben", "ben")
    study = kheops.add_study(album, *study_files())
    kheops.add_album("Of Ada", "ada")

    for path in OF_OTHERS:
        answer = await ada.get(path.format(album=album.id, study=study))
        assert (answer.status_code, answer.json()["code"]) == (404, "source_empty"), path


async def test_albums_and_the_inbox_are_one_s_own(kheops, ada):
    album = kheops.add_album("Of Ben", "ben")
    kheops.add_study(album, *study_files(), store=False)
    kheops.add_study("ben", *study_files(), store=False)
    kheops.add_album("Of Ada", "ada")

    albums = (await ada.get("/api/kheops/albums")).json()

    assert [each["name"] for each in albums["albums"]] == ["Of Ada"]
    assert albums["inbox"] == {"studies": 0}
    assert (await ada.get("/api/kheops/albums/inbox/studies")).json()["studies"] == []


NOT_SEARCHES = [
    "/api/kheops/albums?limit=0",
    "/api/kheops/albums?limit=1001",
    "/api/kheops/albums?limit=x",
    "/api/kheops/albums?offset=-1",
    "/api/kheops/albums?sort=users",
    "/api/kheops/albums?sort=name&sort=-name",
    "/api/kheops/albums?modality=CT",
    "/api/kheops/albums?url=https://elsewhere.example",
    "/api/kheops/albums?search=a*",
    "/api/kheops/albums?search=a%5Cb",
    "/api/kheops/albums?search=a%00b",
    f"/api/kheops/albums?search={'a' * 65}",
    "/api/kheops/albums/short/studies",
    "/api/kheops/albums/37bs6GW5cR5/studies",
    "/api/kheops/albums/37bs6GW5c%0A/studies",
    "/api/kheops/albums/..%2F..%2Fregis/studies",
    "/api/kheops/albums/37bs6GW5cR/studies?modality=C%20T",
    "/api/kheops/albums/37bs6GW5cR/studies/1.2./series",
    "/api/kheops/albums/37bs6GW5cR/studies/1..2/series",
    "/api/kheops/albums/37bs6GW5cR/studies/1.2%3Falbum=x/series",
    f"/api/kheops/albums/37bs6GW5cR/studies/1.{'2' * 63}/series",
    "/api/kheops/albums/37bs6GW5cR/studies/1.2/series?limit=1",
]


async def test_kheops_is_not_asked_what_makes_no_sense(kheops, ada):
    for path in NOT_SEARCHES:
        answer = await ada.get(path)
        assert answer.status_code in (400, 404), path
        assert answer.json()["code"] in ("bad_query", "not_found"), path
    assert not kheops.world.asked


async def test_too_many_to_be_put_together_are_refused(ada, cohort, monkeypatch):
    monkeypatch.setattr("gateway.sources.searching.MOST_FOUND", 2)
    album, _ = cohort

    answer = await ada.get(f"/api/kheops/albums/{album.id}/studies?search=LC")

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_query")
    assert "more than 2 studies" in answer.json()["detail"]


async def test_sources_that_are_not_there_are_not_found(provider):
    async with (
        gateway_of(provider) as app,
        program(app, token_of(provider, "ada")) as ada,
    ):
        told = (await ada.get("/api/sources")).json()
        assert (told["kheops"], told["dicomweb"]) == (False, False)
        for path in ("kheops/albums", "dicomweb/studies"):
            answer = await ada.get(f"/api/{path}")
            assert (answer.status_code, answer.json()["code"]) == (404, "no_source")
