"""From an album to rows: chosen, extracted by a job, watched while it runs, and found again."""

import httpx
import pytest
from phantoms import file_bytes, slices, thorax
from pydicom.uid import generate_uid
from studies import zip_file


def study_files(patient: str) -> list[bytes]:
    """The files of a study that no other one has the UIDs of."""
    uids = {"StudyInstanceUID": generate_uid(), "SeriesInstanceUID": generate_uid()}
    return [file_bytes(each) for each in slices(thorax(), PatientID=patient, **uids)]


@pytest.fixture(scope="module")
def album(kheops):
    """An album with three studies that can be extracted and one that cannot."""
    album = kheops.add_album("Lung", "ada")
    for n in range(3):
        kheops.add_study(album, *study_files(f"LC-{n}"))
    kheops.add_study(album, *study_files("LC-9")[:1])
    kheops.add_album("Nothing in it", "ada")
    return album


@pytest.fixture
def cohorts(page, kheops, album):  # noqa: ARG001  (what Kheops has)
    """The page, with the albums of somebody whose token it was given."""
    page.get_by_role("link", name="Cohorts").click()
    page.get_by_role("link", name="Kheops").click()
    page.get_by_label("Token of Kheops").fill(kheops.capability("ada").text)
    page.get_by_role("button", name="Use it").click()
    page.get_by_role("link", name="Lung").wait_for()
    return page


def job_of_files(page, tmp_path, *names: str) -> None:
    """Start a job of zips of this computer."""
    page.get_by_role("link", name="Cohorts").click()
    page.get_by_role("link", name="Files of this computer").click()
    zips = [zip_file(tmp_path, name, PatientID=name) for name in names]
    page.locator("#view-cohorts input[type=file]").first.set_input_files(zips)


def test_an_album_is_extracted_from_choice_to_rows(cohorts):
    page = cohorts
    page.get_by_role("link", name="Lung").click()
    page.get_by_role("heading", name="Lung").wait_for()

    page.get_by_label("All on this page").check()
    page.get_by_label("Title").fill("My cohort")
    page.get_by_role("button", name="Extract 4 studies").click()

    page.get_by_role("heading", name="My cohort").wait_for()
    page.locator(".job-line", has_text="ended").wait_for()
    assert page.locator(".job-line").inner_text().split("\n")[-1] == "done: 3 · failed: 1"
    page.locator("#view-cohorts [role=grid]").wait_for()
    patients = page.locator("#view-cohorts .grid-body .of-patient").all_inner_texts()
    assert sorted(patients) == ["LC-0", "LC-1", "LC-2"]
    failed = page.locator(".job-studies .study[data-state=failed]")
    assert "single_slice" in failed.inner_text()
    assert "What helps: Send a series with two slices or more." in failed.inner_text()


def test_studies_are_found_and_chosen_and_stay_so_when_one_goes_back(cohorts):
    page = cohorts
    page.get_by_role("link", name="Lung").click()
    page.get_by_label("Search patient").fill("LC-2")
    page.get_by_role("row").filter(has_text="LC-2").get_by_role("checkbox").check()
    page.get_by_text("1 study chosen").wait_for()
    page.get_by_label("Search patient").fill("nobody")
    page.get_by_text("No study was found.").wait_for()

    page.go_back()
    page.get_by_role("link", name="Lung").wait_for()
    page.go_forward()

    page.get_by_text("1 study chosen").wait_for()
    assert page.get_by_role("row").filter(has_text="LC-2").get_by_role("checkbox").is_checked()


def test_what_is_empty_says_what_to_do(cohorts):
    page = cohorts
    page.get_by_label("Search").fill("zzz")
    page.get_by_text("No album's name has these letters.").wait_for()
    page.get_by_label("Search").fill("nothing")
    page.get_by_role("link", name="Nothing in it").click()

    page.get_by_text("There is no study here.").wait_for()
    page.get_by_role("navigation").get_by_role("link", name="Albums").click()
    page.get_by_role("heading", name="Albums").wait_for()


def test_a_source_that_is_away_is_told_and_asked_again(cohorts, kheops):
    page = cohorts
    kheops.fail_with(502)
    page.get_by_role("link", name="Lung").click()
    page.locator(".notice code", has_text="source_failed").wait_for()

    kheops.fail_with(None)
    page.get_by_role("button", name="Try again").click()

    page.get_by_role("row").filter(has_text="LC-0").wait_for()


def test_a_token_that_kheops_does_not_take_is_asked_for_again(page, kheops, album):
    page.get_by_role("link", name="Cohorts").click()
    page.get_by_role("link", name="Kheops").click()
    page.get_by_label("Token of Kheops").fill("x" * 22)
    page.get_by_role("button", name="Use it").click()
    page.locator("#view-cohorts .notice").wait_for()

    page.get_by_label("Token of Kheops").fill(kheops.capability("ada").text)
    page.get_by_role("button", name="Use it").click()

    page.get_by_role("link", name=album.name).wait_for()


def test_a_job_whose_login_has_ended_waits_for_another_one(cohorts, kheops, monkeypatch):
    """Kheops fails for a moment, and its token is revoked meanwhile: the page asks for another."""
    monkeypatch.setattr("gateway.jobs.trouble.FIRST_PAUSE_S", 0.1)
    page = cohorts
    page.get_by_role("link", name="Lung").click()
    page.get_by_role("row").filter(has_text="LC-1").get_by_role("checkbox").check()
    kheops.fail_at("study", times=2)
    page.get_by_role("button", name="Extract 1 study").click()
    page.locator(".job-line").wait_for()
    for capability in kheops.world.capabilities.values():
        capability.revoked = True

    notice = page.locator(".job-progress .notice")
    notice.get_by_text("The source asks for a login before the job can go on.").wait_for()
    notice.get_by_label("Token of Kheops").fill(kheops.capability("ada").text)
    notice.get_by_role("button", name="Use it").click()

    page.locator(".job-line", has_text="ended").wait_for()
    page.locator("#view-cohorts .of-patient", has_text="LC-1").wait_for()


def test_studies_of_the_archive_are_searched_chosen_and_extracted(page, orthanc):
    patient = f"DW-{generate_uid()[-8:]}"
    orthanc.store(*study_files(patient))
    page.get_by_role("link", name="Cohorts").click()
    page.get_by_role("link", name="DICOMweb").click()
    page.get_by_role("heading", name="Studies of the archive").wait_for()
    page.get_by_label("Search patient").fill("nobody of this name")
    page.get_by_text("No study was found.").wait_for()

    page.get_by_label("Search patient").fill(patient)
    page.get_by_role("row").filter(has_text=patient).get_by_role("checkbox").check()
    page.get_by_role("button", name="Extract 1 study").click()

    page.locator(".job-line", has_text="ended").wait_for()
    page.locator("#view-cohorts .of-patient", has_text=patient).wait_for()


def test_files_of_the_computer_become_a_job_that_a_reload_and_another_tab_show(page, tmp_path):
    job_of_files(page, tmp_path, "one.zip", "two.zip")
    page.get_by_role("button", name="Extract 2 studies").click()
    page.locator(".job-line", has_text="ended").wait_for()

    page.reload()
    page.locator(".job-line", has_text="done: 2").wait_for()
    page.locator("#view-cohorts .grid-body .grid-row").first.wait_for()
    other = page.context.new_page()
    other.goto(page.url)
    other.locator(".job-line", has_text="done: 2").wait_for()

    other.on("dialog", lambda dialog: dialog.accept())
    other.get_by_role("button", name="Delete").click()
    other.get_by_role("heading", name="Cohorts").wait_for()
    page.reload()
    page.locator(".notice code", has_text="unknown_job").wait_for()
    page.get_by_role("link", name="All jobs").click()
    page.get_by_role("heading", name="Jobs").wait_for()


def test_files_that_a_closed_page_did_not_send_are_asked_for(page, gateway, tmp_path):
    job = httpx.post(
        f"{gateway.url}/api/jobs",
        headers=gateway.headers,
        json={"source": {"kind": "uploads"}, "studies": [{"key": "one"}], "model": "ct3dcnn"},
    ).json()

    page.goto(f"{gateway.url}/#/jobs/{job['id']}")
    page.get_by_text("this page does not have it").wait_for()
    zipped = zip_file(tmp_path, "one.zip", PatientID="late")
    page.locator("#view-cohorts input[type=file]").first.set_input_files(zipped)

    page.locator(".job-line", has_text="ended").wait_for()
    page.locator("#view-cohorts .of-patient", has_text="late").wait_for()


def test_a_job_can_be_cancelled_and_tried_again(page, tmp_path):
    page.route("**/studies/*/file", lambda _: None)
    job_of_files(page, tmp_path, "one.zip")
    page.get_by_role("button", name="Extract 1 study").click()
    page.locator(".job-line", has_text="running").wait_for()

    page.get_by_role("button", name="Cancel").click()
    page.locator(".job-line", has_text="cancelled: 1").wait_for()
    page.unroute("**/studies/*/file")
    page.get_by_role("button", name="Try 1 study again").click()

    page.locator(".job-line", has_text="running").wait_for()


def test_who_is_logged_out_in_the_middle_goes_on_where_they_were(cohorts):
    page = cohorts
    refusal = {"status": 401, "json": {"code": "not_logged_in", "detail": "log in"}}
    page.route("**/studies?*", lambda route: route.fulfill(**refusal))
    page.get_by_role("link", name="Lung").click()
    page.locator("#notices", has_text="You are not logged in.").wait_for()

    page.unroute("**/studies?*")
    page.evaluate("() => dispatchEvent(new Event('focus'))")

    page.get_by_role("row").filter(has_text="LC-0").wait_for()
    assert page.locator("#notices").inner_text() == ""
