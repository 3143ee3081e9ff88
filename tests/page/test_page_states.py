"""What the page says while studies are under way, and what it does when one is refused."""

import contextlib
import json

import pytest
from playwright.sync_api import Error
from studies import column_of, count_of, line_of, rows_of, wait_for, zip_file

FEATURES = "**/features*"


@pytest.fixture
def held(page):
    """Requests for features are held; the fixture is the list of them."""
    routes = []
    page.route(FEATURES, lambda route: routes.append(route))
    return routes


def problem(status: int, code: str, sentence: str, **headers: str) -> dict:
    document = {"type": "about:blank", "status": status, "code": code, "detail": sentence}
    return {
        "status": status,
        "headers": {"Content-Type": "application/problem+json", **headers},
        "body": json.dumps(document),
    }


def test_a_refused_study_says_why_and_the_others_go_on(page, drop, tmp_path):
    (tmp_path / "bad.zip").write_bytes(b"bytes")

    drop(tmp_path / "bad.zip", zip_file(tmp_path, "good.zip"))

    wait_for(page, "good.zip", "done")
    wait_for(page, "bad.zip", "failed")
    said = line_of(page, "bad.zip").locator(".problem").inner_text()
    assert said.split("\n")[0] == "The 5 bytes that came are not a zip file. not_a_zip"
    assert page.locator("#summary").inner_text() == "1 of 2 done, 1 failed"


def test_a_modality_that_needs_to_be_allowed_can_be(page, drop, tmp_path):
    attributes = {"Modality": "MR", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4"}
    drop(zip_file(tmp_path, "mr.zip", **attributes))
    wait_for(page, "mr.zip", "failed")
    assert "untrained_modality" in line_of(page, "mr.zip").inner_text()

    page.get_by_label("Also modalities").check()
    page.get_by_role("button", name="Try again: mr.zip").click()

    wait_for(page, "mr.zip", "done")
    assert column_of(page, "modality") == ["MR"]


def test_a_modality_that_needs_to_be_allowed_is_asked_about(page, drop, tmp_path):
    attributes = {"Modality": "MR", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4"}
    drop(zip_file(tmp_path, "mr.zip", **attributes))

    page.get_by_role("button", name="Extract it anyway: its rows say so").click()

    wait_for(page, "mr.zip", "done")
    assert "the model was not made for this modality" in rows_of(page).inner_text()
    assert not page.get_by_label("Also modalities").is_checked()


@pytest.mark.parametrize(("status", "code"), [(503, "queue_full"), (429, "too_many_of_yours")])
def test_a_service_that_is_full_is_asked_again_by_itself(page, drop, tmp_path, status, code):
    refusals = [problem(status, code, "too many studies", **{"Retry-After": "2"})]
    page.route(FEATURES, lambda route: route.fulfill(**refusals.pop()), times=1)

    drop(zip_file(tmp_path, "one.zip"))

    wait_for(page, "one.zip", "waiting")
    line_of(page, "one.zip").get_by_text("waiting: the service is full; next try in").wait_for()
    wait_for(page, "one.zip", "done")
    assert refusals == []


def test_a_lost_connection_is_tried_again_by_itself(page, drop, tmp_path):
    page.route(FEATURES, lambda route: route.abort("connectionreset"), times=1)

    drop(zip_file(tmp_path, "one.zip"))

    line_of(page, "one.zip").get_by_text("waiting: the connection was lost").wait_for()
    wait_for(page, "one.zip", "done")


def test_a_refusal_without_a_time_waits_for_the_person(page, drop, tmp_path):
    page.route(FEATURES, lambda route: route.fulfill(**problem(503, "retry", "again")), times=1)
    drop(zip_file(tmp_path, "one.zip"))
    wait_for(page, "one.zip", "failed")

    page.get_by_role("button", name="Try all failed again").click()

    wait_for(page, "one.zip", "done")


def test_an_answer_that_no_gateway_wrote_is_told_by_its_status(page, drop, tmp_path):
    page.route(FEATURES, lambda route: route.fulfill(status=502, body="<html>proxy</html>"))

    drop(zip_file(tmp_path, "one.zip"))

    wait_for(page, "one.zip", "failed")
    said = line_of(page, "one.zip").locator(".problem").inner_text()
    assert said == "The service answered with status 502. http_502"


def test_two_studies_at_once_are_sent_and_the_others_wait(page, drop, tmp_path, held):
    drop(*(zip_file(tmp_path, f"{n}.zip", PatientID=str(n)) for n in range(5)))

    page.locator(".study[data-state=waiting]").nth(2).wait_for()
    page.wait_for_timeout(200)
    assert len(held) == 2
    for n in range(5):
        while len(held) <= n:
            page.wait_for_timeout(20)
        held[n].continue_()
    for n in range(5):
        wait_for(page, f"{n}.zip", "done")
    assert len(held) == 5


def test_a_study_can_be_cancelled_and_tried_again(page, drop, tmp_path, held):
    drop(*(zip_file(tmp_path, f"{n}.zip", PatientID=str(n)) for n in range(3)))
    page.locator(".study[data-state=waiting]").wait_for()

    page.get_by_role("button", name="Cancel: 0.zip").click()

    wait_for(page, "0.zip", "cancelled")
    while len(held) < 3:
        page.wait_for_timeout(20)
    page.unroute(FEATURES)
    for route in held:
        with contextlib.suppress(Error):  # that of the study that is cancelled is no more
            route.continue_()
    page.get_by_role("button", name="Try again: 0.zip").click()
    for n in range(3):
        wait_for(page, f"{n}.zip", "done")


def test_all_studies_can_be_cancelled(page, drop, tmp_path, held):
    drop(*(zip_file(tmp_path, f"{n}.zip", PatientID=str(n)) for n in range(4)))
    page.locator(".study[data-state=waiting]").first.wait_for()

    page.get_by_role("button", name="Cancel all").click()

    for n in range(4):
        wait_for(page, f"{n}.zip", "cancelled")
    assert len(held) == 2
    assert page.locator("#summary").inner_text() == "0 of 4 done, 4 cancelled"


def test_packing_can_be_cancelled(page, drop, tmp_path):
    folder = tmp_path / "large"
    folder.mkdir()
    for n in range(3):
        with (folder / str(n)).open("wb") as file:
            file.truncate(700 << 20)

    drop(folder)
    wait_for(page, "large", "packing")
    page.get_by_role("button", name="Cancel: large").click()

    wait_for(page, "large", "cancelled")


@pytest.mark.usefixtures("slowly")
def test_working_is_told_apart_from_sending_and_says_how_long(page, drop, tmp_path):
    drop(zip_file(tmp_path, "one.zip"))
    wait_for(page, "one.zip", "working")
    sending = line_of(page, "one.zip").get_by_role("progressbar", name="Packing and sending")
    working = line_of(page, "one.zip").get_by_role("progressbar", name="Working")

    assert (sending.get_attribute("value"), working.get_attribute("value")) == ("1", None)
    line_of(page, "one.zip").get_by_text("1 s", exact=True).wait_for()
    wait_for(page, "one.zip", "done")


@pytest.mark.usefixtures("held")
def test_what_is_dropped_twice_is_meant_once(page, drop, tmp_path):
    path = zip_file(tmp_path, "one.zip")

    drop(path)
    wait_for(page, "one.zip", "sending")
    drop(path)

    page.locator("#summary", has_text="one.zip is in the list already").wait_for()
    assert page.locator(".study").count() == 1
    page.get_by_label("Rows for").select_option("whole")
    drop(path)
    page.locator(".study").nth(1).wait_for()


def test_who_is_logged_out_is_told_and_what_waits_goes_on_after_a_login(page, drop, tmp_path):
    refusal = problem(401, "not_logged_in", "log in")
    page.route(FEATURES, lambda route: route.fulfill(**refusal))

    drop(*(zip_file(tmp_path, f"{n}.zip", PatientID=str(n)) for n in range(4)))

    page.locator("#notices", has_text="You are not logged in.").wait_for()
    wait_for(page, "3.zip", "waiting")
    page.unroute(FEATURES)
    page.evaluate("() => dispatchEvent(new Event('focus'))")
    for n in range(4):
        wait_for(page, f"{n}.zip", "done")
    assert page.locator("#notices").inner_text() == ""


def test_who_comes_back_from_a_login_is_told_that_files_are_gone(page, gateway):
    page.goto(f"{gateway.url}/?again=1")

    page.locator(
        "#notices", has_text="Files that were dropped before must be dropped again"
    ).wait_for()
    assert page.url == f"{gateway.url}/"


@pytest.mark.usefixtures("held")
def test_a_page_that_is_left_while_studies_are_under_way_asks_first(page, drop, tmp_path):
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.locator("h1").click()  # browsers ask only people who have used the page
    drop(zip_file(tmp_path, "one.zip"))
    wait_for(page, "one.zip", "sending")

    page.close(run_before_unload=True)
    page.wait_for_timeout(300)

    assert asked == ["beforeunload"]
    page.get_by_role("button", name="Cancel all").click()


def test_studies_go_on_while_another_tab_is_looked_at(page, drop, tmp_path):
    drop(zip_file(tmp_path, "one.zip"))

    page.context.new_page().bring_to_front()

    wait_for(page, "one.zip", "done")


def test_a_service_that_comes_up_later_is_waited_for(page, gateway):
    page.route("**/api/models", lambda route: route.fulfill(**problem(503, "retry", "in a moment")))
    page.goto(gateway.url)
    page.locator("#notices", has_text="In a moment. retry").wait_for()

    page.unroute("**/api/models")

    page.locator("#model option[value=ct3dcnn]").wait_for(state="attached")
    page.locator("#notices:empty").wait_for(state="attached")


def test_hundreds_of_studies_are_worked_through(page, tmp_path):
    answer = {
        "model": "ct3dcnn",
        "rows": [
            {
                "patient_id": "one",
                "modality": "CT",
                "roi": "",
                "quality": [],
                "features": [0.25] * 256,
                "weights": "trained",
                "weights_sha256": "w",
                "preprocessing_id": "p",
                "feature_prefix": "ct3dcnn1",
            }
        ],
        "feature_names": [f"ct3dcnn1_{n:03}" for n in range(256)],
        "report": {},
        "previews": [""],
    }
    page.route(FEATURES, lambda route: route.fulfill(json=answer))
    paths = [tmp_path / f"{n:03}.zip" for n in range(200)]
    for path in paths:
        path.write_bytes(path.name.encode())

    page.set_input_files("#files", paths)

    page.locator("#summary", has_text="200 of 200 done").wait_for()
    assert count_of(page) == 200


def test_a_folder_of_thousands_of_files_is_packed_whole(page, drop, tmp_path):
    folder = tmp_path / "thousands"
    folder.mkdir()
    for n in range(3001):
        (folder / f"{n}.txt").write_bytes(b"this is not DICOM" * 20)

    drop(folder)

    wait_for(page, "thousands", "failed")
    assert "3,001 files" in line_of(page, "thousands").inner_text()
    assert "no_dicom" in line_of(page, "thousands").locator(".problem").inner_text()
