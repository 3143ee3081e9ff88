"""The way through the page in Firefox, in the dark: what Chromium does in all its tests, in one."""

import asyncio
import io
import json
import re
import time
from pathlib import Path

import openpyxl
import pytest
from bidi import FIREFOX, PATIENCE_S, Firefox, running_firefox
from conftest import TOKEN
from studies import zip_of_regions

pytestmark = pytest.mark.skipif(FIREFOX is None, reason="there is no firefox-esr on PATH")

ENTER, DOWN, RIGHT, ESCAPE, DELETE = "\ue007", "\ue015", "\ue014", "\ue00c", "\ue017"
"""WebDriver 2 section 15.4.2: keys that have no text."""

ROWS = "document.querySelectorAll('{} .grid-body .grid-row').length === {}"
COUNTS = "document.querySelector('#results .counts').textContent"


def test_firefox_goes_all_the_way(gateway, tmp_path):
    study = zip_of_regions(tmp_path, ["GTV", "liver"], PatientID="P1")
    profile, downloads = tmp_path / "profile", tmp_path / "downloads"
    profile.mkdir()
    downloads.mkdir()

    async def walk() -> list[str]:
        async with running_firefox(profile, downloads) as firefox:
            await firefox.open(f"{gateway.url}/?token={TOKEN}")
            await firefox.wait("document.querySelector('#model option[value=ct3dcnn]')")
            await looks_at_the_network(firefox)
            await drops(firefox, study)
            await firefox.wait(ROWS.format("#results", 3))
            await opens_a_row(firefox)
            await takes_a_file(firefox, downloads)
            await filters_sorts_and_excludes(firefox)
            await looks_at_plots(firefox)
            await speaks_other_languages(firefox)
            await starts_a_job(firefox, study)
            await reads_the_help(firefox)
            return firefox.faults

    assert asyncio.run(walk()) == []


async def looks_at_the_network(firefox: Firefox) -> None:
    """It is dark, and the network's card says which version is served."""
    assert await firefox.run("matchMedia('(prefers-color-scheme: dark)').matches")
    background = await firefox.run("getComputedStyle(document.body).backgroundColor")
    assert background == "rgb(17, 22, 27)"
    await firefox.click(".about")
    await firefox.wait("document.querySelector('dialog .model-card h4')")
    await firefox.press(ESCAPE)
    await firefox.wait("!document.querySelector('dialog .model-card')")


async def drops(firefox: Firefox, study: Path) -> None:
    """Drop a file: BiDi can give files to a field alone, from where a script drops them."""
    await firefox.run("""(() => {
        const field = Object.assign(document.createElement("input"), { type: "file", id: "hand" });
        document.body.append(field);
    })()""")
    await firefox.choose("#hand", study)
    await firefox.run("""(() => {
        const field = document.querySelector("#hand");
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(field.files[0]);
        field.remove();
        const drop = new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true });
        document.querySelector("#drop").dispatchEvent(drop);
    })()""")


async def opens_a_row(firefox: Firefox) -> None:
    await firefox.run("document.querySelector('#results [role=grid]').focus()")
    await firefox.press(DOWN, ENTER)
    await firefox.wait("document.querySelector('#row[open]')")
    text = await firefox.run("document.querySelector('#row').textContent")
    assert "P1 · CT, GTV" in text
    assert "the weights are for checking a pipeline" in text
    await firefox.press(ESCAPE)
    await firefox.wait("!document.querySelector('#row[open]')")


async def takes_a_file(firefox: Firefox, downloads: Path) -> None:
    """An XLSX lies in the folder of downloads, with the rows."""
    await firefox.click(".downloads .primary")
    await firefox.wait("document.body.textContent.includes('The file has 3 rows.')")
    deadline = time.monotonic() + PATIENCE_S
    while not (found := list(downloads.glob("*.xlsx"))) or not found[0].stat().st_size:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)
    book = openpyxl.load_workbook(io.BytesIO(found[0].read_bytes()), read_only=True)
    rows = list(book["Features"].iter_rows(values_only=True))
    assert [row[1:4] for row in rows[1:]] == [
        ("P1", "CT", ""),
        ("P1", "CT", "GTV"),
        ("P1", "CT", "liver"),
    ]
    book.close()


async def filters_sorts_and_excludes(firefox: Firefox) -> None:
    await firefox.write("#results input[type=search]", "liver")
    await firefox.wait(f"{COUNTS}.includes('1 of 3 rows shown')")
    await firefox.run("document.querySelector('#results input[type=search]').select()")
    await firefox.press(DELETE)
    await firefox.wait(f"{COUNTS}.includes('3 of 3 rows shown')")
    for _ in range(2):
        await firefox.run("""[...document.querySelectorAll("#results .sort")]
            .find(({ textContent }) => textContent === "Region").click()""")
    first = "document.querySelector('#results .grid-body .of-region').textContent"
    assert await firefox.run(first) == "liver"
    await firefox.run("""[...document.querySelectorAll("#results .tick-line")]
        .find(({ textContent }) => textContent.includes("UNTRAINED_REGION_MODE")).click()""")
    await firefox.wait(f"{COUNTS}.includes('1 of 3 rows shown · 2 excluded')")
    await firefox.run("document.querySelector('#results .tick-line :checked').click()")
    await firefox.wait(f"{COUNTS}.includes('3 of 3 rows shown')")


async def looks_at_plots(firefox: Firefox) -> None:
    await firefox.run("document.querySelectorAll('#results [role=tab]')[1].click()")
    await firefox.wait("document.querySelector('canvas.heat').width > 200")
    await firefox.run("document.querySelector('canvas.heat').focus()")
    await firefox.press(DOWN, RIGHT)
    await firefox.wait(
        "document.querySelector('.heat-scroll + .readout').textContent.includes('ct3dcnn1_001')"
    )
    await firefox.run("document.querySelectorAll('#results [role=tab]')[2].click()")
    await firefox.wait("document.querySelector('.axis-x').textContent.includes('%')")
    legend = await firefox.run("document.querySelector('.plot .legend:has(.key)').textContent")
    assert {"whole volume", "GTV", "liver"} == set(re.findall(r"[A-Za-z][A-Za-z ]+", legend))
    box = json.loads(
        await firefox.run("""(() => {
        const canvas = document.querySelector("canvas.scatter");
        canvas.scrollIntoView({ block: "center" });
        const { left, top, width, height } = canvas.getBoundingClientRect();
        return JSON.stringify({ left, top, width, height });
    })()""")
    )
    corners = [
        (2, 2),
        (box["width"] - 2, 2),
        (box["width"] - 2, box["height"] - 2),
        (2, box["height"] - 2),
    ]
    await firefox.drag(*((box["left"] + x, box["top"] + y) for x, y in corners))
    await firefox.wait(f"{COUNTS}.includes('3 selected')")


async def speaks_other_languages(firefox: Firefox) -> None:
    for tag, heading in (("fr", "Résultats"), ("de", "Ergebnisse"), ("en", "Results")):
        await firefox.choose_option("#language", tag)
        await firefox.wait(f"document.querySelector('#results-title').textContent === '{heading}'")


async def starts_a_job(firefox: Firefox, study: Path) -> None:
    await firefox.run("location.hash = '#/files'")
    await firefox.wait("document.querySelector('#view-cohorts input[type=file]')")
    await firefox.choose("#view-cohorts input[type=file]", study)
    await firefox.wait("!document.querySelector('.start button.primary').disabled")
    await firefox.click(".start button.primary")
    await firefox.wait(ROWS.format("#view-cohorts", 3))
    await firefox.wait("document.querySelector('.job-line').textContent.includes('ended')")


async def reads_the_help(firefox: Firefox) -> None:
    address = await firefox.run("document.querySelector('#to-help').href")
    await firefox.open(address)
    await firefox.wait("document.querySelector('h1').textContent === 'Help'")
