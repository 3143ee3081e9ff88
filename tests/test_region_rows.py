"""Regions of interest become rows of their own, beside the whole volume."""

import json

import numpy as np
import pytest
from keras_example import las, normalise
from phantoms import CORONAL, slices, thorax, zip_of
from scipy.ndimage import map_coordinates
from test_network_input import PARAMETERS, inputs_of
from test_preprocess import asked
from test_regions_objects import contour, rtstruct, square

from imaging.archive import Limits
from imaging.errors import InputError
from imaging.options import Options
from imaging.preprocess import feature_inputs
from imaging.recipe import Recipe

PHANTOM = thorax(shape=(60, 64, 30), spacing_mm=(2.0, 1.5, 4.0))
FIRST_MM = np.array(PHANTOM.origin_mm)


def box(name, first, last, planes):
    """A region: a rectangle in each plane (index of the lattice), between two columns and rows."""
    x, y, z = PHANTOM.spacing_mm
    at = [FIRST_MM + np.array([first[0] * x, first[1] * y, k * z]) for k in planes]
    to = [FIRST_MM + np.array([last[0] * x, last[1] * y, k * z]) for k in planes]
    return name, [contour(square(a, b)) for a, b in zip(at, to, strict=True)]


def study_with(*regions):
    image = slices(PHANTOM, Modality="CT")
    return zip_of(*image, rtstruct(image, regions))


TUMOUR = box("GTV ä", (19.5, 23.5), (29.5, 35.5), range(10, 14))
"""Ten columns (20 to 29), twelve rows (24 to 35), four slices."""


def test_a_region_is_a_row_beside_the_whole_volume_with_its_name_verbatim():
    rows = inputs_of(study_with(TUMOUR))

    assert [label["roi"] for label in rows.labels] == ["", "GTV ä"]
    assert rows.report["series"][1]["status"] == "regions"
    region = rows.labels[1]
    assert region["volume_ml"] == pytest.approx(10 * 12 * 4 * 2 * 1.5 * 4 / 1000)
    assert region["bounding_box_mm"] == pytest.approx([10 * 2, 12 * 1.5, 4 * 4])
    assert region["region_centre_mm"] == pytest.approx(
        list(FIRST_MM + np.array([24.5 * 2, 29.5 * 1.5, 11.5 * 4]))
    )
    inside = PHANTOM.voxels[20:30, 24:36, 10:14]
    assert region["intensity_mean"] == pytest.approx(inside.mean(), abs=1e-4)
    assert {each["code"] for each in region["quality"]} >= {"UNTRAINED_REGION_MODE", "REGION_SMALL"}


def test_a_region_is_sampled_around_its_centre_as_written_out_with_scipy():
    """Cell-centred samples of a 128 mm cube, trilinear on clipped values, air outside, turned."""
    seen = inputs_of(study_with(TUMOUR)).volumes[1][..., 0]

    volume = normalise(las(PHANTOM.nifti()))  # i to the left, j to the front, k to the head
    rows = PHANTOM.voxels.shape[1]
    centre = (24.5, rows - 1 - 29.5, 11.5)
    points = [
        middle + ((np.arange(count) + 0.5) * 128 / count - 64) / spacing
        for middle, count, spacing in zip(centre, (128, 128, 64), PHANTOM.spacing_mm, strict=True)
    ]
    grid = np.meshgrid(*points, indexing="ij")
    expected = np.rot90(map_coordinates(volume, grid, order=1, mode="constant", cval=0))
    np.testing.assert_allclose(seen, expected, atol=1e-5)


def test_axial_contours_are_a_row_of_coronal_slices_too():
    image = slices(PHANTOM, CORONAL, Modality="CT")

    (region,) = asked(zip_of(*image, rtstruct(image, [TUMOUR])), regions="all").labels

    assert region["volume_ml"] == pytest.approx(10 * 12 * 4 * 2 * 1.5 * 4 / 1000)
    assert region["bounding_box_mm"] == pytest.approx([10 * 2, 12 * 1.5, 4 * 4])
    assert region["region_centre_mm"] == pytest.approx(
        list(FIRST_MM + np.array([24.5 * 2, 29.5 * 1.5, 11.5 * 4]))
    )
    assert region["intensity_mean"] == pytest.approx(
        PHANTOM.voxels[20:30, 24:36, 10:14].mean(), abs=1e-4
    )
    assert region["roi_notes"] == ["oblique"]


def test_the_orientation_of_the_slices_does_not_change_what_the_network_sees_of_a_region():
    image = slices(PHANTOM, CORONAL, Modality="CT")

    axial = asked(study_with(TUMOUR), regions="all").volumes
    coronal = asked(zip_of(*image, rtstruct(image, [TUMOUR])), regions="all").volumes

    np.testing.assert_allclose(coronal, axial, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "regions"),
    [
        ({}, ["", "A", "B"]),
        ({"regions": "whole"}, [""]),
        ({"regions": "all"}, ["A", "B"]),
        ({"roi": "B"}, ["B"]),
        ({"x-df-roi": "%42"}, ["B"]),
    ],
)
def test_which_rows_are_wanted_can_be_said(options, regions):
    study = study_with(
        box("A", (19.5, 23.5), (29.5, 35.5), range(4, 9)),
        box("B", (9.5, 23.5), (29.5, 35.5), range(10, 14)),
    )

    assert [label["roi"] for label in asked(study, **options).labels] == regions


def test_a_region_that_is_not_there_is_refused_without_its_name():
    with pytest.raises(InputError, match="^no_regions: ") as caught:
        asked(study_with(TUMOUR), roi="hush")

    assert "hush" not in str(caught.value)


def test_a_request_for_regions_of_which_none_can_be_drawn_says_why():
    outside = box("hush", (900, 900), (910, 910), range(4, 9))

    with pytest.raises(InputError, match=r"^no_regions: .* region_outside_image \(1\)$") as caught:
        asked(study_with(TUMOUR, outside), roi="hush")

    assert "hush" not in str(caught.value)


def test_regions_that_cannot_be_drawn_are_in_the_report():
    outside = box("far", (900, 900), (910, 910), range(4, 9))

    report = inputs_of(study_with(TUMOUR, outside)).report

    skipped = [(each["name"], each["code"]) for each in report["regions_skipped"]]
    assert skipped == [("far", "region_outside_image")]


def test_a_region_at_the_border_says_how_much_of_its_box_is_padding():
    at_the_border = box("edge", (-0.5, -0.5), (9.5, 9.5), range(4))

    label = inputs_of(study_with(at_the_border)).labels[1]

    assert label["fraction_padded"] > 0.5
    codes = {each["code"]: each["number"] for each in label["quality"]}
    assert codes["REGION_PADDED"] == label["fraction_padded"]


def test_a_region_larger_than_the_box_says_how_much_of_it_was_not_seen():
    large = box("body", (1.5, 1.5), (57.5, 61.5), range(30))
    recipe = Recipe.from_parameters(PARAMETERS | {"region_extent_mm": "60,48,60"})

    rows = feature_inputs(
        memoryview(study_with(large)), recipe=recipe, options=Options(), limits=Limits()
    )

    codes = {each["code"]: each["number"] for each in rows.labels[1]["quality"]}
    # Patient left–right 48 of 112 mm, back–front 60 of 90, feet–head 60 of 120 mm, by whole voxels.
    assert codes["REGION_TRUNCATED"] == pytest.approx(1 - 48 / 112 * 60 / 90 * 60 / 120, abs=0.03)


def test_the_regions_of_a_real_study_are_rows(shared_data):
    study = (shared_data / "dicom" / "ct-chest-rtstruct-lung1.zip").read_bytes()
    masks = json.loads(
        (shared_data / "reference" / "ct-chest-rtstruct-lung1" / "masks.json").read_text()
    )

    labels = inputs_of(study).labels

    names = ["", "Lung-Left", "Lung-Right", "GTV-1", "Spinal-Cord"]
    assert sorted(label["roi"] for label in labels) == sorted(names)
    assert len(masks) >= 1
