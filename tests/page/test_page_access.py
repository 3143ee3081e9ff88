"""Nobody is kept out: by a reader of the screen, a small screen, a slow line."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from phantoms import file_bytes, slices, thorax
from studies import rows_of, wait_for, zip_file, zip_of_regions

FIRST_LOAD_BYTES = 250_000
SENT_BYTES = 100_000
"""Of the first load, as it is compressed."""

HELP = ("help", "help-fr", "help-de", "own-model", "own-model-fr")


def serious_findings(page) -> list[str]:
    """What keeps people out, by axe, in the light and in the dark."""
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for finding in Axe().run(page).response["violations"]:
            if finding["impact"] in ("serious", "critical"):
                where = [node["target"] for node in finding["nodes"]]
                found.append(f"{scheme}: {finding['id']} {where[:3]}")
    return found


def test_no_state_of_uploads_keeps_anybody_out(page, drop, tmp_path):
    (tmp_path / "bad.zip").write_bytes(b"bytes")
    states = {"empty": serious_findings(page)}
    page.get_by_role("button", name="About this network").click()
    card = page.get_by_role("dialog", name="ct3dcnn")
    card.get_by_role("heading", name="Version 1, served now").wait_for()
    assert "Demonstration weights: for checking a pipeline" in card.inner_text()
    states["card"] = serious_findings(page)
    page.keyboard.press("Escape")

    drop(zip_of_regions(tmp_path, ["GTV", "liver"]), tmp_path / "bad.zip")
    wait_for(page, "regions.zip", "done")
    wait_for(page, "bad.zip", "failed")
    page.get_by_role("grid").focus()
    page.keyboard.press("Space")
    states["table"] = serious_findings(page)
    page.locator("summary", has_text="Exclude by quality").click()
    states["menu"] = serious_findings(page)
    page.keyboard.press("Escape")
    for name in ("Heat map", "Scatter plot", "Comparison", "Studies"):
        page.get_by_role("tab", name=name).click()
        if name == "Scatter plot":
            page.get_by_text("Drag around points").wait_for()
        states[name] = serious_findings(page)
    page.get_by_role("tab", name="Table").click()
    rows_of(page).nth(1).click()
    for summary in page.locator("#row summary").all():
        summary.click()
    states["row"] = serious_findings(page)

    assert {name: found for name, found in states.items() if found} == {}


def test_no_state_of_cohorts_keeps_anybody_out(page, kheops, tmp_path):
    album = kheops.add_album("For readers", "bea")
    kheops.add_study(album, file_bytes(slices(thorax())[0]), store=False)
    states = {}
    page.get_by_role("link", name="Cohorts").click()
    page.get_by_text("No job yet").or_(page.locator(".jobs")).wait_for()
    states["cohorts"] = serious_findings(page)
    page.get_by_role("link", name="Kheops").click()
    states["token"] = serious_findings(page)
    page.get_by_label("Token of Kheops").fill(kheops.capability("bea").text)
    page.get_by_role("button", name="Use it").click()
    page.get_by_role("link", name="For readers").wait_for()
    states["albums"] = serious_findings(page)
    page.get_by_role("link", name="For readers").click()
    page.get_by_label("All on this page").check()
    states["studies"] = serious_findings(page)
    page.goto(page.url.split("#")[0] + "#/files")
    zips = [zip_file(tmp_path, "one.zip"), tmp_path / "bad.zip"]
    zips[1].write_bytes(b"bytes")
    page.locator("#view-cohorts input[type=file]").first.set_input_files(zips)
    states["files"] = serious_findings(page)
    page.get_by_role("button", name="Extract 2 studies").click()
    page.locator(".job-line", has_text="ended").wait_for()
    page.locator("#view-cohorts [role=grid]").wait_for()
    states["job"] = serious_findings(page)

    assert {name: found for name, found in states.items() if found} == {}


@pytest.mark.parametrize("name", HELP)
def test_pages_of_text_keep_nobody_out(page, gateway, name):
    page.goto(f"{gateway.url}/static/{name}.html")

    assert serious_findings(page) == []
    for link in page.locator("a").evaluate_all("all => all.map((each) => each.href)"):
        assert page.request.get(link).ok


@pytest.mark.parametrize("language", ["en-US", "fr-CH"])
def test_the_first_load_is_small_and_asks_no_other_host(browser, gateway, language):
    context = browser.new_context(locale=language)
    page = context.new_page()
    sizes, sent, hosts = [], [], set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    page.on("response", lambda response: sizes.append(len(response.body())))
    page.on("requestfinished", lambda request: sent.append(request.sizes()["responseBodySize"]))

    token = gateway.headers["Authorization"].split()[1]
    page.goto(f"{gateway.url}/?token={token}", wait_until="networkidle")

    assert hosts == {gateway.url.split("/")[2]}
    assert sum(sizes) < FIRST_LOAD_BYTES
    assert sum(sent) < SENT_BYTES
    assert page.locator("html").get_attribute("lang") == language[:2]
    context.close()
