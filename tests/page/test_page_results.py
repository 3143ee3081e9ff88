"""Studies that are dropped or chosen become rows, pictures and tables, by the real Triton."""

import pytest
from studies import (
    HTML,
    column_of,
    downloaded,
    folder_of_files,
    line_of,
    rows_of,
    wait_for,
    zip_file,
    zip_of_regions,
    zipped,
)


def test_zips_and_a_folder_that_are_chosen_become_rows_with_pictures(page, tmp_path):
    zips = [zip_file(tmp_path, f"{name}.zip", PatientID=name) for name in ("one", "two")]
    folder = folder_of_files(tmp_path, "three", PatientID="three")

    page.set_input_files("#files", zips)
    page.set_input_files("#folder", folder)

    for name in ("one.zip", "two.zip", "three"):
        wait_for(page, name, "done")
    assert column_of(page, "patient") == ["one", "two", "three"]
    for picture in page.locator(".picture img").all():
        assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 384


def test_the_csv_is_what_the_service_writes(page, gateway, tmp_path):
    first = zip_file(tmp_path, "one.zip", PatientID='A, "B"')
    second = zip_of_regions(tmp_path, ["GTV, left", "ä"], PatientID="two")
    folder = folder_of_files(tmp_path, "three", PatientID="three")

    page.set_input_files("#files", [first, second])
    page.set_input_files("#folder", folder)
    for name in ("one.zip", "regions.zip", "three"):
        wait_for(page, name, "done")

    header, *rows = gateway.csv_lines(first.read_bytes())
    rows += gateway.csv_lines(second.read_bytes())[1:] + gateway.csv_lines(zipped(folder))[1:]
    assert downloaded(page, "CSV").splitlines(keepends=True) == [header, *rows]


def test_zips_and_folders_of_a_disk_can_be_dropped(page, drop, tmp_path):
    zip_path = zip_file(tmp_path, "one.zip", PatientID="one")
    folder = folder_of_files(tmp_path, "two", PatientID="two")

    drop(zip_path, folder)

    wait_for(page, "one.zip", "done")
    wait_for(page, "two", "done")
    assert column_of(page, "patient") == ["one", "two"]
    assert "25 files" in line_of(page, "two").inner_text()
    assert "1 system file left out" in line_of(page, "two").inner_text()
    page.get_by_role("tab", name="Studies").click()
    report = page.locator(".report").nth(1)
    assert report.locator("summary").inner_text() == "Report: 1 series was used, 1 file not DICOM"


def test_zips_in_a_folder_are_studies_of_their_own(page, drop, tmp_path):
    cohort = tmp_path / "cohort"
    cohort.mkdir()
    for name in ("one", "two"):
        zip_file(cohort, f"{name}.zip", PatientID=name)

    drop(cohort)

    for name in ("cohort/one.zip", "cohort/two.zip"):
        wait_for(page, name, "done")


def test_files_without_a_folder_are_one_study(page, drop, tmp_path):
    folder = folder_of_files(tmp_path, "loose", PatientID="loose")

    drop(*folder.rglob("DOE*"))

    wait_for(page, "24 files", "done")
    assert column_of(page, "patient") == ["loose"]


def test_files_that_a_page_script_drops_are_taken_too(page, tmp_path):
    """Where a browser gives files and no entries, as for files that are made by a script."""
    content = list(zip_file(tmp_path, "one.zip", PatientID="one").read_bytes())
    transfer = page.evaluate_handle(
        """(content) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([Uint8Array.from(content)], "made.zip"));
            return transfer;
        }""",
        content,
    )

    page.dispatch_event("#drop", "drop", {"dataTransfer": transfer})

    wait_for(page, "made.zip", "done")


def test_names_that_are_html_are_shown_as_they_are(page, drop, tmp_path):
    names = ["<b>bold</b>", HTML]

    drop(zip_of_regions(tmp_path, names, PatientID=HTML))

    wait_for(page, "regions.zip", "done")
    assert column_of(page, "patient") == [HTML] * 3
    assert column_of(page, "region") == ["whole volume", *names]
    assert page.locator("#groups img:not([src^='data:'])").count() == 0
    assert page.locator("#groups b").count() == 0


def test_a_row_says_what_to_beware_of_in_sentences(page, drop, tmp_path):
    drop(zip_file(tmp_path, "one.zip"))
    wait_for(page, "one.zip", "done")
    assert rows_of(page).locator(".severity").inner_text() == "exclude from analyses"

    rows_of(page).click()

    dialog = page.get_by_role("dialog", name="What the network saw")
    first = dialog.locator(".codes li").first
    assert first.inner_text().split("\n") == [
        "exclude from analyses",
        "the weights are for checking a pipeline",
        "DEMONSTRATION_WEIGHTS",
    ]
    thick = dialog.locator(".codes li", has_text="THICK_SLICES").inner_text()
    assert "slices more than 3 mm apart (their distance in mm: 4)" in thick


def test_a_picture_is_enlarged_scrolled_and_closed_by_keyboard(page, drop, tmp_path):
    drop(zip_file(tmp_path, "one.zip", PatientID="one"))
    wait_for(page, "one.zip", "done")

    page.get_by_role("grid").focus()
    page.keyboard.press("Enter")

    dialog = page.get_by_role("dialog", name="What the network saw")
    assert "40 × 52 × 24 voxels of 2.5 × 1.75 × 4 mm" in dialog.inner_text()
    dialog.get_by_role("button", name="Largest").press("Enter")
    picture = dialog.get_by_role("group", name="What the network saw")
    assert picture.evaluate("each => each.scrollWidth / each.clientWidth") == 4
    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")


def test_only_regions_are_asked_for_where_they_are_chosen(page, drop, tmp_path):
    page.get_by_label("Rows for").select_option("all")

    drop(zip_of_regions(tmp_path, ["one", "two"]))

    wait_for(page, "regions.zip", "done")
    assert column_of(page, "region") == ["one", "two"]


def test_rows_of_other_weights_are_told_apart(page, gateway, drop, tmp_path):
    """One version is shown at a time, and has files of its own: features do not compare."""
    drop(zip_file(tmp_path, "one.zip", PatientID="one"))
    wait_for(page, "one.zip", "done")
    second = zip_file(tmp_path, "two.zip", PatientID="two")
    answer = gateway.answer(second.read_bytes()).json()
    answer["rows"] = [row | {"weights_sha256": "0" * 64} for row in answer["rows"]]

    page.route("**/features*", lambda route: route.fulfill(json=answer))
    drop(second)
    wait_for(page, "two.zip", "done")

    assert "Rows of different weights." in page.locator("#groups .notice").inner_text()
    assert column_of(page, "patient") == ["one"]
    versions = page.get_by_label("Version shown")
    versions.select_option(index=1)
    assert column_of(page, "patient") == ["two"]
    assert downloaded(page, "CSV").count(b"\r\n") == 2
    page.get_by_role("button", name="Remove: two.zip").click()
    assert not versions.is_visible()
    assert column_of(page, "patient") == ["one"]


def test_nothing_is_kept_and_no_address_tells_of_a_patient(page, drop, tmp_path):
    addresses = []
    page.on("request", lambda request: addresses.append(request.url))

    drop(zip_of_regions(tmp_path, ["hush"], PatientID="hush"), folder_of_files(tmp_path, "hush"))
    for name in ("regions.zip", "hush"):
        wait_for(page, name, "done")
    downloaded(page, "CSV")

    assert not [address for address in addresses if "hush" in address and "data:" not in address]
    kept = "() => [localStorage.length, sessionStorage.length, document.cookie, document.title]"
    assert page.evaluate(kept) == [0, 0, "", "Deep features"]


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_nothing_is_wider_than_the_screen(page, drop, tmp_path, width):
    page.set_viewport_size({"width": width, "height": 800})
    drop(zip_of_regions(tmp_path, ["a region with a long name", "x" * 64], PatientID="P" * 64))
    wait_for(page, "regions.zip", "done")
    rows_of(page).first.click()

    assert page.evaluate("() => document.documentElement.scrollWidth") == width


def test_two_versions_are_compared_row_by_row(page, gateway, drop, tmp_path):
    path = zip_file(tmp_path, "one.zip", PatientID="one")
    drop(path)
    wait_for(page, "one.zip", "done")
    answer = gateway.answer(path.read_bytes()).json()
    answer["rows"][0] |= {"weights_sha256": "0" * 64}
    page.route("**/features*", lambda route: route.fulfill(json=answer))
    page.locator("#model-line").click()
    page.get_by_label("Rows for").select_option("whole")
    drop(path)
    page.locator(".study[data-state=done]").nth(1).wait_for()

    page.get_by_role("tab", name="Comparison").click()
    page.get_by_role("button", name="Compare").click()

    page.get_by_text("1 row is in both runs").wait_for()
    (line,) = page.locator(".differences tbody tr").all_inner_texts()
    assert line.split("\t")[:4] == [
        "one",
        "whole volume",
        "other weights or preprocessing: other quantities",
        "0",
    ]


def test_who_types_while_rows_come_in_goes_on_typing(page, drop, tmp_path):
    drop(zip_file(tmp_path, "one.zip", PatientID="alpha"))
    wait_for(page, "one.zip", "done")
    search = page.get_by_label("Search")
    search.press_sequentially("alp")

    drop(zip_file(tmp_path, "two.zip", PatientID="beta"))
    wait_for(page, "two.zip", "done")
    page.keyboard.type("ha")

    assert search.input_value() == "alpha"
    assert column_of(page, "patient") == ["alpha"]
