"""What the network saw, plane by plane, and series that are chosen by their pictures."""

import base64
import io

import numpy as np
import pytest
from phantoms import file_bytes, slices, thorax, zip_of
from PIL import Image
from studies import rows_of, wait_for, zip_of_regions
from test_page_access import serious_findings

AMBER = (255, 176, 0)

TWICE = {"StudyInstanceUID": "1.2.7", "PatientID": "twice"}

COUNT_OF_COLOUR = """(canvas, [red, green, blue]) => {
    const copy = new OffscreenCanvas(canvas.width, canvas.height);
    const context = copy.getContext("2d", { willReadFrequently: true });
    context.drawImage(canvas, 0, 0);
    const { data } = context.getImageData(0, 0, copy.width, copy.height);
    let count = 0;
    for (let at = 0; at < data.length; at += 4) {
        count += data[at] === red && data[at + 1] === green && data[at + 2] === blue;
    }
    return count;
}"""


def tie(*uids: str) -> list:
    """The objects of a study with so many series that no criterion ranks."""
    return [each for uid in uids for each in slices(thorax(), **TWICE, SeriesInstanceUID=uid)]


@pytest.fixture
def opened(page, drop, tmp_path):
    """The page, with the row of a region open; its box is 128 samples of 1 mm, 64 of 2 mm."""
    drop(zip_of_regions(tmp_path, ["GTV"]))
    wait_for(page, "regions.zip", "done")
    rows_of(page).nth(1).click()
    return page


@pytest.fixture
def viewer(opened):
    """All planes of what the network saw of a region."""
    opened.locator("#row .pan img").click()
    opened.locator(".planes").wait_for()
    return opened.locator(".planes")


def drawn(viewer, plane, colour=AMBER):
    """How many pixels of a plane have a colour, once it is drawn."""
    viewer.page.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => drawn()))")
    return viewer.locator(f"[data-plane={plane}] canvas").evaluate(COUNT_OF_COLOUR, colour)


def place(viewer, name):
    return viewer.get_by_role("slider", name=name).get_attribute("aria-valuetext")


def test_planes_are_scrolled_by_keyboard_and_wheel_and_say_where_they_are(viewer):
    page = viewer.page
    assert place(viewer, "Axial") == "plane 33 of 64, 65 mm from the feet end"
    assert place(viewer, "Coronal") == "plane 65 of 128, 65 mm from the front"
    assert place(viewer, "Sagittal") == "plane 65 of 128, 65 mm from the patient's right"

    viewer.get_by_role("slider", name="Axial").focus()
    page.keyboard.press("ArrowRight")
    viewer.get_by_text("plane 34 of 64, 67 mm from the feet end").wait_for()
    assert page.locator("#row-number").inner_text() == "Row 2 of 2"  # not to another row

    viewer.locator("[data-plane=axial] canvas").hover()
    page.mouse.wheel(0, 120)
    viewer.get_by_text("plane 31 of 64, 61 mm from the feet end").wait_for()


def test_cross_hairs_are_dragged_to_a_place_in_all_planes(viewer):
    page = viewer.page
    box = viewer.locator("[data-plane=coronal] canvas").bounding_box()

    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.25 * box["width"] + 1, box["y"] + 0.125 * box["height"] + 1)
    page.mouse.up()

    viewer.get_by_text("plane 33 of 128, 33 mm from the patient's right").wait_for()
    assert place(viewer, "Axial").startswith("plane 56 of 64")  # an eighth from the head
    assert place(viewer, "Coronal").startswith("plane 65 of 128")


def test_the_outline_can_be_switched_off_and_one_plane_be_large(viewer):
    with_line = drawn(viewer, "axial")
    width = viewer.locator("[data-plane=axial] canvas").bounding_box()["width"]
    assert with_line > 100

    viewer.get_by_label("Outline of GTV").uncheck()
    assert drawn(viewer, "axial") == 0
    viewer.get_by_label("Outline of GTV").check()
    assert drawn(viewer, "axial") == with_line

    viewer.get_by_role("button", name="Axial").click()
    assert viewer.locator("[data-plane=axial] canvas").bounding_box()["width"] > 1.1 * width
    assert not viewer.locator("[data-plane=coronal]").is_visible()


def test_the_value_at_the_cross_hairs_is_that_of_the_image(viewer):
    """In the lowest plane of the box is nothing but padding: the window's lower end."""
    slider = viewer.get_by_role("slider", name="Axial")
    slider.focus()
    viewer.page.keyboard.press("Home")

    viewer.get_by_text("At the cross-hairs: ≤ -1,000 HU").wait_for()


def test_the_viewer_keeps_nobody_out(viewer):
    assert serious_findings(viewer.page) == []


def test_another_row_is_not_given_the_picture_that_is_on_its_way(opened):
    opened.route("**/features", lambda route: route.abort("failed"))
    opened.get_by_role("button", name="Scroll through all planes").click()
    opened.locator("#row code", has_text="unreachable").wait_for()
    opened.unroute("**/features")

    opened.get_by_role("button", name="Scroll through all planes").click()
    opened.get_by_role("button", name="Row before").click()

    opened.locator("#row-body h3", has_text="whole volume").wait_for()
    assert opened.locator("#row .planes").count() == 0


def test_a_picture_is_taken_apart_as_the_contract_says(page):
    """Grey 0 to 255 and bits come out of the browser as numpy put them in."""
    numbers = np.random.default_rng(3)
    columns, rows, planes, across = 5, 4, 7, 3
    grey = numbers.integers(0, 256, (planes, rows, columns), np.uint8)
    bits = numbers.integers(0, 256, (planes, rows, columns), np.uint8)
    more = numbers.integers(0, 2, (planes, rows, columns), np.uint8)
    sheets = []
    for volume in (grey, bits, more):
        sheet = np.zeros((3 * rows, across * columns), np.uint8)
        for number, plane in enumerate(volume):
            line, at = divmod(number, across)
            sheet[line * rows :, at * columns :][:rows, :columns] = plane
        sheets.append(sheet)
    file = io.BytesIO()
    Image.fromarray(np.vstack(sheets)).save(file, "PNG")
    answer = {
        "preview": base64.b64encode(file.getvalue()).decode(),
        "picture": {
            "shape": [columns, rows, planes],
            "voxel_mm": [1, 1, 1],
            "across": across,
            "regions": [f"R{n}" for n in range(9)],
        },
    }

    found = page.evaluate(
        """async (answer) => {
            const { volumeOf } = await import("/static/results/volume.js");
            const { grey, regions } = await volumeOf(answer);
            return [[...grey], ...regions.map(({ inside }) => [...inside])];
        }""",
        answer,
    )

    assert found[0] == grey.ravel().tolist()
    for bit in range(8):
        assert found[1 + bit] == (bits.ravel() >> bit & 1).tolist()
    assert found[9] == more.ravel().tolist()


def test_a_tie_of_series_is_asked_with_pictures_and_the_one_that_is_chosen_is_taken(
    page, drop, tmp_path
):
    (tmp_path / "tie.zip").write_bytes(zip_of(*tie("1.2.7.1", "1.2.7.2")))
    drop(tmp_path / "tie.zip")
    wait_for(page, "tie.zip", "failed")
    page.locator(".series-choice").scroll_into_view_if_needed()
    cards = page.locator(".series-card")
    cards.locator("img").nth(1).wait_for()
    assert cards.count() == 2
    assert "No rule ranks it before the others." in cards.first.inner_text()
    assert serious_findings(page) == []

    page.get_by_role("button", name="Take this series: CT · 24 slices, ….2.7.2").click()

    wait_for(page, "tie.zip", "done")
    rows_of(page).click()
    assert "1.2.7.2" in page.get_by_role("dialog").inner_text().split("\n")


def test_another_series_than_the_rules_is_taken_for_a_study_that_is_done(page, drop, tmp_path):
    thin = thorax(shape=(40, 52, 30), spacing_mm=(2.5, 1.75, 2.0))
    files = [*tie("1.2.7.1"), *slices(thin, **TWICE, SeriesInstanceUID="1.2.7.2")]
    (tmp_path / "two.zip").write_bytes(zip_of(*files))
    drop(tmp_path / "two.zip")
    wait_for(page, "two.zip", "done")

    page.get_by_role("button", name="Series: two.zip").click()
    used = page.locator(".series-card.is-used")
    used.get_by_text("Default: its slices lie closest.").wait_for()
    other = page.locator(".series-card").filter(has_text="slices of another one lie closer")
    other.get_by_role("button").click()

    page.get_by_text("series ….2.7.1").wait_for()
    wait_for(page, "two.zip", "done")
    rows_of(page).click()
    assert "1.2.7.1" in page.get_by_role("dialog").inner_text().split("\n")


@pytest.fixture
def job(page, kheops):
    """A job of an album with a tie, which has ended."""
    album = kheops.add_album("Ties", "eve")
    kheops.add_study(album, *(file_bytes(each) for each in tie("1.2.7.1", "1.2.7.2")))
    page.get_by_role("link", name="Cohorts").click()
    page.get_by_role("link", name="Kheops").click()
    page.get_by_label("Token of Kheops").fill(kheops.capability("eve").text)
    page.get_by_role("button", name="Use it").click()
    page.get_by_role("link", name="Ties").click()
    page.get_by_label("All on this page").check()
    page.get_by_role("button", name="Extract 1 study").click()
    page.locator(".job-line", has_text="failed: 1").wait_for()
    return page


def test_a_tie_in_a_job_is_asked_and_its_picture_made_when_somebody_looks(job):
    cards = job.locator(".job-studies .series-card")
    cards.nth(1).wait_for()  # by what the refusal says
    assert job.locator(".series-card img").count() == 0
    job.get_by_role("button", name="Show pictures of the series").click()
    cards.locator("img").nth(1).wait_for()

    cards.nth(1).get_by_role("button", name="Take this series").click()

    job.locator(".job-line", has_text="done: 1").wait_for()
    job.locator("#view-cohorts .grid-body .grid-row").first.click()
    assert "1.2.7.2" in job.get_by_role("dialog").inner_text().split("\n")
    job.get_by_role("button", name="Show what the network saw").click()
    job.locator("#row .planes").wait_for()
    assert place(job.locator("#row .planes"), "Axial").startswith("plane 33 of 64")
