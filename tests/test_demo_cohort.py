"""What the first command leaves to look at: a cohort on the page, made once."""

import io
from types import SimpleNamespace

import httpx
import pytest
from gateway_server import wait_until
from jobs_world import jobs_gateway
from rich.console import Console

from tools import demo_cohort
from tools.locations import data_folder

SAMPLE = data_folder("sample") / "ct-chest-lidc-16.zip"


@pytest.fixture
def page(server, tmp_path, monkeypatch):
    """A page with jobs; one chest of each class will do."""
    monkeypatch.setattr(demo_cohort, "OF_EACH_CLASS", 1)
    with jobs_gateway(server.http_url, f"sqlite:///{tmp_path / 'jobs.sqlite'}") as (client, _):
        yield SimpleNamespace(root=client.url, url=f"{client.url}/?token=x", token=client.user)


def begun(page):
    """Begin the cohort, and return what was said of it and the jobs that there are."""
    said = io.StringIO()
    demo_cohort.begin(page, SAMPLE, Console(file=said, soft_wrap=True))
    return said.getvalue(), jobs(page)


def jobs(page):
    return httpx.get(f"{page.root}/api/jobs").json()["jobs"]


def test_the_sample_and_chests_of_both_classes_are_a_job_that_is_made_once(page):
    said, (job,) = begun(page)

    assert said == f"a cohort to look at: {page.url}#/jobs/{job['id']}\n"
    wait_until(lambda: jobs(page)[0]["state"] == "ended", 60)
    answer = httpx.get(f"{page.root}/api/jobs/{job['id']}/results.json")
    patients = [each["rows"][0]["patient_id"] for each in answer.json()["answers"]]
    assert patients == ["LIDC-IDRI-0001", "chest-diffuse-700000", "chest-lesions-700000"]
    assert begun(page)[1][0]["id"] == job["id"]


def test_nothing_is_said_of_a_page_without_jobs():
    nowhere = SimpleNamespace(root="http://127.0.0.1:9", url="", token=SAMPLE.name)
    said = io.StringIO()

    demo_cohort.begin(nowhere, SAMPLE, Console(file=said))

    assert said.getvalue() == ""
