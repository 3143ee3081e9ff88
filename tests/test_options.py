"""What a request may ask for, by parameters or by headers."""

import pytest

from imaging.errors import InputError
from imaging.options import Options


def test_headers_come_in_any_case_and_percent_encoded():
    options = Options.from_parameters(
        {"X-DF-Series": "1.2%2E3", "x-df-allow": "untrained_modality"}
    )

    assert options == Options(series=frozenset({"1.2.3"}), allow=frozenset({"untrained_modality"}))


def test_parameters_win_over_headers():
    options = Options.from_parameters({"preview": "false", "x-df-preview": "true"})

    assert options.preview is False


@pytest.mark.parametrize("value", [False, "false", "False"])
def test_a_preview_can_be_left_out(value):
    assert Options.from_parameters({"preview": value}).preview is False


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ("", None),
        ("true", ("original", "phase", "kernel", "thickness")),
        ("kernel, Thickness", ("kernel", "thickness")),
        ("none", ()),
    ],
)
def test_series_are_listed_by_the_rule_that_is_stated(value, rule):
    assert Options.from_parameters({"candidates": value}).candidates == rule


@pytest.mark.parametrize(
    "parameters",
    [
        {"masks": "1"},
        {"pt_unit": "hush"},
        {"x-df-hush": "1"},
        {"allow": "all"},
        {"regions": "some"},
        {"preview": "no"},
        {"candidates": "hush"},
        {"roi": "hush", "regions": "whole"},
    ],
)
def test_what_is_not_known_is_refused_and_not_repeated(parameters):
    with pytest.raises(InputError, match="^bad_option: ") as caught:
        Options.from_parameters(parameters)

    assert "hush" not in str(caught.value)


def test_words_are_taken_in_any_case_and_names_as_they_are():
    options = Options.from_parameters(
        {"regions": " All", "allow": "Untrained_Modality", "x-df-masks": "True ", "roi": "GTV a "}
    )

    assert (options.regions, options.masks, options.roi) == ("all", True, "GTV a ")
    assert options.allow == {"untrained_modality"}
    assert Options.from_parameters({"series": "ALL"}).every_series


def test_several_series_or_all_can_be_wanted():
    assert Options.from_parameters({"series": "1.2, 1.3"}).series == {"1.2", "1.3"}
    assert Options.from_parameters({"series": "all"}) == Options(every_series=True)


@pytest.mark.parametrize("value", ["suv", "SUV", "SUVbw"])
def test_the_unit_of_pet_is_written_in_any_case(value):
    assert Options.from_parameters({"x-df-pt_unit": value}).pt_unit == "SUVbw"
