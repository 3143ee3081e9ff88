"""What becomes of a zip: a row for each image series, and a report of everything in it."""

import copy

import pytest
from phantoms import ct_slice, slices, thorax, zip_of
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    generate_uid,
)
from test_network_input import MR, PARAMETERS, inputs_of

from imaging.archive import Limits
from imaging.errors import InputError
from imaging.options import Options
from imaging.preprocess import feature_inputs
from imaging.recipe import Recipe

SMALL = thorax(shape=(10, 12, 6))
RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"
REPORT_TEXT = "1.2.840.10008.5.1.4.1.1.88.11"


def other_object(sop_class, modality):
    """An object without pixels: the header of a slice, under another class."""
    dataset = slices(SMALL)[0]
    dataset.SOPClassUID, dataset.Modality = sop_class, modality
    del dataset.PixelData
    return dataset


def asked(study, *, of_model=None, **options):
    return feature_inputs(
        memoryview(study),
        recipe=Recipe.from_parameters(PARAMETERS | (of_model or {})),
        options=Options.from_parameters(options),
        limits=Limits(),
    )


def test_two_studies_in_one_zip_are_two_rows_told_apart():
    first = slices(SMALL, StudyInstanceUID="1.2.1", PatientID="A")
    second = slices(SMALL, StudyInstanceUID="1.2.2", PatientID="B")

    rows = inputs_of(zip_of(*first, *second))

    named = [(label["patient_id"], label["study_uid"]) for label in rows.labels]
    assert named == [("A", "1.2.1"), ("B", "1.2.2")]
    assert len(rows.volumes) == len(rows.previews) == 2


def test_everything_else_in_the_zip_is_in_the_report():
    good = slices(SMALL)
    scout = slices(SMALL, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    regions = other_object(RTSTRUCT, "RTSTRUCT")

    rows = inputs_of(zip_of(b"Thumbs.db", *good, *scout, regions))

    outcomes = [(o["status"], o["code"], o["instances"]) for o in rows.report["series"]]
    assert outcomes == [
        ("used", "", 6),
        ("skipped", "localizer", 6),
        ("regions", "", 1),
    ]
    assert rows.report["entries_not_dicom"] == [1]
    assert set(rows.report["seconds"]) == {"headers", "volumes", "regions", "previews"}


def test_copies_of_a_file_count_once_and_are_reported():
    objects = slices(SMALL)

    rows = inputs_of(zip_of(*objects, *objects[:2]))

    assert rows.labels[0]["shape"] == [10, 12, 6]
    assert rows.report["warnings"] == [
        {"code": "copies_left_out", "series_uid": rows.labels[0]["series_uid"], "number": 2}
    ]


def test_copies_in_another_encoding_count_once():
    objects = slices(SMALL)
    copies = [copy.deepcopy(each) for each in objects]
    for each in copies:
        each.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian

    rows = inputs_of(zip_of(*objects, *copies))

    assert rows.labels[0]["shape"] == [10, 12, 6]
    assert rows.report["warnings"][0]["number"] == 6


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"ImagePositionPatient": [-31.5, -55.25, 999]}, id="another place"),
        pytest.param({"RescaleIntercept": 0}, id="another scale"),
        pytest.param({"PixelData": bytes(240)}, id="other pixels"),
    ],
)
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_objects_of_one_uid_that_are_no_copies_are_refused(change, syntax):
    objects = slices(SMALL, syntax=syntax)
    other = copy.deepcopy(objects[3])
    for keyword, value in change.items():
        setattr(other, keyword, value)

    with pytest.raises(InputError, match="^bad_attribute: .* entries 4 and 7 have one SOPInst"):
        inputs_of(zip_of(*objects, other))


@pytest.mark.parametrize("at", [0, 3, 6])
def test_a_localizer_in_the_series_hides_none_of_its_slices(at):
    objects = slices(SMALL)
    scout = copy.deepcopy(objects[0])
    scout.SOPInstanceUID, scout.ImageType = generate_uid(), ["ORIGINAL", "PRIMARY", "LOCALIZER"]

    rows = inputs_of(zip_of(*objects[:at], scout, *objects[at:]))

    assert rows.labels[0]["shape"] == [10, 12, 6]
    assert sorted(o["code"] for o in rows.report["series"]) == ["", "localizer"]


def test_a_page_of_the_screen_in_the_series_hides_none_of_its_slices():
    objects = slices(SMALL)
    page = copy.deepcopy(objects[0])
    page.SOPInstanceUID, page.ImageType = generate_uid(), ["DERIVED", "SECONDARY", "SCREEN SAVE"]
    del page.ImagePositionPatient, page.ImageOrientationPatient

    rows = inputs_of(zip_of(*objects, page))

    assert rows.labels[0]["shape"] == [10, 12, 6]
    assert sorted(o["code"] for o in rows.report["series"]) == ["", "missing_attribute"]


def test_a_slice_without_a_place_is_not_left_out():
    objects = slices(SMALL)
    del objects[3].ImagePositionPatient

    with pytest.raises(InputError, match="^missing_attribute: .* no ImagePositionPatient"):
        inputs_of(zip_of(*objects))


def test_a_zip_of_zips_says_so():
    with pytest.raises(InputError, match="^no_dicom: .* 1 are zips themselves"):
        inputs_of(zip_of(zip_of(*slices(SMALL)), b"text"))


@pytest.mark.parametrize("keyword", ["StudyInstanceUID", "SeriesInstanceUID"])
def test_objects_without_uids_are_one_series_if_they_form_one_volume_and_are_reported(keyword):
    rows = inputs_of(zip_of(*slices(SMALL, **{keyword: ""})))

    assert rows.labels[0]["shape"] == [10, 12, 6]
    assert [(each["code"], each["number"]) for each in rows.report["warnings"]] == [
        ("uids_absent", 6)
    ]


@pytest.mark.parametrize(
    ("sop_class", "named"),
    [
        (REPORT_TEXT, "it is of the class Basic Text SR Storage; CT"),
        ("1.2.840.10008.5.1.4.1.1.7", "it is of the class Secondary Capture Image Storage; CT"),
        ("1.2.3.4", "it is of an unknown class; CT"),
    ],
)
def test_what_is_no_image_is_named_by_its_class(sop_class, named):
    rows = inputs_of(zip_of(other_object(sop_class, "OT"), *slices(SMALL)))

    skipped = rows.report["series"][0]
    assert skipped["code"] == "unsupported_object"
    assert skipped["reason"].startswith(named)


@pytest.mark.parametrize(
    ("study", "code"),
    [
        pytest.param(zip_of(b"text", b"more text"), "no_dicom", id="text files"),
        pytest.param(zip_of(other_object(REPORT_TEXT, "SR")), "no_images", id="a report"),
        pytest.param(
            zip_of(other_object(RTSTRUCT, "RTSTRUCT")), "regions_without_images", id="RTSTRUCT"
        ),
        pytest.param(zip_of(slices(SMALL)[0]), "single_slice", id="one slice"),
        pytest.param(zip_of(*slices(SMALL, **MR)), "untrained_modality", id="MR"),
    ],
)
def test_a_zip_that_gives_no_row_is_refused_with_its_own_code(study, code):
    with pytest.raises(InputError, match=f"^{code}: "):
        inputs_of(study)


def test_series_refused_for_different_reasons_are_all_named():
    study = zip_of(slices(SMALL)[0], *slices(SMALL, **MR))

    with pytest.raises(InputError, match="^no_rows: .*one slice; .*2 of 2 .MR, 6 obj.*allow="):
        inputs_of(study)


def test_an_untrained_modality_is_given_when_asked_for_and_says_so():
    study = zip_of(*slices(SMALL, **MR))

    label = asked(study, allow="untrained_modality").labels[0]

    assert label["quality"] == [
        {"code": "THICK_SLICES", "severity": "warn", "number": 4.0},
        {"code": "UNTRAINED_MODALITY", "severity": "exclude", "number": 1.0},
    ]


def test_one_series_can_be_chosen():
    first, second = slices(SMALL), slices(SMALL, SeriesInstanceUID="1.2.3.4")

    rows = asked(zip_of(*first, *second), series="1.2.3.4", preview="false")

    assert [label["series_uid"] for label in rows.labels] == ["1.2.3.4"]
    assert [outcome["code"] for outcome in rows.report["series"]] == ["not_chosen", ""]
    assert rows.previews == [""]


def test_a_series_that_is_not_there_is_refused_with_those_that_are():
    objects = slices(SMALL, SeriesInstanceUID="1.2.3.4")

    with pytest.raises(InputError, match=r"^unknown_series: .* it has 1\.2\.3\.4$"):
        asked(zip_of(*objects), series="1.2.3")


def test_more_rows_than_one_answer_holds_are_refused():
    two = zip_of(*slices(SMALL), *slices(SMALL))
    recipe = Recipe.from_parameters(PARAMETERS)
    limits = Limits(output_bytes=recipe.row_bytes)

    with pytest.raises(InputError, match="^too_many_rows: "):
        feature_inputs(memoryview(two), recipe=recipe, options=Options(), limits=limits)


def test_a_damaged_slice_refuses_the_request_even_beside_a_good_series():
    study = bytearray(zip_of(*slices(SMALL), *slices(SMALL), method=0))
    study[1000] ^= 0xFF  # in the pixels of the first object

    with pytest.raises(InputError, match="^zip_corrupt: entry 1 "):
        inputs_of(bytes(study))


def test_nothing_about_the_patient_is_in_a_message():
    texts = ("PatientID", "PatientName", "SeriesDescription", "InstitutionName")
    marked = dict.fromkeys(texts, "hush")
    plane = SMALL.voxels[0]
    odd = ct_slice(plane, StudyInstanceUID="1.2", SeriesInstanceUID=generate_uid(), **marked)
    odd.ImageOrientationPatient = odd.PixelSpacing = None

    with pytest.raises(InputError) as caught:
        inputs_of(zip_of(odd, odd))

    assert "hush" not in str(caught.value)
