"""Rows of a cohort: filtered, sorted, excluded, selected, drawn; few of them and thousands."""

import time

import pytest
from cohort_rows import answer
from studies import column_of, count_of, rows_of

SECONDS_OF_A_GESTURE = 1.0
"""On the slowest machine of the tests: people wait so long without a doubt."""


@pytest.fixture
def show(page):
    """Shows a cohort of so many rows on the page."""

    def show(count: int) -> None:
        body = answer(count)
        page.route(
            "**/features*", lambda route: route.fulfill(body=body, content_type="application/json")
        )
        zipped = {"name": "cohort.zip", "mimeType": "application/zip", "buffer": b"bytes"}
        page.set_input_files("#files", [zipped])
        rows_of(page).first.wait_for()

    return show


def counts(page) -> str:
    return page.locator("#results .counts").inner_text().strip().split("\n")[0]


def test_rows_are_searched_and_filtered_and_counted(page, show):
    show(40)

    page.get_by_label("Modality").select_option("PT")
    page.get_by_label("Search").fill("gtv-t p0003")

    assert column_of(page, "patient") == ["P0003"]
    assert counts(page) == "1 of 40 rows shown"


def test_rows_are_sorted_by_any_column_and_back(page, show):
    show(40)
    heads = page.get_by_role("columnheader")

    page.get_by_role("button", name="Volume (ml)").click()
    page.get_by_role("button", name="Volume (ml)").click()

    assert heads.filter(has_text="Volume").get_attribute("aria-sort") == "descending"
    assert column_of(page, "volume")[:3] == ["39", "38", "37"]


def test_rows_are_excluded_by_code_from_what_is_shown_and_from_files(page, show):
    show(40)

    page.locator("summary", has_text="Exclude by quality").click()
    page.get_by_label("METAL_SUSPECTED").check()

    assert counts(page) == "30 of 40 rows shown · 10 excluded"
    with page.expect_request("**/api/exports/xlsx") as asked:
        page.get_by_role("button", name="Download XLSX").click()
    assert asked.value.post_data_json["exclude"] == ["METAL_SUSPECTED"]
    page.get_by_text("The file has 30 rows.").wait_for()


def test_columns_of_the_acquisition_are_shown_on_demand(page, show):
    show(8)
    assert not page.get_by_role("columnheader", name="ConvolutionKernel").is_visible()

    page.locator("summary", has_text="Columns").click()
    page.get_by_label("ConvolutionKernel").check()

    kernels = rows_of(page).locator("[data-label=ConvolutionKernel]").all_inner_texts()
    assert kernels[:4] == ["B70f", "B30f", "B30f", "B70f"]


def test_the_heat_map_tells_values_to_mouse_and_keyboard(page, show):
    show(8)
    page.get_by_role("tab", name="Heat map").click()
    readout = page.locator("#results .heat-scroll + .readout")

    page.locator("canvas.heat").hover(position={"x": 3, "y": 3})
    assert readout.inner_text().startswith("P0000 · CT · whole volume · ct3dcnn1_000 = ")
    page.locator("canvas.heat").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")

    assert readout.inner_text().startswith("P0000 · CT · GTV-T · ct3dcnn1_001 = ")
    assert readout.inner_text().endswith("standard deviations from the mean")


def test_points_are_selected_by_a_lasso_and_by_keyboard(page, show):
    """The two halves are apart along the first component: a lasso around one side has one."""
    show(40)
    page.get_by_role("tab", name="Scatter plot").click()
    canvas = page.locator("canvas.scatter")
    page.get_by_label("Colour").select_option("volume")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()

    page.mouse.move(box["x"] + 2, box["y"] + 2)
    page.mouse.down()
    for x, y in ((0.5, 0.01), (0.5, 0.99), (0.01, 0.99)):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=3)
    page.mouse.up()
    assert counts(page) == "40 of 40 rows shown · 20 selected"
    page.get_by_role("button", name="Only selected rows").click()
    assert counts(page) == "20 of 40 rows shown · 20 selected"
    page.get_by_role("button", name="Clear selection").click()

    page.get_by_text("Drag around points").wait_for()
    canvas.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    assert counts(page) == "40 of 40 rows shown · 1 selected"
    page.get_by_role("button", name="Show it in the table").click()
    assert rows_of(page).first.is_visible()


@pytest.mark.parametrize(
    ("count", "colour"),
    [
        pytest.param(40, "Region", id="of the regions, of which there are four"),
        pytest.param(1, "", id="none, of too few rows"),
    ],
)
def test_points_are_coloured_by_what_tells_them_apart(page, show, count, colour):
    show(count)
    page.get_by_role("tab", name="Scatter plot").click()

    if not colour:
        page.get_by_text("Components need three rows or more.").wait_for()
        return
    page.get_by_text("Drag around points").wait_for()
    chosen = page.get_by_label("Colour").locator("option:checked").inner_text()
    legend = page.locator("#results .legend .key-line").all_inner_texts()

    assert chosen == colour
    assert [each.split()[0] for each in legend] == ["whole", "GTV-T", "GTV-N", "liver"]


def test_thousands_of_rows_stay_usable(page, show):
    show(5000)
    assert count_of(page) == 5000
    assert rows_of(page).count() < 60
    table = page.locator("#results .grid-scroll")
    gestures = {
        "search": lambda: page.get_by_label("Search").fill("p1249"),
        "all": lambda: page.get_by_label("Search").fill(""),
        "sort": lambda: page.get_by_role("button", name="Volume (ml)").click(),
        "end": lambda: (page.get_by_role("grid").focus(), page.keyboard.press("End")),
        "heat map": lambda: page.get_by_role("tab", name="Heat map").click(),
    }

    seconds = {}
    for name, gesture in gestures.items():
        began = time.perf_counter()
        gesture()
        page.evaluate("() => new Promise(requestAnimationFrame)")
        seconds[name] = time.perf_counter() - began
        if name == "end":
            assert column_of(page, "volume")[-1] == "4,999"
            assert table.evaluate("each => each.scrollTop") > 100_000

    assert max(seconds.values()) < SECONDS_OF_A_GESTURE, seconds
