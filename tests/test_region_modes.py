"""What a model may want of a region: how large a box, which centre, which parts, what beside it."""

import gzip

import nibabel as nib
import numpy as np
import pytest
from phantoms import slices, zip_of
from test_network_input import PARAMETERS
from test_quality import codes
from test_region_rows import FIRST_MM, PHANTOM, TUMOUR, box, study_with
from test_regions_objects import rtstruct

from imaging.archive import Limits
from imaging.errors import InputError
from imaging.options import Options
from imaging.preprocess import feature_inputs, nifti_files
from imaging.recipe import Recipe

PARTS = ("GTV", [*TUMOUR[1], *box("", (39.5, 23.5), (43.5, 27.5), range(10, 14))[1]])
"""The tumour of 10 x 12 columns and rows, and one of 4 x 4 beside it, in the same four slices."""


def rows_of(study, **parameters):
    return feature_inputs(
        memoryview(study),
        recipe=Recipe.from_parameters(PARAMETERS | parameters),
        options=Options(regions="all"),
        limits=Limits(),
    )


def test_a_box_can_be_a_cube_by_the_regions_longest_edge():
    """20 x 18 x 16 mm, the region's bounding box: the edge is 1.5 times its longest."""
    label = rows_of(study_with(TUMOUR), region_mode="bbox", region_bbox_factor="1.5").labels[0]

    assert label["region_extent_mm"] == [30, 30, 30]
    assert label["network_voxel_mm"] == pytest.approx([30 / 128, 30 / 128, 30 / 64], abs=1e-6)
    assert "REGION_SMALL" not in codes(label)


def test_a_stated_extent_is_the_box_of_every_region():
    label = rows_of(study_with(TUMOUR), region_extent_mm="50,50,50").labels[0]

    assert label["region_extent_mm"] == [50, 50, 50]
    assert label["network_voxel_mm"] == pytest.approx([50 / 128, 50 / 128, 50 / 64], abs=1e-6)


def test_the_centre_can_be_the_centroid():
    by_box = rows_of(study_with(PARTS)).labels[0]
    by_voxels = rows_of(study_with(PARTS), region_centre="centroid").labels[0]

    # Columns 20 to 43; 480 voxels around column 24.5 and 64 around 41.5.
    column = (480 * 24.5 + 64 * 41.5) / 544
    assert by_box["region_centre_mm"][0] == pytest.approx(FIRST_MM[0] + 31.5 * 2)
    assert by_voxels["region_centre_mm"][0] == pytest.approx(FIRST_MM[0] + column * 2)


@pytest.mark.parametrize(
    ("components", "parts", "voxels"),
    [
        ("union", ["union"], [544]),
        ("each", ["1", "2"], [480, 64]),
        ("largest", ["largest"], [480]),
    ],
)
def test_parts_of_a_region_are_taken_together_apart_or_the_largest(components, parts, voxels):
    labels = rows_of(study_with(PARTS), region_components=components).labels

    assert [label["component"] for label in labels] == parts
    assert [label["volume_ml"] for label in labels] == pytest.approx(
        [count * 2 * 1.5 * 4 / 1000 for count in voxels]
    )
    assert {label["components"] for label in labels} == {2}


@pytest.mark.parametrize(("dilation_mm", "columns"), [("0", 10), ("4", 14)])
def test_what_is_not_the_region_can_be_filled(dilation_mm, columns):
    """The row through the region's middle, left to right of the patient, shows it alone."""
    study = study_with(TUMOUR)

    whole = rows_of(study).volumes[0][..., 0]
    shown = rows_of(study, region_mask="fill_outside", region_mask_dilation_mm=dilation_mm).volumes[
        0
    ][..., 0]

    across = shown[64, :, 32]
    np.testing.assert_array_equal(shown[shown > 0], whole[shown > 0])
    assert np.count_nonzero(across) == columns * 2  # samples of 1 mm, columns of 2 mm


def test_a_model_of_regions_sees_no_whole_volume():
    rows = feature_inputs(
        memoryview(study_with(TUMOUR)),
        recipe=Recipe.from_parameters(PARAMETERS | {"spatial_mode": "region"}),
        options=Options(),
        limits=Limits(),
    )

    assert [label["roi"] for label in rows.labels] == ["GTV ä"]
    assert "UNTRAINED_REGION_MODE" not in codes(rows.labels[0])


def test_every_parameter_that_shapes_a_region_changes_the_id():
    study = study_with(TUMOUR)
    changes = [
        {},
        {"region_mode": "bbox"},
        {"region_bbox_factor": "2"},
        {"region_extent_mm": "50,50,50"},
        {"region_centre": "centroid"},
        {"region_components": "each"},
        {"region_mask": "fill_outside"},
        {"region_mask_dilation_mm": "3"},
    ]

    ids = {rows_of(study, **change).labels[0]["preprocessing_id"] for change in changes}

    assert len(ids) == len(changes)


@pytest.mark.parametrize(
    "parameters",
    [
        {"region_mode": "sphere"},
        {"region_components": "two"},
        {"region_mask": "blur"},
        {"region_bbox_factor": "0"},
        {"region_mask_dilation_mm": "-1"},
        {"region_extent_mm": "128,128,0"},
        {"spatial_mode": "spacing", "spacing_mm": "2,2,-1"},
        {"series_rule": "newest"},
        {"trained_voxel_mm": "2-3"},
        {"trained_voxel_mm": "2-3,3-2,4-6"},
        {"window_MR": "0,1 HU"},
        {"window_MR_ADC": "0.5,99.5 percentile"},
    ],
)
def test_a_recipe_that_cannot_be_meant_fails_the_load(parameters):
    with pytest.raises(ValueError, match=r"\w"):
        Recipe.from_parameters(PARAMETERS | parameters)


def masks_of(*objects, **options):
    rows = nifti_files(
        memoryview(zip_of(*objects)),
        options=Options.from_parameters({"masks": "true"} | options),
        limits=Limits(),
    )
    images = [nib.Nifti1Image.from_bytes(gzip.decompress(file)) for file in rows.files]
    return list(zip(images, rows.labels, strict=True))


def test_masks_follow_their_image_on_the_same_grid():
    image = slices(PHANTOM)
    (volume, of_image), (mask, of_mask) = masks_of(*image, rtstruct(image, [TUMOUR]))

    assert (of_image["kind"], of_mask["kind"], of_mask["roi"]) == ("image", "mask", "GTV ä")
    np.testing.assert_array_equal(mask.affine, volume.affine)
    assert mask.get_data_dtype() == np.uint8
    # The files are in LPS+ order of the phantom: the lattice's own indices.
    expected = np.zeros(PHANTOM.voxels.shape, bool)
    expected[20:30, 24:36, 10:14] = True
    np.testing.assert_array_equal(np.asarray(mask.dataobj) > 0, expected)
    assert of_mask["volume_ml"] == pytest.approx(480 * 2 * 1.5 * 4 / 1000)
    assert of_mask["intensity_mean"] == pytest.approx(PHANTOM.voxels[expected].mean(), abs=1e-4)


def test_a_mask_has_the_codes_of_its_region_and_the_image_none_of_them():
    """The ring goes on above the last slice, by a half of its contours."""
    name, contours = box("ring", (4.5, 4.5), (35.5, 35.5), range(28, 32))
    _, holes = box("ring", (14.5, 14.5), (25.5, 25.5), range(28, 32))

    image = slices(PHANTOM)

    (_, of_image), (_, of_mask) = masks_of(*image, rtstruct(image, [(name, [*contours, *holes])]))

    assert codes(of_mask)["CENTRE_OUTSIDE_REGION"] == 1
    assert codes(of_mask)["REGION_TRUNCATED"] == pytest.approx(0.5)
    assert not {"CENTRE_OUTSIDE_REGION", "REGION_TRUNCATED"} & set(codes(of_image))
    assert (of_image["roi_source_uid"], of_image["roi_number"]) == ("", None)


def test_masks_can_be_chosen_by_name_and_come_only_when_asked_for():
    image = slices(PHANTOM)
    objects = [*image, rtstruct(image, [TUMOUR, PARTS])]

    assert [label["roi"] for _, label in masks_of(*objects, roi="GTV")] == ["", "GTV"]
    assert [label["roi"] for _, label in masks_of(*objects, masks="false")] == [""]
    with pytest.raises(InputError, match="^no_regions: "):
        masks_of(*objects, roi="hush")
