"""The paragraph on methods and the answers to checklists: every value from the rows, or unknown."""

import re

import pytest
from result_rows import PARAMETERS, F, answered, cohort, scanned

from gateway.results.citation import bibtex
from gateway.results.cohort import Study
from gateway.results.methods import NO_ROWS, methods
from gateway.results.reporting import UNKNOWN, items, markdown


def answers(given):
    return {(each.checklist, each.number): each.answer for each in items(given)}


def numbers_in(value):
    """All numbers in labels, however deep, and in texts of parameters."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return {number for each in value for number in numbers_in(each)}
    if isinstance(value, str):
        return {float(text) for text in re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", value)}
    return set() if value is None else {float(f"{float(value):.6g}")}


@pytest.mark.parametrize("parameters", [{}, PARAMETERS])
def test_every_number_is_one_of_the_rows_or_counts_something(parameters):
    given = cohort(answered("A"), answered("B"), scanned("C"), parameters=parameters)
    counts = {F, len(given.labels), len(given.studies), 0, 1, 2, 3}  # 0 and 1: what windows become

    text = methods(given)
    for digest in ("SHA-256", "0" * 64, given.labels[0]["preprocessing_id"]):
        text = text.replace(digest, "")
    found = {float(number) for number in re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.]*\w)", text)}

    known = numbers_in([dict(label) for label in given.labels]) | numbers_in(dict(parameters))
    assert found <= counts | known
    assert {-1000, 400, 128, 64, 5.76} <= found  # the window, the shape and the tumour's ml


def test_what_shaped_the_input_is_told_where_the_parameters_are_known():
    known, unknown = methods(cohort()), methods(cohort(parameters={}))

    assert "Interpolation was linear" in known
    assert "stretched to the samples" in known
    assert "Interpolation was" not in unknown
    assert "not stated in the rows" in unknown


def test_parameters_of_another_version_are_not_believed():
    other = PARAMETERS | {"antialias": "gaussian"}

    assert methods(cohort(parameters=other)) == methods(cohort(parameters={}))


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ("demonstration", "DEMONSTRATION WEIGHTS"),
        ("untrained", "UNTRAINED, SEEDED INITIALISATION"),
        ("trained", "stated to be trained"),
        ("?", "not known"),
    ],
)
def test_what_the_weights_are_is_said_plainly(weights, words):
    assert words in methods(cohort(answered("A", weights=weights)))


def test_windows_that_differ_between_images_are_told_as_ranges():
    studies = [
        answered("A", modality="MR", unit="arbitrary", window=[3.5, 455.0]),
        answered("B", modality="MR", unit="arbitrary", window=[12.0, 1023.0]),
    ]

    text = methods(cohort(*studies))

    assert (
        "MR in a window of each image, its lower end 3.5 to 12 and its upper end 455 to 1023"
        in text
    )


def test_pet_tells_its_unit_the_way_there_and_the_uptake():
    text = methods(cohort(scanned("A")))

    assert "PET is in SUVbw" in text
    assert "110 minutes after the injection" in text
    assert "No regions of interest were used." in text


def test_notes_and_quality_are_in_words_and_counted():
    labels = {"modality": "PT", "unit": "SUVbw", "unit_notes": ["dose_in_mbq"]}
    text = methods(cohort(answered("A", **labels)))

    assert "RadionuclideTotalDose was taken as MBq (2)" in text
    assert "to be looked at: THICK_SLICES (2), REGION_SMALL (1)" in text


def test_ibsi_is_not_claimed_for_deep_features():
    assert "does not define deep features, for which no conformity is claimed" in methods(cohort())


def test_the_items_are_those_that_an_extraction_can_answer():
    found = items(cohort())

    assert [each.number for each in found if each.checklist == "CLEAR"] == [
        *(16, 19, 21, 22, 25, 27, 28)
    ]
    assert [each.number for each in found if each.checklist == "METRICS"] == [
        *(6, 8, 11, 12, 13, 14, 15)
    ]
    assert all(each.title and each.answer for each in found)


def test_acquisition_is_told_by_modality_with_ranges():
    acquired = {"Manufacturer": "Acme", "KVP": 120, "SliceThickness": 2.5}
    studies = [
        answered("A", acquisition=acquired, scanner_id="s1"),
        answered("B", acquisition=acquired | {"KVP": 100}, scanner_id="s2"),
    ]

    text = answers(cohort(*studies))["CLEAR", 16]

    assert text.startswith("CT, 4 rows from 2 scanners: Manufacturer Acme (4); SliceThickness 2.5;")
    assert "KVP 100 to 120" in text
    assert UNKNOWN in text


def test_what_only_the_author_knows_is_asked_for():
    found = answers(cohort())

    for item in (("CLEAR", 19), ("METRICS", 8), ("METRICS", 14), ("METRICS", 15)):
        assert UNKNOWN in found[item]
    assert f"{F} features a row" in found["CLEAR", 27]
    assert "region_extent_mm 128,128,128" in found["CLEAR", 28]


def test_texts_of_images_do_not_break_the_report():
    text = markdown(cohort(answered("A", roi="GTV\n\n## CLEAR 99. x")))

    assert text.count("\n## ") == 14


def test_a_cohort_without_rows_says_so():
    assert methods(cohort(Study("a", code="not_a_zip"))) == (
        f"{NO_ROWS} Of 1 study that came, 1 gave no rows; studies left out, by code: not_a_zip (1)."
    )


def test_the_citation_names_version_weights_and_checklists():
    text = bibtex(cohort())

    assert "version = {0.1.0}" in text
    assert "0" * 64 in text
    assert "10.1186/s13244-023-01415-8" in text
    assert "10.1186/s13244-023-01572-w" in text
    assert text.count("{") == text.count("}")
