"""Rows that somebody leaves out by quality code: counted and named in every file."""

import io
import json

import pyarrow.parquet as pq
import pytest
from result_rows import answered, cohort, document_of
from test_results_files import lines, members

from gateway.results.document import DocumentError, cohort_of, read_json
from gateway.results.export import export
from gateway.results.methods import methods

LOSSY = {"code": "LOSSY", "severity": "warn", "number": 1.0}
METAL = {"code": "METAL_SUSPECTED", "severity": "exclude", "number": 0.02}


def sent(*studies, exclude):
    """The cohort of a document that leaves rows out."""
    document = document_of(cohort(*studies), exclude=exclude)
    return cohort_of(read_json(bytearray(json.dumps(document), "utf-8")), {})


@pytest.fixture
def given():
    """Of three patients with two rows each, those of A have two codes, and those of B one."""
    return (
        answered("A", quality=[LOSSY, METAL]),
        answered("B", quality=[LOSSY]),
        answered("C", quality=[]),
    )


def test_rows_with_a_code_are_in_no_table(given):
    found = sent(*given, exclude=["METAL_SUSPECTED"])

    assert [label["patient_id"] for label in found.labels] == ["B", "B", "C", "C"]
    assert (found.features == cohort(*given[1:]).features).all()
    assert {row["patient_id"] for row in lines(members(found)["quality.csv"])} == {"B"}


def test_they_are_counted_once_by_the_gravest_code(given):
    found = lines(members(sent(*given, exclude=["LOSSY", "METAL_SUSPECTED"]))["exclusions.csv"])

    assert [(row["what"], row["code"], row["number"], row["which"]) for row in found] == [
        ("row", "METAL_SUSPECTED", "2", "A CT; A CT GTV ä"),
        ("row", "LOSSY", "2", "B CT; B CT GTV ä"),
    ]
    assert found[0]["meaning"] == "voxels of 3000 HU and more"


def test_a_study_whose_rows_are_all_left_out_gave_rows(given):
    found = sent(*given, exclude=["METAL_SUSPECTED"])

    text = methods(found)

    assert "Of 3 studies that came, 0 gave no rows; nothing was left out." in text
    assert (
        "2 rows were then excluded by quality code: METAL_SUSPECTED (2): voxels of 3000 HU and "
        "more." in text
    )


def test_the_paragraph_says_nothing_of_exclusions_where_there_are_none(given):
    assert "then excluded" not in methods(sent(*given, exclude=["GAPS_INTERPOLATED"]))


def test_provenance_says_which(given):
    found = sent(*given, exclude=["METAL_SUSPECTED"])

    told = json.loads(members(found)["provenance.json"])
    written = json.loads(export(found, "json"))
    kept = json.loads(_metadata(export(found, "parquet")))

    assert told["rows_excluded"] == kept["rows_excluded"] == 2
    (whole, tumour) = told["results"][0]["excluded"]
    assert (whole["code"], whole["patient_id"], tumour["roi"]) == ("METAL_SUSPECTED", "A", "GTV ä")
    assert written["answers"][0]["excluded"] == [whole, tumour]
    assert written["provenance"] == kept


def _metadata(content):
    file = pq.ParquetFile(io.BytesIO(content))
    return file.schema_arrow.metadata[b"deepfeatures"]


@pytest.mark.parametrize("exclude", [["LOSY"], "LOSSY", [1], {"LOSSY": True}])
def test_what_is_no_quality_code_is_refused(given, exclude):
    with pytest.raises(DocumentError, match="exclude"):
        sent(*given, exclude=exclude)
