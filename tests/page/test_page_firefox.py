"""The way through the page in Firefox: a study, its rows, plots and a file; a job and its rows."""

import asyncio

import pytest
from bidi import FIREFOX, running_firefox
from conftest import TOKEN
from studies import zip_of_regions

pytestmark = pytest.mark.skipif(FIREFOX is None, reason="there is no firefox-esr on PATH")

ROWS = "document.querySelectorAll('{} .grid-body .grid-row').length === 3"


def test_firefox_goes_all_the_way(gateway, tmp_path):
    study = zip_of_regions(tmp_path, ["GTV", "liver"])
    (tmp_path / "profile").mkdir()

    async def walk() -> list[str]:
        async with running_firefox(tmp_path / "profile") as firefox:
            await firefox.open(f"{gateway.url}/?token={TOKEN}")
            await firefox.wait("document.querySelector('#model option[value=ct3dcnn]')")
            await firefox.choose("#files", study)
            await firefox.wait(ROWS.format("#results"))
            await firefox.run("document.querySelectorAll('#results [role=tab]')[1].click()")
            await firefox.wait("document.querySelector('canvas.heat').width > 200")
            await firefox.run("document.querySelectorAll('#results [role=tab]')[2].click()")
            await firefox.wait("document.querySelector('.axis-x').textContent.includes('%')")
            await firefox.run("document.querySelector('.downloads .primary').click()")
            await firefox.wait("document.body.textContent.includes('The file has 3 rows.')")
            await firefox.run("location.hash = '#/files'")
            await firefox.wait("document.querySelector('#view-cohorts input[type=file]')")
            await firefox.choose("#view-cohorts input[type=file]", study)
            await firefox.wait("!document.querySelector('.start button.primary').disabled")
            await firefox.run("document.querySelector('.start button.primary').click()")
            await firefox.wait(ROWS.format("#view-cohorts"))
            return firefox.faults

    assert asyncio.run(walk()) == []
