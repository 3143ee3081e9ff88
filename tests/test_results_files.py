"""CSV, zip and Parquet of a cohort, read by other programs; the same rows are the same bytes."""

import csv
import io
import json
import zipfile

import numpy as np
import pyarrow.parquet as pq
import pytest
from result_rows import F, answered, cohort, scanned

from gateway.results.cohort import Cohort, Study
from gateway.results.export import MEDIA_TYPES, export, file_name
from gateway.results.table import MixedVersionsError

BESIDE = [
    "provenance.json",
    "acquisition.csv",
    "quality.csv",
    "exclusions.csv",
    "methods.md",
    "reporting.md",
    "citation.bib",
]


def members(given):
    with zipfile.ZipFile(io.BytesIO(export(given, "zip"))) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def lines(text):
    header, *rows = csv.reader(io.StringIO(text))
    return [dict(zip(header, row, strict=True)) for row in rows]


@pytest.mark.parametrize("form", MEDIA_TYPES)
def test_the_same_rows_are_the_same_bytes(form):
    first, second = (cohort(answered("A"), answered("B", seed=2)) for _ in range(2))

    assert export(first, form) == export(second, form)


def test_a_zip_has_a_table_for_each_modality_and_region_named_as_quantimage_does():
    found = members(cohort(answered("A"), answered("B", seed=2), scanned("A")))

    assert [name for name in found if name not in BESIDE] == [
        "features_album_Lung 1_CT-whole.csv",
        "features_album_Lung 1_CT-GTV ä.csv",
        "features_album_Lung 1_PT-whole.csv",
    ]
    assert list(found)[3:] == BESIDE
    tumours = lines(found["features_album_Lung 1_CT-GTV ä.csv"])
    assert [row["PatientID"] for row in tumours] == ["A", "B"]
    names = [f"test1_{n:02}" for n in range(F)]
    assert list(tumours[0]) == ["PatientID", "Modality", "ROI", *names]


def test_names_of_regions_and_titles_are_made_safe_for_file_systems():
    names = ["../../etc/passwd", 'a:b*c?"<>|', "gtv", "GTV", "whole", "", " . ", "ü" * 90, "x\0y\n"]
    studies = [answered(f"P{n}", roi=name) for n, name in enumerate(names)]

    found = [name for name in members(cohort(*studies, title="A/B")) if name not in BESIDE]

    stem = "features_album_A_B_CT-"
    assert found == [
        f"{stem}{name}.csv"
        for name in (
            ".._.._etc_passwd".lstrip("."),
            "a_b_c_____",
            "gtv",
            "GTV_2",
            "whole",
            "whole_2",
            "_",
            "ü" * 40,
            "x_y_",
        )
    ]
    assert max(len(name.encode()) for name in found) <= 255


def test_what_gave_no_rows_is_counted_by_code():
    skipped = {"status": "skipped", "code": "localizer", "series_uid": "1.9"}
    with_more = answered("A")
    report = with_more.report | {"series": [*with_more.report["series"], skipped, "?"]}
    report["regions_skipped"] = [{"name": "GTV-N", "code": "empty_region"}]
    studies = [
        Study(with_more.name, with_more.labels, with_more.features, report),
        Study("b.zip", code="not_a_zip"),
        Study("c.zip", code="not_a_zip"),
        Study("d.zip", code="source_refused"),
    ]

    found = lines(members(cohort(*studies))["exclusions.csv"])

    assert [(row["what"], row["code"], row["number"], row["which"]) for row in found] == [
        ("study", "not_a_zip", "2", "b.zip; c.zip"),
        ("study", "source_refused", "1", "d.zip"),
        ("series", "localizer", "1", "1.9"),
        ("region", "empty_region", "1", "GTV-N"),
    ]
    assert found[0]["meaning"] == "The bytes are not those of a zip."
    assert found[1]["meaning"] == "The source of studies does not accept the login."


def test_quality_is_told_in_words_with_severity_and_number():
    found = lines(members(cohort())["quality.csv"])

    small = next(row for row in found if row["code"] == "REGION_SMALL")
    assert small == {
        "row": "2",
        "patient_id": "A",
        "modality": "CT",
        "roi": "GTV ä",
        "severity": "warn",
        "code": "REGION_SMALL",
        "number": "20.0",
        "meaning": "shorter than a quarter of the box; number: longest edge in mm",
    }


def test_only_labels_of_the_contract_are_exported():
    patient = answered("A", patient_name="DOE^JOHN", birth_date="19300101")
    acquired = [{**each, "acquisition": {"PatientSex": "M", "KVP": 120}} for each in patient.labels]
    given = cohort(Study("a.zip", acquired, patient.features))

    everything = b"".join(content.encode() for content in members(given).values())
    everything += export(given, "xlsx") + export(given, "parquet")

    assert b"DOE" not in everything
    assert b"PatientSex" not in everything
    assert b"KVP" in members(given)["acquisition.csv"].encode()


def test_provenance_has_everything_but_the_features():
    given = cohort(answered("A"), Study("b", code="busy"))

    document = json.loads(members(given)["provenance.json"])

    assert document["weights_sha256"] == "0" * 64
    assert (document["rows"], document["studies"], document["studies_without_rows"]) == (2, 2, 1)
    assert document["results"][0]["report"]["software"] == "triton-deep-features 0.1.0"
    assert document["results"][0]["rows"][1]["roi"] == "GTV ä"
    assert document["results"][1]["code"] == "busy"


def test_parquet_has_typed_columns_and_the_same_numbers():
    given = cohort(answered("A"), scanned("B"))

    table = pq.read_table(io.BytesIO(export(given, "parquet")))

    types = {name: str(table.schema.field(name).type) for name in table.column_names}
    assert types["patient_id"] == "string"
    assert types["roi_number"] == types["shape_1"] == "int64"
    assert types["volume_ml"] == types["voxel_mm_3"] == types["window_2"] == "double"
    assert {types[f"test1_{n:02}"] for n in range(F)} == {"float"}
    assert table["roi"].to_pylist() == ["", "GTV ä", ""]
    assert table["volume_ml"].to_pylist() == [None, 5.76, None]
    assert table["shape_3"].to_pylist()[:2] == [30, 30]
    assert table["quality"][1][0].as_py()["code"] == "CONTRAST_UNKNOWN"
    read = np.stack([table[name].to_numpy() for name in given.feature_names], axis=1)
    np.testing.assert_array_equal(read, given.features)
    told = json.loads(table.schema.metadata[b"deepfeatures"])
    assert told["weights_sha256"] == "0" * 64
    assert "IBSI" in told["methods"]


def test_csv_reads_back_to_the_same_numbers():
    given = cohort(answered("=1+1"))

    first, _ = lines(export(given, "csv").decode())

    assert first.pop("PatientID") == "=1+1"  # data for programs are as they are
    values = [first[name] for name in given.feature_names]
    np.testing.assert_array_equal(np.float32(values), given.features[0])


@pytest.mark.parametrize("form", MEDIA_TYPES)
def test_a_cohort_without_rows_can_be_exported(form):
    assert export(cohort(Study("b.zip", code="not_a_zip")), form)


@pytest.mark.parametrize(
    ("label", "value"),
    [("weights_sha256", "f" * 64), ("preprocessing_id", "e" * 64), ("feature_prefix", "test2")],
)
def test_rows_of_different_versions_are_refused_and_what_differs_is_named(label, value):
    with pytest.raises(MixedVersionsError, match=f"^rows differ in {label} .*{value[:12]} in 2"):
        cohort(answered("A"), answered("B"), answered("C", **{label: value}))


def test_rows_of_different_lengths_are_refused():
    short = answered("B")
    with pytest.raises(ValueError, match="different numbers"):
        Cohort("m", [answered("A"), Study("b", short.labels, short.features[:, :5])])


def test_files_are_named_by_the_title():
    assert file_name(cohort(title="Lung/1"), "xlsx") == "features_album_Lung_1.xlsx"
    assert file_name(cohort(title=" "), "zip") == "features_album_untitled.zip"


def test_parquet_takes_integers_that_no_float64_is():
    code = {"code": "X", "severity": "info", "number": 2**53 + 1}
    given = cohort(answered("A", volume_ml=2**53 + 1, quality=[code]))

    table = pq.read_table(io.BytesIO(export(given, "parquet")))

    assert table["volume_ml"][0].as_py() == table["quality"][0][0]["number"].as_py() == 2.0**53
