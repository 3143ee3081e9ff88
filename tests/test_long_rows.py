"""Which rows QuantImage-V2 can keep, and what is said of the others."""

import math

import pytest

from gateway.results.long_rows import UnstorableError, long_rows
from tools.locations import CHECKOUT

NAMES = ["m1_0", "m1_1"]

REGION = {
    "patient_id": "P1",
    "study_uid": "1.2",
    "series_uid": "1.2.3",
    "modality": "CT",
    "roi": "GTV",
    "roi_number": 4,
    "roi_source_uid": "1.2.9",
    "roi_link": "series",
    "stack_index": 1,
    "stack_count": 1,
    "component": "union",
    "weights": "trained",
}

WHOLE = REGION | {"roi": "", "roi_number": None, "roi_source_uid": "", "roi_link": None}


def kept(*labels, features=(0.1, -2.5), **asked):
    return long_rows([(label, features) for label in labels], feature_names=NAMES, **asked)


def refused(*labels, **asked):
    """The code of a refusal, and its sentence."""
    with pytest.raises(UnstorableError) as error:
        kept(*labels, **asked)
    return error.value.code, error.value.sentence


def test_the_client_has_the_same_rules_letter_for_letter():
    ours = CHECKOUT / "gateway" / "results" / "long_rows.py"
    theirs = CHECKOUT / "integrations/client/src/deep_features_client/long_rows.py"

    assert ours.read_bytes() == theirs.read_bytes()


def test_each_feature_of_each_region_is_a_row():
    assert kept(WHOLE, REGION) == [
        {
            "patient_id": "P1",
            "modality": "CT",
            "VOI": "GTV",
            "feature_name": f"tex_m1_{n}",
            "feature_value": value,
        }
        for n, value in enumerate((0.1, -2.5))
    ]


@pytest.mark.parametrize("roi", ['GTV, "N"; ä/€', "gtv", " GTV", "x" * 255, "log-tex_1", "="])
def test_names_of_regions_stay_as_they_are(roi):
    assert {row["VOI"] for row in kept(REGION, REGION | {"roi": roi})} == {"GTV", roi}


@pytest.mark.parametrize(
    "roi", ["", " ", "GTV ", "x" * 256, "GTV\u20111", "σ", "GTV\nT", "GTV\x00", "GTV\x7f"]
)
def test_a_name_that_cannot_be_kept_is_refused_and_not_told(roi):
    code, sentence = refused(REGION | {"roi": roi})

    assert code == "unstorable_name"
    assert "region 4 of 1.2.9" in sentence
    assert "GTV" not in sentence


def test_only_the_regions_that_are_wanted_have_to_fit():
    rows = kept(REGION, REGION | {"roi": "σ"}, REGION | {"roi": "N"}, rois=["GTV"])

    assert {row["VOI"] for row in rows} == {"GTV"}


@pytest.mark.parametrize("rows", [[], [WHOLE]])
def test_a_study_without_regions_has_no_rows(rows):
    assert refused(*rows)[0] == "no_regions"


def test_a_region_that_is_not_there_is_no_row_in_silence():
    assert refused(REGION, rois=["GTV-N"])[0] == "no_regions"


def test_two_regions_of_one_name_are_refused_with_their_numbers():
    code, sentence = refused(REGION, REGION | {"roi_number": 7, "roi_source_uid": "1.2.10"})

    assert code == "ambiguous_region"
    assert sentence.startswith("region 4 of 1.2.9 and region 7 of 1.2.10 have one name")
    assert "GTV" not in sentence


def test_parts_of_a_region_are_several_rows_of_one_name():
    code, sentence = refused(*(REGION | {"component": part} for part in ("1", "2")))

    assert code == "ambiguous_region"
    assert "part 1 of region 4 of 1.2.9 and part 2 of region 4" in sentence


def test_of_two_series_the_one_that_the_region_references_counts():
    other = REGION | {"series_uid": "1.2.4", "roi_link": "frame_of_reference"}

    rows = kept(other, REGION | {"patient_id": "the one"})

    assert {row["patient_id"] for row in rows} == {"the one"}


@pytest.mark.parametrize("link", ["series", "frame_of_reference"])
def test_two_series_that_nothing_tells_apart_are_refused_with_their_uids(link):
    code, sentence = refused(
        REGION | {"roi_link": link}, REGION | {"roi_link": link, "series_uid": "1.2.4"}
    )

    assert code == "ambiguous_series"
    assert "series 1.2.3 and series 1.2.4" in sentence
    assert "GTV" not in sentence


def test_two_stacks_of_a_series_are_two_images():
    phases = (REGION | {"stack_count": 2, "stack_index": n} for n in (1, 2))

    code, sentence = refused(*phases)

    assert code == "ambiguous_series"
    assert "series 1.2.3 (stack 1) and series 1.2.3 (stack 2)" in sentence


def test_one_name_on_two_modalities_is_two_regions():
    rows = kept(REGION, REGION | {"modality": "PT", "series_uid": "1.2.4"})

    assert [row["modality"] for row in rows] == ["CT", "CT", "PT", "PT"]


def test_a_value_is_of_one_study():
    code, sentence = refused(REGION, REGION | {"study_uid": "1.3", "roi": "N"})

    assert code == "several_studies"
    assert "1.2 and 1.3" in sentence


@pytest.mark.parametrize("modality", ["NM", "PET", "", "ct"])
def test_other_modalities_are_none_of_theirs(modality):
    assert refused(REGION | {"modality": modality})[0] == "unstorable_modality"


@pytest.mark.parametrize("weights", ["demonstration", "untrained"])
def test_weights_that_are_not_trained_are_asked_for_by_name(weights):
    label = REGION | {"weights": weights}

    assert refused(label, allow=["untrained_modality"])[0] == "demonstration_weights"
    assert kept(label, allow=["demonstration"]) == kept(REGION)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_no_number_is_refused(value):
    code, sentence = refused(REGION, features=(0.5, value))

    assert code == "not_finite"
    assert "region 4 of 1.2.9" in sentence


def test_what_is_no_uid_is_not_told():
    labels = (REGION | {"roi_number": n, "roi_source_uid": "DOE^JOHN"} for n in (1, 2))

    assert "DOE" not in refused(*labels)[1]
