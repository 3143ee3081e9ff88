"""Jobs over HTTP, with the real Triton and a source in memory."""

import csv
import io
import threading

import httpx
import numpy as np
import pytest
from jobs_world import ALBUM, KEY, failed, jobs_gateway, source_of, uids
from openpyxl import load_workbook
from starlette.routing import Match

from gateway.jobs.routes import ROUTES as OURS
from gateway.sources.source import SourceError
from tools.phantom import phantom_zip

ZIP = {"Content-Type": "application/zip"}


@pytest.fixture(scope="module")
def world(server, tmp_path_factory):
    """A client of a gateway with jobs, and the source in memory."""
    file = tmp_path_factory.mktemp("jobs") / "jobs.sqlite"
    source = source_of(3)
    limits = {
        "GATEWAY_STUDIES_OF_A_JOB": "4",
        "GATEWAY_JOBS_OF_ONE_USER": "5",
        "GATEWAY_REQUESTS_A_MINUTE": "100000",
    }
    with jobs_gateway(server.http_url, f"sqlite:///{file}", source=source, **limits) as found:
        yield found[0], source


@pytest.fixture
def ada(world):
    """A user without jobs."""
    client, source = world
    source.failing.clear()
    source.refuses.clear()
    source.held = None
    source.retrieved.clear()
    yield client
    for job in client.ask("GET").json()["jobs"]:
        client.ask("DELETE", f"/{job['id']}")


@pytest.fixture
def _short_pauses(monkeypatch):
    """Let the second try come at once, and the fifth soon."""
    monkeypatch.setattr("gateway.jobs.trouble.FIRST_PAUSE_S", 0.02)


@pytest.fixture
def source(world):
    return world[1]


def test_an_album_ends_complete_with_each_study_once(ada, source):
    begun = ada.begin(title="Lungs", options={"regions": "whole"})

    job = ada.ended(begun["id"])

    assert (job["title"], job["model"]) == ("Lungs", "ct3dcnn")
    assert job["source"] == {"kind": "kheops", "album": ALBUM}
    assert job["options"] == {"regions": "whole"}
    assert {state: count for state, count in job["counts"].items() if count} == {"done": 3}
    assert [study["study_uid"] for study in job["studies"]] == uids(3)
    assert {study["attempts"] for study in job["studies"]} == {1}
    assert sorted(source.retrieved) == uids(3)
    found = ada.ask("GET", f"/{job['id']}/results.json").json()
    assert [answer["study_uid"] for answer in found["answers"]] == uids(3)
    assert job["rows"] == sum(len(answer["rows"]) for answer in found["answers"]) == 3
    assert source.albums == {ALBUM}


def test_rows_are_those_of_a_single_upload(ada, source):
    study = source.studies[uids(1)[0]]
    job = ada.ended(ada.begin(uids(1))["id"])

    (answer,) = ada.ask("GET", f"/{job['id']}/results.json").json()["answers"]

    url = f"{ada.url}/api/models/ct3dcnn/features?preview=false"
    single = httpx.post(url, content=study, headers=ZIP, timeout=60).json()
    assert answer["rows"] == single["rows"]
    assert answer["report"]["series"] == single["report"]["series"]


def test_results_are_had_by_pages_and_as_a_table(ada):
    job = ada.ended(ada.begin()["id"])
    whole = ada.ask("GET", f"/{job['id']}/results.json").json()

    page = ada.ask("GET", f"/{job['id']}/results.json", params={"offset": 1, "limit": 1}).json()
    table = ada.ask("GET", f"/{job['id']}/results.csv")

    assert page["answers"] == whole["answers"][1:2]
    assert page["feature_names"] == whole["feature_names"]
    names, *rows = csv.reader(io.StringIO(table.text))
    assert names == ["PatientID", "Modality", "ROI", *whole["feature_names"]]
    np.testing.assert_array_equal(
        np.array([row[3:] for row in rows], np.float32),
        np.array([row["features"] for each in whole["answers"] for row in each["rows"]], "f4"),
    )


def test_a_workbook_has_the_rows_and_what_failed(ada, source):
    source.failing[uids(1)[0]] = [SourceError("source_empty", "it is not there any more")]
    job = ada.ended(ada.begin(title="Lungs / left")["id"])

    answer = ada.ask("GET", f"/{job['id']}/results.xlsx")

    assert answer.headers["content-disposition"].endswith("features_album_Lungs%20_%20left.xlsx")
    book = load_workbook(io.BytesIO(answer.content))
    assert book["Features"].max_row == 1 + 2
    excluded = list(book["Exclusions"].iter_rows(values_only=True))
    assert any("source_empty" in row for row in excluded)


def test_a_form_that_is_none_is_refused(ada):
    job = ada.ended(ada.begin(uids(1))["id"])

    answer = ada.ask("GET", f"/{job['id']}/results.doc")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_events_tell_each_step_and_end_with_the_job(ada):
    begun = ada.begin(uids(2))
    told = list(ada.events(begun["id"]))

    assert told[0][1] == "snapshot"
    assert [study["position"] for study in told[0][2]["studies"]] == [0, 1]
    ada.ended(begun["id"])
    every = list(ada.events(begun["id"], last=0))
    of_first = [found for _, name, found in every if name == "study" and found["position"] == 0]
    assert [found["state"] for found in of_first] == [
        "retrieving",
        "received",
        "checked",
        "decoded",
        "inferred",
        "done",
    ]
    assert of_first[3]["seconds"] > 0
    assert of_first[5]["rows"] == 1
    assert told[-1][1] == "job"
    assert told[-1][2]["state"] == "ended"
    assert told[-1][2]["counts"]["done"] == 2


def test_events_go_on_where_a_browser_was(ada, source):
    source.held = threading.Event()
    begun = ada.begin(uids(2))
    seen = []
    for number, _, found in ada.events(begun["id"], last=0):
        seen.append(number)
        if found["state"] == "retrieving":
            source.held.set()
            break

    rest = [number for number, *_ in ada.events(begun["id"], last=seen[-1])]

    ada.ended(begun["id"])
    every = [number for number, name, _ in ada.events(begun["id"], last=0) if name == "study"]
    assert min(rest) > seen[-1]
    assert set(seen) | set(rest) >= set(every)


def test_a_browser_that_has_heard_the_end_is_told_not_to_ask_again(ada):
    begun = ada.begin(uids(1))
    *_, last = ada.events(begun["id"])

    answer = ada.ask("GET", f"/{begun['id']}/events", headers={"Last-Event-ID": str(last[0])})

    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.usefixtures("_short_pauses")
def test_what_is_temporary_is_tried_again_and_the_report_says_so(ada, source):
    source.failing[uids(1)[0]] = [failed(), failed()]

    job = ada.ended(ada.begin(uids(2))["id"])

    assert job["counts"]["done"] == 2
    assert [study["attempts"] for study in job["studies"]] == [3, 1]
    (sentence,) = job["events"]
    assert sentence.startswith("Kheops failed 2 times")


@pytest.mark.usefixtures("_short_pauses")
def test_a_truncated_zip_is_believed_after_five(ada, source):
    truncated = SourceError("truncated_zip", "the zip was cut off", temporary=True)
    source.failing[uids(1)[0]] = [truncated] * 9
    begun = ada.begin(uids(1))

    job = ada.ended(begun["id"])
    (study,) = job["studies"]
    assert (study["state"], study["attempts"]) == ("failed", 5)
    assert study["sentence"] == "the zip was cut off"


def test_what_is_permanent_fails_with_its_code_and_sentence(ada, source):
    source.studies["1.2.3"] = b"no zip"
    empty = SourceError("source_empty", "the study is not in the album any more")
    source.failing[uids(1)[0]] = [empty]
    try:
        job = ada.ended(ada.begin(["1.2.3", *uids(2)])["id"])
    finally:
        del source.studies["1.2.3"]

    assert [(study["state"], study["code"]) for study in job["studies"]] == [
        ("failed", "not_a_zip"),
        ("failed", "source_empty"),
        ("done", ""),
    ]
    assert job["studies"][1]["sentence"] == "the study is not in the album any more"

    ada.ask("POST", f"/{job['id']}/retry", json={"positions": [1]})
    job = ada.ended(job["id"])
    assert [study["state"] for study in job["studies"]] == ["failed", "done", "done"]
    assert job["studies"][1]["attempts"] == 2


def test_a_job_waits_for_a_login_and_goes_on_by_a_retry(ada, source):
    source.held = threading.Event()
    begun = ada.begin(uids(2))
    source.refuses.add(f"hush-{source.minted[-1]}")
    source.held.set()
    job = ada.until(begun["id"], lambda job: job["code"] == "source_refused")
    assert job["state"] == "running"
    assert "log in again" in job["sentence"]

    assert ada.ask("POST", f"/{begun['id']}/retry").status_code == 202

    job = ada.ended(begun["id"])
    assert (job["counts"]["done"], job["code"]) == (2, "")
    assert job["events"] == ["Kheops asked for a new login once"]


def test_one_study_that_is_refused_holds_no_other_up(ada, source):
    source.failing[uids(1)[0]] = [SourceError("source_refused", "you may not see it")]

    job = ada.ended(ada.begin(uids(2))["id"])

    assert [study["code"] for study in job["studies"]] == ["source_refused", ""]


def test_a_cancel_ends_what_waits_and_what_is_at_work(ada, source):
    source.held = threading.Event()
    begun = ada.begin()
    ada.until(begun["id"], lambda job: job["counts"]["retrieving"] == 3)

    cancelled = ada.ask("POST", f"/{begun['id']}/cancel")

    assert cancelled.status_code == 202
    assert (cancelled.json()["state"], cancelled.json()["counts"]["cancelled"]) == ("cancelled", 3)
    source.held.set()
    job = ada.ask("POST", f"/{begun['id']}/retry").json()
    assert job["state"] == "running"
    assert ada.ended(begun["id"])["counts"]["done"] == 3


def test_a_deleted_job_is_gone(ada):
    begun = ada.begin(uids(1))

    assert ada.ask("DELETE", f"/{begun['id']}").status_code == 204

    assert ada.ask("GET", f"/{begun['id']}").json()["code"] == "unknown_job"
    assert ada.ask("GET").json() == {"jobs": []}


def test_jobs_are_listed_newest_first_without_studies(ada):
    first, second = ada.begin(uids(1)), ada.begin(uids(2))

    listed = ada.ask("GET").json()["jobs"]

    assert [job["id"] for job in listed] == [second["id"], first["id"]]
    assert all("studies" not in job for job in listed)


UPLOADS = {"source": {"kind": "uploads"}, "model": "ct3dcnn"}


def test_uploads_are_answered_in_their_request_and_kept(ada):
    body = {**UPLOADS, "studies": [{"key": "first"}, {"key": "second"}]}
    job_id = ada.ask("POST", json=body).json()["id"]

    sent = ada.ask("PUT", f"/{job_id}/studies/1/file", content=phantom_zip(), headers=ZIP)

    assert sent.status_code == 200
    assert (sent.json()["key"], sent.json()["state"], sent.json()["rows"]) == ("second", "done", 1)
    assert ada.job(job_id)["state"] == "running"
    refused = ada.ask("PUT", f"/{job_id}/studies/0/file", content=b"no zip", headers=ZIP)
    assert (refused.status_code, refused.json()["code"]) == (200, "not_a_zip")
    assert ada.job(job_id)["state"] == "ended"
    (answer,) = ada.ask("GET", f"/{job_id}/results.json").json()["answers"]
    assert (answer["key"], len(answer["rows"])) == ("second", 1)
    ada.ask("POST", f"/{job_id}/retry")
    assert ada.job(job_id)["studies"][0]["state"] == "needs_file"
    again = ada.ask("PUT", f"/{job_id}/studies/0/file", content=phantom_zip(), headers=ZIP)
    assert again.json()["state"] == "done"


def test_a_study_that_waits_for_no_file_is_refused(ada):
    job_id = ada.ask("POST", json={**UPLOADS, "studies": [{"key": "a"}]}).json()["id"]
    url = f"/{job_id}/studies/0/file"
    ada.ask("PUT", url, content=phantom_zip(), headers=ZIP)

    twice = ada.ask("PUT", url, content=phantom_zip(), headers=ZIP)
    beyond = ada.ask("PUT", f"/{job_id}/studies/1/file", content=phantom_zip(), headers=ZIP)

    assert (twice.status_code, twice.json()["code"]) == (409, "not_waiting")
    assert (beyond.status_code, beyond.json()["code"]) == (404, "unknown_study")


ROUTES = [
    ("GET", ""),
    ("GET", "/events"),
    ("GET", "/results.json"),
    *(("GET", f"/results.{form}") for form in ("csv", "zip", "xlsx", "parquet")),
    ("POST", "/retry"),
    ("POST", "/cancel"),
    ("PUT", "/studies/0/file"),
    ("POST", "/studies/0/picture"),
    ("POST", "/studies/0/series"),
    ("DELETE", ""),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("kind", ["kheops", "uploads"])
def test_somebody_else_s_job_is_not_there(ada, method, path, kind):
    if kind == "uploads":
        body = {**UPLOADS, "studies": [{"key": "a"}]}
        job = ada.ask("POST", json=body).json()
    else:
        job = ada.ended(ada.begin(uids(1))["id"])

    content = {"content": b"PK", "headers": ZIP} if method == "PUT" else {}
    answer = ada.as_user("eve").ask(method, f"/{job['id']}{path}", **content)
    nobody_s = ada.ask(method, f"/AAAAAAAAAAAAAAAAAAAAAA{path}", **content)

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_job")
    assert answer.content == nobody_s.content
    assert ada.as_user("eve").ask("GET").json() == {"jobs": []}
    assert ada.job(job["id"])["state"] == job["state"]


def test_every_route_of_a_job_is_asked_for_by_somebody_else():
    asked = {
        (route.path, method)
        for method, path in ROUTES
        for route in OURS
        if route.matches({"type": "http", "method": method, "path": f"/api/jobs/x{path}"})[0]
        is Match.FULL
    }
    served = {(route.path, method) for route in OURS for method in route.methods - {"HEAD"}}
    assert asked == {(path, method) for path, method in served if "{id}" in path}


KHEOPS = {"kind": "kheops", "album": ALBUM}
STUDY = {"study_uid": "1.2.3"}


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"source": None}, 400, "bad_job"),
        ({"source": {"kind": "ftp"}}, 400, "bad_job"),
        ({"source": {"kind": "kheops", "album": "../../x"}}, 400, "bad_job"),
        ({"source": {"kind": "kheops"}}, 400, "bad_job"),
        ({"source": {"kind": "dicomweb"}}, 404, "no_source"),
        ({"source": {**KHEOPS, "url": "http://example.org"}}, 400, "bad_job"),
        ({"studies": []}, 400, "bad_job"),
        ({"studies": "some"}, 400, "bad_job"),
        ({"studies": [{"study_uid": "1.2/../3"}]}, 400, "bad_job"),
        ({"studies": [STUDY, STUDY]}, 400, "bad_job"),
        ({"studies": [{"key": "a"}]}, 400, "bad_job"),
        ({"studies": [{"study_uid": uid} for uid in uids(5)]}, 422, "too_many_studies"),
        ({"source": {"kind": "uploads"}, "studies": "all"}, 400, "bad_job"),
        ({"source": {"kind": "uploads"}, "studies": [{"key": "Doe, John"}]}, 400, "bad_job"),
        ({"model": "none"}, 404, "unknown_model"),
        ({"model": "dicom_to_nifti"}, 404, "unknown_model"),
        ({"model": 1}, 400, "bad_job"),
        ({"options": {"colour": "red"}}, 400, "unknown_option"),
        ({"options": {"preview": False}}, 400, "bad_job"),
        ({"options": {"regions": "some"}}, 422, "bad_option"),
        ({"title": "t" * 201}, 400, "bad_job"),
        ({"owner": "eve"}, 400, "bad_job"),
    ],
)
def test_a_job_that_cannot_be_is_refused(ada, change, status, code):
    body = {"source": KHEOPS, "studies": [STUDY], "model": "ct3dcnn"} | change

    answer = ada.ask("POST", json=body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert ada.ask("GET").json() == {"jobs": []}


@pytest.mark.parametrize("content", [b"{", b"[]", b'"x"', b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused(ada, content):
    answer = ada.ask("POST", content=content)

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_job")


def test_a_body_that_is_too_long_is_refused(ada):
    answer = ada.ask("POST", content=b" " * ((1 << 20) + 1))

    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    "body",
    [{"positions": [1]}, {"positions": [-1]}, {"positions": 0}, {"versions": "new"}, {"all": 1}],
)
def test_a_retry_that_cannot_be_is_refused(ada, body):
    job_id = ada.ended(ada.begin(uids(1))["id"])["id"]

    answer = ada.ask("POST", f"/{job_id}/retry", json=body)

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_job")


def test_a_user_has_so_many_jobs_that_are_not_over(ada, source):
    source.held = threading.Event()
    for _ in range(5):
        ada.begin(uids(1))

    sixth = ada.ask("POST", json={"source": KHEOPS, "studies": "all", "model": "ct3dcnn"})

    assert (sixth.status_code, sixth.json()["code"]) == (429, "too_many_jobs")
    assert int(sixth.headers["retry-after"]) > 0
    bob = ada.as_user("bob")
    bob.ask("DELETE", f"/{bob.begin(uids(1))['id']}")
    source.held.set()


def test_sources_say_what_jobs_may_be(ada):
    found = httpx.get(f"{ada.url}/api/sources").json()

    assert found["jobs"] is True
    assert (found["studies_of_a_job"], found["rows_days"]) == (4, 30)


def test_a_gateway_without_a_database_has_no_jobs(server):
    with jobs_gateway(server.http_url, "none") as (client, _):
        answer = client.ask("GET")

    assert (answer.status_code, answer.json()["code"]) == (404, "no_jobs")
    assert KEY not in answer.text
