"""The page says everything in each of its languages."""

import html
import json
import re

import pytest
from studies import column_of, wait_for, zip_file

from gateway.page.routes import FOLDER
from tools.errors_page import codes_module

STATIC = FOLDER / "static"
LANGUAGES = ("fr", "de")
VALUES = re.compile(r"\{\w+\}")

SAID = re.compile(r'\b(?:t|words)\(\s*"((?:[^"\\]|\\.)*)"')
COUNTED = re.compile(r'\bcounted\([^;]*?, "((?:[^"\\]|\\.)*)", "((?:[^"\\]|\\.)*)"\)')
MARKED = re.compile(r"data-t(?:\s[^>]*)?>([^<]+)<")
LABELLED = re.compile(r'data-t-label="([^"]*)"')


def texts_of_the_page() -> set[str]:
    """All English texts that the page's modules and its document have for people."""
    texts = set()
    for path in STATIC.rglob("*.js"):
        if path.parent.name != "words":
            code = path.read_text()
            found = [
                *SAID.findall(code),
                *(each for pair in COUNTED.findall(code) for each in pair),
            ]
            texts.update(json.loads(f'"{each}"') for each in found)
    document = (FOLDER / "index.html").read_text()
    texts.update(html.unescape(" ".join(each.split())) for each in MARKED.findall(document))
    return texts.union(LABELLED.findall(document))


def table(module: str, name: str) -> dict[str, str]:
    """One of the objects that a module exports."""
    found = re.search(rf"export const {name} = (\{{.*?\n\}});", module, re.DOTALL)
    return json.loads(found[1])


@pytest.fixture(params=LANGUAGES)
def catalogue(request) -> str:
    return (STATIC / "words" / f"{request.param}.js").read_text()


def test_every_text_of_the_page_is_in_every_language(catalogue):
    assert set(table(catalogue, "TEXTS")) == texts_of_the_page()


@pytest.mark.parametrize("name", ["QUALITY", "REMEDIES"])
def test_every_code_means_something_in_every_language(catalogue, name):
    assert set(table(catalogue, name)) == set(table(codes_module(), name))


def test_values_stand_in_every_language(catalogue):
    for english, said in table(catalogue, "TEXTS").items():
        assert sorted(VALUES.findall(said)) == sorted(VALUES.findall(english)), english


def test_a_language_is_chosen_without_loss_and_holds_in_the_address(page, drop, tmp_path):
    drop(zip_file(tmp_path, "one.zip", PatientID="one"))
    wait_for(page, "one.zip", "done")

    page.get_by_label("Language").select_option("de")

    page.get_by_role("heading", name="Ergebnisse").wait_for()
    assert column_of(page, "patient") == ["one"]
    assert "von Auswertungen ausschließen" in page.locator("#results .grid-body").inner_text()
    assert page.locator("html").get_attribute("lang") == "de"
    page.reload()
    page.get_by_role("heading", name="Studien").wait_for()
