"""The page says everything in each of its languages."""

import ast
import html
import json
import re

import pytest
from studies import column_of, wait_for, zip_file

from gateway.codes import GATEWAY_CODES
from gateway.page.routes import FOLDER
from imaging.errors import REFUSALS
from tools.errors_page import codes_module

STATIC = FOLDER / "static"
GATEWAY = FOLDER.parent
CODE = re.compile(r"[a-z][a-z0-9_]*")
MAKERS = ("ProblemError", "SourceError", "ServiceError", "Meaning", "UnstorableError")
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


@pytest.fixture(params=LANGUAGES)
def codes(request) -> str:
    return (STATIC / "words" / f"codes-{request.param}.js").read_text()


def test_every_text_of_the_page_is_in_every_language(catalogue):
    assert set(table(catalogue, "TEXTS")) == texts_of_the_page()


@pytest.mark.parametrize("name", ["QUALITY", "REMEDIES", "NOTES"])
def test_every_code_means_something_in_every_language(codes, name):
    assert set(table(codes, name)) == set(table(codes_module(), name))


def test_every_refusal_is_said_in_every_language(codes):
    """What it means comes before the service's own sentence, which is English."""
    assert set(table(codes, "MEANINGS")) == GATEWAY_CODES.keys() | REFUSALS.keys()


def test_every_code_that_the_gateway_raises_has_a_cause_and_a_remedy():
    """By the calls that make its errors; a code of the engine's is in the engine's list."""
    raised = {
        argument.value
        for path in GATEWAY.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in MAKERS
        for argument in call.args[:2]
        if isinstance(argument, ast.Constant) and CODE.fullmatch(str(argument.value))
    }

    assert len(raised) > 40
    assert raised - GATEWAY_CODES.keys() - REFUSALS.keys() == set()


def test_values_stand_in_every_language(catalogue):
    for english, said in table(catalogue, "TEXTS").items():
        assert sorted(VALUES.findall(said)) == sorted(VALUES.findall(english)), english


def test_a_refusal_is_said_in_the_language_with_the_service_below(page, drop, tmp_path):
    page.get_by_label("Language").select_option("fr")
    (tmp_path / "bad.zip").write_bytes(b"bytes")

    drop(tmp_path / "bad.zip")

    wait_for(page, "bad.zip", "failed")
    problem = page.locator("#list .problem")
    assert problem.locator("p").all_inner_texts() == [
        "Ce n'est pas un fichier zip. not_a_zip",
        "Que faire : Envoyez un fichier zip, pas un dossier, un seul fichier DICOM ou du JSON.",
        "Dans les mots du service : The 5 bytes that came are not a zip file.",
    ]
    assert problem.locator("[lang=en]").inner_text() == "The 5 bytes that came are not a zip file."


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
