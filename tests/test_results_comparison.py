"""Two runs of the same studies: which rows moved, how far, and what else changed."""

import numpy as np
import pytest
from result_rows import F, answered, cohort

from gateway.results.cohort import Study
from gateway.results.comparison import comparison


def moved(study, by, feature=2):
    """A study whose first row has another value of one feature."""
    features = study.features.copy()
    features[0, feature] += np.float32(by)
    return Study(study.name, study.labels, features, study.report)


def ones(patient, value, **changes):
    study = answered(patient, **changes)
    features = np.full((len(study.labels), F), value, np.float32)
    return Study(study.name, study.labels, features, study.report)


def test_the_same_run_is_identical():
    found = comparison(cohort(answered("A"), answered("B")), cohort(answered("A"), answered("B")))

    assert [row["verdict"] for row in found["rows"]] == ["identical"] * 4
    assert found["counts"]["identical"] == 4
    assert found["changed"] == found["only_first"] == found["only_second"] == []
    assert found["first"]["weights_sha256"] == "0" * 64


@pytest.mark.parametrize(("by", "verdict"), [(2.0**-20, "within_tolerance"), (0.01, "differs")])
def test_a_difference_is_told_as_relative_l2_and_by_the_largest_feature(by, verdict):
    first = cohort(ones("A", 1.0), ones("B", 3.0))
    second = cohort(moved(ones("A", 1.0), by), ones("B", 3.0))

    row = comparison(first, second)["rows"][0]

    assert row["verdict"] == verdict
    assert row["relative_l2"] == pytest.approx(by / np.sqrt(F), rel=1e-4)
    assert row["largest_difference"] == pytest.approx(by, rel=1e-4)
    assert row["feature"] == "test1_02"
    assert row["difference_by_sd"] == pytest.approx(by / np.sqrt(2), rel=1e-4)  # of 1 and 3


def test_a_feature_that_moved_much_for_its_spread_differs_whatever_the_l2():
    near = [ones("A", 1.0), moved(ones("B", 1.0), 1e-4)]  # patients differ by half of 1e-4
    away = [moved(ones("A", 1.0), 1e-6), near[1]]

    row = comparison(cohort(*near), cohort(*away))["rows"][0]

    assert row["relative_l2"] < 1e-5
    assert row["verdict"] == "differs"


def test_a_feature_that_is_the_same_in_all_patients_has_no_spread():
    alike = [ones(patient, 1 / 3) for patient in "ABC"]
    away = [moved(alike[0], 2.0**-22), *alike[1:]]

    row = comparison(cohort(*alike), cohort(*away))["rows"][0]

    assert row["difference_by_sd"] == 0
    assert row["verdict"] == "within_tolerance"


def test_with_one_patient_there_is_no_spread_and_that_is_said():
    found = comparison(cohort(ones("A", 1.0)), cohort(moved(ones("A", 1.0), 2.0**-20)))

    assert found["rows"][0]["difference_by_sd"] is None
    assert found["rows"][0]["verdict"] == "within_tolerance"
    assert "two patients" in found["note"]


def test_other_weights_are_another_quantity():
    other = {"weights_sha256": "f" * 64, "input_sha256": "e" * 64}
    found = comparison(cohort(answered("A")), cohort(answered("A", **other)))

    assert found["changed"] == ["weights_sha256"]
    assert found["rows"][0]["verdict"] == "other_version"
    assert found["rows"][0]["changed"] == ["weights_sha256", "input_sha256"]
    assert "different quantities" in found["words"]["other_version"]


def test_other_numbers_of_features_are_not_compared():
    study = answered("A", feature_prefix="m2")
    fewer = cohort(Study(study.name, study.labels, study.features[:, :5]))

    row = comparison(cohort(answered("A")), fewer)["rows"][0]

    assert row["verdict"] == "not_comparable"
    assert row["relative_l2"] is None


def test_rows_that_one_run_alone_has_are_listed():
    found = comparison(cohort(answered("A"), answered("B")), cohort(answered("B"), answered("C")))

    assert [row["patient_id"] for row in found["rows"]] == ["B", "B"]
    assert [row["patient_id"] for row in found["only_first"]] == ["A", "A"]
    assert [row["patient_id"] for row in found["only_second"]] == ["C", "C"]


def test_a_row_of_zeros_has_no_relative_difference():
    row = comparison(cohort(ones("A", 0.0)), cohort(ones("A", 1.0)))["rows"][0]

    assert row["relative_l2"] is None
    assert row["verdict"] == "differs"
