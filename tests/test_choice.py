"""One series for each modality of a study is taken: by reference, by the rule, else asked back."""

import pytest
from phantoms import slices, thorax, zip_of
from test_preprocess import MR, asked
from test_regions_objects import rtstruct, square

from imaging.errors import InputError

THICK = thorax(shape=(10, 12, 6), spacing_mm=(2.5, 1.75, 5.0))
THIN = thorax(shape=(10, 12, 8), spacing_mm=(2.5, 1.75, 2.0))
ONE_STUDY = {"StudyInstanceUID": "1.2", "FrameOfReferenceUID": "1.9"}
CORNERS = ((-25.0, -50.0, 120.0), (-15.0, -44.0, 120.0))


def series(uid, phantom=THICK, **attributes):
    return slices(phantom, SeriesInstanceUID=uid, **(ONE_STUDY | attributes))


def drawn_on(image, name="GTV", **references):
    return rtstruct(image, [(name, [square(*CORNERS)])], **references)


def whole(*objects, **options):
    """The series of the rows of whole volumes, and why each was taken."""
    labels = asked(zip_of(*objects), regions="whole", **options).labels
    return [(label["series_uid"], label["series_chosen_by"]) for label in labels]


def test_the_only_series_of_a_modality_is_taken():
    other = series("1.2.2", **MR)

    assert whole(*series("1.2.1"), *other, allow="untrained_modality") == [
        ("1.2.1", "only"),
        ("1.2.2", "only"),
    ]


def test_the_series_that_the_regions_reference_comes_before_all_rules():
    first, second = series("1.2.1", THIN), series("1.2.2")

    rows = asked(zip_of(*first, *second, drawn_on(second)))

    assert [(label["series_uid"], label["roi"]) for label in rows.labels] == [
        ("1.2.2", ""),
        ("1.2.2", "GTV"),
    ]
    assert {label["series_chosen_by"] for label in rows.labels} == {"regions"}
    outcomes = [(each["status"], each["code"]) for each in rows.report["series"]]
    assert outcomes == [("skipped", "not_chosen"), ("used", ""), ("regions", "")]


def test_the_series_of_the_region_that_was_asked_for_is_taken():
    first, second = series("1.2.1"), series("1.2.2")
    study = zip_of(*first, *second, drawn_on(first, "lung"), drawn_on(second, "GTV"))

    labels = asked(study, roi="GTV").labels

    assert [(label["series_uid"], label["roi"]) for label in labels] == [("1.2.2", "GTV")]


def test_a_frame_of_reference_alone_does_not_choose():
    first, second = series("1.2.1"), series("1.2.2")
    anywhere = drawn_on(first, series_uids=["1.2.3"])

    with pytest.raises(InputError, match="^ambiguous_series: "):
        asked(zip_of(*first, *second, anywhere))


def test_a_referenced_series_that_cannot_be_used_is_not_replaced_by_another():
    first, second = series("1.2.1"), series("1.2.2")
    gap = [*second[:2], *second[4:]]

    with pytest.raises(InputError, match="^uneven_spacing: image series 1 of 1 "):
        asked(zip_of(*first, *gap, drawn_on(second)))


@pytest.mark.parametrize(
    ("worse", "better", "reason"),
    [
        pytest.param(
            {"ImageType": ["DERIVED", "SECONDARY", "MPR"]},
            {"ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"]},
            "original",
            id="acquired before computed",
        ),
        pytest.param(
            {"ConvolutionKernel": "B70f"},
            {"ConvolutionKernel": ["I30f", "2"]},
            "kernel",
            id="Siemens: soft before sharp",
        ),
        pytest.param(
            {"ConvolutionKernel": "LUNG"},
            {"ConvolutionKernel": "STANDARD"},
            "kernel",
            id="GE: soft before sharp",
        ),
        pytest.param(
            {"ConvolutionKernel": "FC51"},
            {"ConvolutionKernel": "FC08"},
            "kernel",
            id="Canon: soft before sharp",
        ),
    ],
)
def test_the_rule_ranks_series_by_their_attributes(worse, better, reason):
    objects = [*series("1.2.1", **worse), *series("1.2.2", **better)]

    assert whole(*objects) == [("1.2.2", reason)]


def test_thinner_slices_come_first_where_nothing_else_differs():
    assert whole(*series("1.2.1"), *series("1.2.2", THIN)) == [("1.2.2", "thickness")]


def test_the_report_says_by_which_criterion_each_other_series_was_lost():
    computed = series("1.2.1", THIN, ImageType=["DERIVED", "SECONDARY", "MPR"])
    sharp = series("1.2.2", THIN, ConvolutionKernel="B70f")
    thick, thin = (
        series(uid, phantom, ConvolutionKernel="B30f")
        for uid, phantom in (("1.2.3", THICK), ("1.2.4", THIN))
    )

    rows = asked(zip_of(*computed, *sharp, *thick, *thin))

    lost = [each["reason"].split()[-1] for each in rows.report["series"] if each["code"]]
    assert lost == ["original", "kernel", "thickness"]
    assert [label["series_chosen_by"] for label in rows.labels] == ["thickness"]


def test_kernels_that_are_not_known_decide_nothing():
    objects = [
        *series("1.2.1", ConvolutionKernel="B30f"),
        *series("1.2.2", THIN, ConvolutionKernel="QQ"),
    ]

    assert whole(*objects) == [("1.2.2", "thickness")]


@pytest.mark.parametrize(
    "second",
    [
        pytest.param({}, id="alike"),
        pytest.param({"ContrastBolusAgent": "agent"}, id="with contrast"),
    ],
)
def test_a_tie_is_asked_back_with_the_candidates(second):
    """Thinner slices do not outweigh another phase: which is meant, nobody but the sender knows."""
    thin = {"phantom": THIN} if second else {}
    objects = [*series("1.2.1"), *series("1.2.2", **thin, **second)]

    with pytest.raises(InputError, match=r"^ambiguous_series: .*1\.2\.1 .*1\.2\.2 .*option series"):
        asked(zip_of(*objects))


def test_two_sequences_of_mr_are_not_ranked_by_their_thickness():
    thick = series("1.2.1", **MR, EchoTime=90, RepetitionTime=4000)
    thin = series("1.2.2", THIN, **MR, EchoTime=2.4, RepetitionTime=300)
    same = series("1.2.3", THIN, **MR, EchoTime=90, RepetitionTime=4000)

    with pytest.raises(InputError, match="^ambiguous_series: "):
        asked(zip_of(*thick, *thin), allow="untrained_modality")
    assert whole(*thick, *same, allow="untrained_modality") == [("1.2.3", "thickness")]


@pytest.mark.parametrize("wanted", ["1.2.1,1.2.2", "all"])
def test_several_series_can_be_asked_for(wanted):
    objects = [*series("1.2.1"), *series("1.2.2"), *series("1.2.3", THIN)]

    found = whole(*objects, series=wanted)

    by = "all" if wanted == "all" else "asked"
    assert found[:2] == [("1.2.1", by), ("1.2.2", by)]
    assert len(found) == (3 if wanted == "all" else 2)


def test_series_that_cannot_be_rows_are_no_candidates():
    single = series("1.2.1")[:1]
    scout = series("1.2.2", ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])

    assert whole(*single, *scout, *series("1.2.3")) == [("1.2.3", "only")]


def test_a_tie_of_a_modality_that_is_not_wanted_does_not_matter():
    """MR needs to be allowed: two of it are skipped, not asked about."""
    objects = [*series("1.2.1"), *series("1.2.2", **MR), *series("1.2.3", **MR)]

    assert whole(*objects) == [("1.2.1", "only")]


def test_each_study_and_each_patient_has_its_own_choice():
    objects = [
        *series("1.2.1"),
        *series("1.3.1", StudyInstanceUID="1.3"),
        *series("1.2.2", PatientID="OTHER"),
    ]

    assert [uid for uid, _ in whole(*objects)] == ["1.2.1", "1.3.1", "1.2.2"]


def test_the_rule_is_in_every_row():
    (label,) = asked(zip_of(*series("1.2.1"))).labels

    assert label["series_rule"] == ["original", "phase", "kernel", "thickness"]
