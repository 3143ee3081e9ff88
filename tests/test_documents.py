"""What the documents say is what the code does."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import LargeBinary

from gateway.jobs.tables import metadata
from imaging.errors import REFUSALS
from imaging.quality import QUALITY
from tools.engine.settings import EngineSettings
from tools.errors_page import MODULE, PAGE, codes_module, errors_page
from tools.locations import CHECKOUT


def test_the_page_of_codes_is_that_of_the_code():
    assert PAGE.read_text(encoding="utf-8") == errors_page()


def test_the_codes_that_the_page_explains_are_those_of_the_code():
    assert MODULE.read_text(encoding="utf-8") == codes_module()


def test_every_refusal_is_raised_somewhere_and_no_other_is():
    source = "".join(path.read_text() for path in (CHECKOUT / "imaging").rglob("*.py"))
    raised = set(re.findall(r'InputError\(\s*"(\w+)"', source))

    assert raised == set(REFUSALS)


@pytest.mark.parametrize("code", [*REFUSALS, *QUALITY])
def test_every_code_is_asserted_by_a_test(code):
    """As a text of its own, or as the start of the pattern that an error must match."""
    named = re.compile(rf"\^?{code}(: .*)?")

    assert any(named.fullmatch(text) for text in asserted_texts())


@cache
def asserted_texts():
    """All texts in the tests that assert or expect an error, and in what parametrizes them."""
    modules = (ast.parse(path.read_text()) for path in Path(__file__).parent.glob("test_*.py"))
    return {
        each.value
        for module in modules
        for test in module.body
        if isinstance(test, ast.FunctionDef) and test.name.startswith("test_") and asserts(test)
        for each in ast.walk(test)
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    }


def asserts(test):
    return any(
        isinstance(each, ast.Assert)
        or (isinstance(each, ast.Attribute) and each.attr in ("raises", "assert_allclose"))
        for each in ast.walk(test)
    )


def test_the_readme_has_the_default_ports():
    settings = EngineSettings()

    readme = (CHECKOUT / "README.md").read_text()
    for port in (settings.http_port, settings.grpc_port):
        assert str(port) in readme


def test_every_column_of_the_database_is_told_of_and_no_other():
    found, table = {}, ""
    for line in (CHECKOUT / "docs" / "privacy.md").read_text().splitlines():
        if line.startswith("### "):
            table = line.removeprefix("### ")
        elif table and line.startswith("| `"):
            cells = [cell.strip() for cell in line.split("|")[1:-1]]
            names = re.findall(r"`(\w+)`", cells[0])
            found |= {(table, name): cells[-1] for name in names}

    columns = {
        (table.name, column.name): "sealed" if isinstance(column.type, LargeBinary) else "clear"
        for table in metadata.tables.values()
        for column in table.columns
    }
    assert found == columns
