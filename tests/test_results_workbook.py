"""The workbook, as openpyxl and LibreOffice read it."""

import csv
import io
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from openpyxl.utils.escape import unescape
from result_rows import F, answered, cohort

from gateway.results.cohort import Study
from gateway.results.export import export
from gateway.results.workbook import CELL_CHARACTERS, TooLargeError
from tools.engine.regions import SHARED_MEMORY, folder_prefix

SHEETS = [
    "Features",
    "Acquisition",
    "Quality",
    "Exclusions",
    "Provenance",
    "Methods",
    "Reporting",
    "Citation",
]


def opened(*studies, **more):
    return openpyxl.load_workbook(io.BytesIO(export(cohort(*studies, **more), "xlsx")))


def rows_of(sheet):
    header, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(header, row, strict=True)) for row in rows]


def test_the_sheets_are_those_that_a_paper_needs():
    book = opened(answered("A"), Study("b.zip", code="not_a_zip"))

    assert book.sheetnames == SHEETS
    assert rows_of(book["Exclusions"])[0]["code"] == "not_a_zip"
    assert {row["what"]: row["value"] for row in rows_of(book["Provenance"])}["rows"] == 2
    assert "IBSI" in rows_of(book["Methods"])[-1]["text"]
    assert [row["item"] for row in rows_of(book["Reporting"])] == [
        *(16, 19, 21, 22, 25, 27, 28),
        *(6, 8, 11, 12, 13, 14, 15),
    ]


def test_numbers_are_numbers_that_read_back_to_the_same_float32():
    given = cohort(answered("A", seed=3))

    first, second = rows_of(opened(answered("A", seed=3))["Features"])

    assert list(first)[:5] == ["Row", "PatientID", "Modality", "ROI", "Quality"]
    assert (second["Row"], second["ROI"], second["Quality"]) == (2, "GTV ä", "warn")
    read = [[row[name] for name in given.feature_names] for row in (first, second)]
    np.testing.assert_array_equal(np.float32(read), given.features)


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\tx",
        "\rx",
        "=HYPERLINK(1)",
        "https://example.org",
        "0012",
        "_x0041_",
        "<r><t>x</t></r>",
        "a\x0bb",
        "a\ufffeb",
        " x ",
    ],
)
def test_texts_are_texts_whatever_they_begin_with(text):
    content = export(cohort(answered(text)), "xlsx")

    book = openpyxl.load_workbook(io.BytesIO(content))
    cell = book["Features"]["B2"]
    assert cell.data_type == "s"
    assert not cell.hyperlink
    shown = text.replace("\x0b", "\ufffd").replace("\ufffe", "\ufffd")
    assert unescape(cell.value).rstrip(" ") == shown.rstrip(" ")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert not any(b"<f>" in archive.read(name) for name in archive.namelist())


def test_a_text_that_is_too_long_for_a_cell_is_seen_to_be_cut():
    cell = opened(answered("A" * 40_000))["Features"]["B2"]

    assert len(cell.value) == CELL_CHARACTERS
    assert cell.value.endswith("A…")


def test_headers_stay_and_filter():
    sheet = opened()["Features"]

    assert sheet.freeze_panes == "E2"
    assert sheet.auto_filter.ref == f"A1:{sheet.cell(3, 5 + F).coordinate}"
    assert sheet.column_dimensions["B"].width > 8


def test_a_cohort_that_no_sheet_holds_is_refused():
    wide = answered("A")
    features = np.zeros((len(wide.labels), 17_000), np.float32)

    with pytest.raises(TooLargeError, match="another form"):
        export(cohort(Study("a", wide.labels, features)), "xlsx")


def test_nothing_is_left_behind_and_nothing_is_on_a_disk(monkeypatch):
    monkeypatch.setenv("TMPDIR", "/nowhere")
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")

    export(cohort(), "xlsx")

    assert not list(SHARED_MEMORY.glob(f"{folder_prefix()}*"))


COMMA_DECIMAL = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Setup/L10N"><prop oor:name="ooSetupSystemLocale" oor:op="fuse">
<value>de-DE</value></prop></item></oor:items>
"""

EACH_SHEET = "csv:Text - txt - csv (StarCalc):59,34,76,1,,0,false,false,false,,,-1"
"""Semicolons, UTF-8, values and not as they are shown, all sheets: the filter's options."""


def test_libreoffice_with_a_decimal_comma_reads_numbers_as_numbers(tmp_path):
    program = shutil.which("soffice")
    if program is None:
        pytest.skip("LibreOffice is not installed")
    given = cohort(answered("=1+1", seed=4), answered("0012", seed=5))
    file = tmp_path / "rows.xlsx"
    file.write_bytes(export(given, "xlsx"))
    profile = tmp_path / "profile" / "user"
    profile.mkdir(parents=True)
    (profile / "registrymodifications.xcu").write_text(COMMA_DECIMAL)

    subprocess.run(
        [
            program,
            f"-env:UserInstallation={profile.parent.as_uri()}",
            *("--headless", "--norestore", "--convert-to", EACH_SHEET),
            *("--outdir", tmp_path, file),
        ],
        check=True,
        capture_output=True,
        timeout=120,
        env={**os.environ, "LANG": "de_DE.UTF-8", "HOME": str(tmp_path)},
    )

    header, *rows = read(tmp_path / "rows-Features.csv")
    assert [row[1] for row in rows] == ["=1+1", "=1+1", "0012", "0012"]
    numbers = [row[header.index("test1_00") :] for row in rows]
    assert any("," in text for row in numbers for text in row)
    assert not any("." in text for row in numbers for text in row)
    shown = np.array([[float(text.replace(",", ".")) for text in row] for row in numbers])
    np.testing.assert_allclose(shown, given.features, rtol=1e-6)
    assert len(list(tmp_path.glob("rows-*.csv"))) == len(SHEETS)


def read(file: Path):
    return list(csv.reader(io.StringIO(file.read_text(encoding="utf-8")), delimiter=";"))
