"""Studies of a job looked at again: pictures of rows, ties, and series that are chosen for them."""

import base64
import io

import pytest
from jobs_world import jobs_gateway, source_of, uids
from phantoms import zip_of
from PIL import Image
from test_choice import THIN, drawn_on, series

from gateway.jobs.asking import within
from gateway.sources.source import Retrieved

TIED, CLEAR = uids(2)


@pytest.fixture(scope="module")
def world(server, tmp_path_factory):
    """A client of a gateway with jobs, and a source with a tie and with a study that has none."""
    file = tmp_path_factory.mktemp("jobs") / "jobs.sqlite"
    source = source_of(2)
    source.studies[TIED] = zip_of(*series("1.2.1"), *series("1.2.2"))
    thin = series("1.2.4", THIN)
    source.studies[CLEAR] = zip_of(*series("1.2.3"), *thin, drawn_on(thin))
    with jobs_gateway(server.http_url, f"sqlite:///{file}", source=source) as found:
        yield found[0], source


@pytest.fixture(scope="module")
def ada(world):
    return world[0]


@pytest.fixture
def source(world):
    """The source, as it was before the test afterwards."""
    source = world[1]
    studies = dict(source.studies)
    yield source
    source.studies.update(studies)
    source.refuses.clear()


@pytest.fixture
def job(ada):
    """A job that has ended, with a tie and a study with rows; for tests that change it."""
    begun = ada.begin([TIED, CLEAR])
    yield ada.ended(begun["id"])
    ada.ask("DELETE", f"/{begun['id']}")


@pytest.fixture(scope="module")
def seen(ada):
    """The same, for tests that do not change it."""
    return ada.ended(ada.begin([TIED, CLEAR])["id"])


def rows_of(ada, job, position):
    answers = ada.ask("GET", f"/{job['id']}/results.json").json()["answers"]
    return next((each["rows"] for each in answers if each["position"] == position), [])


def look(ada, job, what, **more):
    return ada.ask("POST", f"/{job['id']}/studies/{what}", **more)


def retry(ada, job, **body):
    return ada.ask("POST", f"/{job['id']}/retry", json=body)


def test_a_tie_is_tried_again_with_the_series_that_was_chosen(ada, job):
    assert [study["code"] for study in job["studies"]] == ["ambiguous_series", ""]
    offered = look(ada, job, "0/series").json()["series"]
    assert [each["standing"] for each in offered] == ["tied", "tied"]

    answer = retry(ada, job, series={"0": offered[1]["series_uid"]})

    assert answer.status_code == 202, answer.text
    ended = ada.ended(job["id"])
    assert [study["state"] for study in ended["studies"]] == ["done", "done"]
    assert ended["studies"][1]["attempts"] == 1
    assert ended["series"] == {"0": "1.2.2"}
    assert "the series of a study was chosen by hand once" in ended["events"]
    (row,) = rows_of(ada, job, 0)
    assert (row["series_uid"], row["series_chosen_by"]) == ("1.2.2", "asked")


def test_all_series_of_a_tie_can_be_chosen(ada, job):
    retry(ada, job, series={"0": "all"})
    ada.ended(job["id"])

    assert [row["series_uid"] for row in rows_of(ada, job, 0)] == ["1.2.1", "1.2.2"]


def test_another_series_than_the_rules_can_be_chosen_for_a_study_that_is_done(ada, job):
    offered = look(ada, job, "1/series").json()["series"]
    assert [(each["standing"], each["referenced"]) for each in offered] == [
        ("other", False),
        ("chosen", True),
    ]
    assert {row["series_uid"] for row in rows_of(ada, job, 1)} == {"1.2.4"}

    retry(ada, job, series={"1": "1.2.3"})

    ended = ada.ended(job["id"])
    assert ended["studies"][0]["attempts"] == 1  # the tie was not asked for
    assert {row["series_uid"] for row in rows_of(ada, job, 1)} == {"1.2.3"}


def test_a_choice_stays_with_later_retries(ada, job):
    retry(ada, job, series={"0": "1.2.9"})
    assert ada.ended(job["id"])["studies"][0]["code"] == "unknown_series"

    retry(ada, job, series={"0": "1.2.1"})
    ada.ended(job["id"])
    retry(ada, job)

    assert [row["series_uid"] for row in rows_of(ada, job, 0)] == ["1.2.1"]


@pytest.mark.parametrize(
    "series",
    [
        {"0": "hush"},
        {"0": ""},
        {"0": 1},
        {"9": "1.2.1"},
        {"-1": "1.2.1"},
        {"00": "1.2.1"},
        ["1.2.1"],
    ],
)
def test_a_choice_that_cannot_be_is_refused_and_not_repeated(ada, seen, series):
    answer = retry(ada, seen, series=series)

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_job")
    assert "hush" not in answer.text


def test_a_picture_of_a_row_is_made_when_it_is_asked_for(ada, seen):
    rows = rows_of(ada, seen, 1)
    assert [row["roi"] for row in rows] == ["", "GTV"]

    for number, row in enumerate(rows):
        answer = look(ada, seen, "1/picture", json={"row": number})

        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert found["picture"]["shape"] == [128, 128, 64]
        assert found["picture"]["regions"] == ["GTV"]
        assert Image.open(io.BytesIO(base64.b64decode(found["preview"]))).size == (1024, 2048)
        assert "picture" not in row


def test_a_picture_is_of_the_very_input_that_the_row_is_of(ada, seen, source):
    source.studies[CLEAR] = zip_of(*series("1.2.3"), *series("1.2.4"))

    answer = look(ada, seen, "1/picture", json={"row": 0})

    assert (answer.status_code, answer.json()["code"]) == (409, "picture_differs")


def test_a_study_is_looked_at_by_the_login_of_now(ada, seen, source):
    source.refuses.add("")  # of somebody without a token

    for answer in (
        look(ada, seen, "1/picture", json={"row": 0}),
        look(ada, seen, "1/series"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "source_refused")


@pytest.mark.parametrize(
    ("where", "body", "status", "code"),
    [
        ("1/picture", {"row": 2}, 404, "unknown_row"),
        ("0/picture", {"row": 0}, 404, "unknown_row"),
        ("2/picture", {"row": 0}, 404, "unknown_study"),
        ("2/series", {}, 404, "unknown_study"),
        ("1/picture", {"row": "hush"}, 400, "bad_job"),
        ("1/picture", {}, 400, "bad_job"),
    ],
)
def test_a_row_that_is_not_there_is_said(ada, seen, where, body, status, code):
    answer = look(ada, seen, where, json=body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_file_that_was_uploaded_is_not_kept_for_a_picture(ada):
    body = {"source": {"kind": "uploads"}, "studies": [{"key": "a"}], "model": "ct3dcnn"}
    begun = ada.ask("POST", json=body).json()

    answer = look(ada, begun, "0/series")

    assert (answer.status_code, answer.json()["code"]) == (409, "not_kept")
    ada.ask("DELETE", f"/{begun['id']}")


@pytest.mark.parametrize(
    ("chosen", "own", "read"),
    [
        ("1.2.1", None, "1.2.1"),
        ("1.2.1,1.2.9", ("1.2.1", "1.2.2"), "1.2.1"),
        ("1.2.9", ("1.2.1", "1.2.2"), "1.2.1,1.2.2"),
        ("all", ("1.2.1", "1.2.2"), "1.2.1,1.2.2"),
    ],
)
def test_nothing_is_read_that_a_zip_holds_beside_what_was_asked_for(chosen, own, read):
    assert within({"series": chosen, "roi": "GTV"}, Retrieved(own)) == {
        "series": read,
        "roi": "GTV",
    }
