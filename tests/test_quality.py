"""What to beware of in a row: each code from the case that asks for it, with its number."""

import imagecodecs
import numpy as np
import pytest
from phantoms import Phantom, slices, thorax, zip_of
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGLSNearLossless
from test_network_input import PARAMETERS, inputs_of
from test_pet_rows import pet_slices
from test_preprocess import MR
from test_region_rows import TUMOUR, box, study_with

from imaging.archive import Limits
from imaging.options import Options
from imaging.preprocess import feature_inputs, nifti_files
from imaging.quality import QUALITY
from imaging.recipe import Recipe

BODY = thorax(shape=(40, 40, 24), spacing_mm=(8.0, 8.0, 10.0))


def codes(row_label):
    """The numbers by code."""
    return {each["code"]: each["number"] for each in row_label["quality"]}


def whole(*objects, options=None, **parameters):
    rows = feature_inputs(
        memoryview(zip_of(*objects)),
        recipe=Recipe.from_parameters(PARAMETERS | parameters),
        options=Options.from_parameters(options or {}),
        limits=Limits(),
    )
    return codes(rows.labels[0])


def changed(where, value, phantom=BODY):
    voxels = phantom.voxels.copy()
    voxels[where] = value
    return Phantom(voxels, phantom.spacing_mm, phantom.origin_mm)


def test_a_usual_ct_has_no_codes_but_what_it_does_not_say():
    assert whole(*slices(BODY)) == {"CONTRAST_UNKNOWN": 1, "THICK_SLICES": 10}


def test_a_body_that_reaches_the_border_is_truncated():
    """Two of the four edges of each slice are body, and so are the corners of the other two."""
    body = changed(np.s_[[0, -1], :, :], 40)

    assert whole(*slices(body))["FOV_TRUNCATED"] == (2 * 40 + 2 * 2) / 160


def test_a_round_field_of_view_has_its_border_at_the_padding():
    x, y = np.meshgrid(*[np.arange(40) - 19.5] * 2, indexing="ij")
    is_field = np.hypot(x, y) < 19.5
    in_air = changed(~is_field, -1500, changed(np.hypot(x, y) > 14, -1000))
    filled = changed(is_field, 40, in_air)

    assert "FOV_TRUNCATED" not in whole(*slices(in_air, RescaleIntercept=-2048))
    assert whole(*slices(filled, RescaleIntercept=-2048))["FOV_TRUNCATED"] == 1


def test_metal_is_suspected_in_voxels_of_3000_hu():
    with_clip = changed(np.s_[20:22, 20:22, 10:12], 3071)

    # Of 40 x 40 pixels, 4, in 2 of 24 slices: all slices are seen, since there are less than 64.
    assert whole(*slices(with_clip))["METAL_SUSPECTED"] == pytest.approx(8 / 40**2 / 24, rel=1e-5)


@pytest.mark.parametrize(
    ("voxels", "number"),
    [
        pytest.param(BODY.voxels + 1000, 1, id="numbers without their intercept"),
        pytest.param(np.full_like(BODY.voxels, -1000), 1, id="air alone"),
        pytest.param(np.where(BODY.voxels > 0, 3500, -1000), None, id="metal everywhere"),
    ],
)
def test_numbers_that_cannot_be_hounsfield_units_say_so(voxels, number):
    phantom = Phantom(voxels.astype(np.int16), BODY.spacing_mm, BODY.origin_mm)

    found = whole(*slices(phantom))["HU_IMPLAUSIBLE"]

    assert found == number if number else found > 0.01


def test_padding_is_counted_as_the_object_declares_it():
    """A quarter of the columns is padding; of MR, whose values say nothing of themselves."""
    padded = changed(np.s_[:10, :, :], 7)
    objects = slices(
        padded, **MR, RescaleIntercept=-1024, PixelPaddingValue=1031, PixelPaddingRangeLimit=1032
    )

    share = whole(*objects, trained_modalities="MR")["PAD_FRACTION"]

    assert share == pytest.approx(0.25, abs=0.02)


def test_numbers_below_all_hounsfield_units_are_padding():
    padded = changed(np.s_[:10, :, :], -2000)

    share = whole(*slices(padded, RescaleIntercept=-2048))["PAD_FRACTION"]

    assert share == pytest.approx(0.25, abs=0.02)


def test_a_short_field_of_view_covers_a_part_of_the_body():
    short = thorax(shape=(40, 40, 12), spacing_mm=(8.0, 8.0, 10.0))

    assert whole(*slices(short), least_coverage_mm="200")["COVERAGE_PARTIAL"] == 120
    assert "COVERAGE_PARTIAL" not in whole(*slices(BODY), least_coverage_mm="200")


@pytest.mark.parametrize(("step_mm", "is_thick"), [("3.0", False), ("3.01", True)])
def test_slices_three_millimetres_apart_are_not_thick_by_a_rounding_error(step_mm, is_thick):
    """From 242.749 mm in steps of 3, the mean of the steps is 3.000000000000005."""
    objects = slices(thorax(shape=(8, 8, 7)))
    for k, each in enumerate(objects):
        each.ImagePositionPatient[2] = f"{242.749 + float(step_mm) * k:.10g}"

    assert ("THICK_SLICES" in whole(*objects)) == is_thick


@pytest.mark.parametrize(("least", "is_partial"), [("200", False), ("201", True)])
def test_a_field_of_view_of_just_the_least_length_is_not_partial(least, is_partial):
    """Of 250 slices 0.8 mm apart; from 0.77 mm on they measure 199.99999999999997 mm."""
    objects = slices(thorax(shape=(8, 8, 250), spacing_mm=(8.0, 8.0, 0.8)))
    for k, each in enumerate(objects):
        each.ImagePositionPatient[2] = f"{0.77 + 0.8 * k:.10g}"

    assert ("COVERAGE_PARTIAL" in whole(*objects, least_coverage_mm=least)) == is_partial


@pytest.mark.parametrize(
    ("trained", "number"),
    [
        # The network's voxels are 39 x 8 / 127 mm, twice, and 23 x 10 / 63 mm.
        pytest.param("2-3,2-3,3-4", None, id="inside"),
        pytest.param("2-3,1-1.5,3-4", 39 * 8 / 127 / 1.5, id="larger"),
        pytest.param("2-3,2-3,7-8", 7 / (230 / 63), id="smaller"),
    ],
)
def test_a_scale_outside_the_training_says_how_far(trained, number):
    found = whole(*slices(BODY), trained_voxel_mm=trained).get("SCALE_OUTSIDE_TRAINING")

    assert found == (number and pytest.approx(number, rel=1e-5))


@pytest.mark.parametrize(
    ("weights", "code"),
    [("untrained", "UNTRAINED_WEIGHTS"), ("demonstration", "DEMONSTRATION_WEIGHTS")],
)
def test_weights_that_are_not_trained_exclude_a_row(weights, code):
    label = inputs_of(zip_of(*slices(BODY)), weights=weights).labels[0]

    assert {"code": code, "severity": "exclude", "number": 1.0} in label["quality"]


def test_computed_images_say_so():
    derived = slices(BODY, ImageType=["DERIVED", "SECONDARY", "AVERAGE"])

    assert whole(*derived)["DERIVED_IMAGE"] == 24


@pytest.mark.parametrize(
    ("image_type", "allowed", "code"),
    [
        (["ORIGINAL", "PRIMARY", "P", "ND"], "not_magnitude", "NOT_MAGNITUDE"),
        (["DERIVED", "PRIMARY", "M", "SUB"], "subtraction_image", "SUBTRACTION_IMAGE"),
    ],
)
def test_mr_that_is_no_signal_is_given_when_asked_for_and_says_so(image_type, allowed, code):
    objects = slices(BODY, **MR, ImageType=image_type)

    found = whole(*objects, options={"allow": allowed}, trained_modalities="MR")

    assert found[code] == 1


def test_more_gaps_than_are_filled_otherwise_say_how_many():
    objects = slices(BODY)
    del objects[4], objects[8], objects[15]

    found = whole(*objects, options={"lenient": "true"})

    assert found["GAPS_BEYOND_LIMIT"] == 3


def test_a_tilted_gantry_says_by_how_much_where_it_is_not_corrected():
    objects = slices(BODY)
    for k, each in enumerate(objects):
        each.ImagePositionPatient[1] += k

    rows = nifti_files(memoryview(zip_of(*objects)), options=Options(), limits=Limits())

    tilt = np.degrees(np.arctan(1 / BODY.spacing_mm[2]))
    assert codes(rows.labels[0])["TILT_SHEARED"] == pytest.approx(tilt)


def test_regions_of_one_name_are_counted():
    twin = box("GTV ä", (5.5, 9.5), (12.5, 15.5), range(10, 14))

    _, first, second = inputs_of(study_with(TUMOUR, twin)).labels

    assert codes(first)["REGION_DUPLICATE_NAME"] == codes(second)["REGION_DUPLICATE_NAME"] == 1
    assert first["roi_notes"] == second["roi_notes"] == ["duplicate_name"]


def test_a_region_around_its_own_hole_has_its_centre_outside():
    name, contours = box("ring", (4.5, 4.5), (35.5, 35.5), range(10, 14))
    _, holes = box("ring", (14.5, 14.5), (25.5, 25.5), range(10, 14))

    label = inputs_of(study_with((name, [*contours, *holes]))).labels[1]

    assert codes(label)["CENTRE_OUTSIDE_REGION"] == 1


def test_a_pet_that_was_scanned_late_says_after_how_many_minutes():
    late = pet_slices(AcquisitionTime="150000", SeriesTime="150000")  # injected at 10:00

    found = whole(*late, trained_modalities="PT", window_PT="0,20 SUVbw")

    assert found["UPTAKE_UNUSUAL"] == 300


def test_what_was_assumed_on_the_way_to_suv_is_counted():
    grams = pet_slices(PatientWeight=70_000)

    assert whole(*grams, trained_modalities="PT", window_PT="0,20 SUVbw")["SUV_ASSUMED"] == 1


def test_a_converted_volume_has_the_codes_of_its_image():
    lossy = zip_of(*slices(BODY, LossyImageCompression="01"))

    (label,) = nifti_files(memoryview(lossy), options=Options(), limits=Limits()).labels

    assert codes(label) == {"CONTRAST_UNKNOWN": 1, "LOSSY": 1, "THICK_SLICES": 10}


def test_a_converted_ct_whose_numbers_cannot_be_says_so():
    filled = zip_of(*slices(Phantom(BODY.voxels + 1000, BODY.spacing_mm, BODY.origin_mm)))

    (label,) = nifti_files(memoryview(filled), options=Options(), limits=Limits()).labels

    assert codes(label)["HU_IMPLAUSIBLE"] == codes(label)["FOV_TRUNCATED"] == 1


def test_an_encoding_that_loses_is_lossy_without_the_attribute():
    objects = slices(BODY)
    for each in objects:
        stored = np.frombuffer(each.PixelData, "<u2").reshape(each.Rows, each.Columns)
        each.PixelData = encapsulate([imagecodecs.jpegls_encode(stored, 2)])
        each["PixelData"].is_undefined_length = True
        each.file_meta.TransferSyntaxUID = JPEGLSNearLossless

    assert whole(*objects)["LOSSY"] == 1


def test_every_code_has_a_severity_and_says_what_its_number_is():
    for severity, meaning in QUALITY.values():
        assert severity in ("info", "warn", "exclude")
        assert "number: " in meaning
