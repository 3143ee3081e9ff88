"""What the network sees equals the training chain, in every orientation."""

import keras_example
import numpy as np
import pytest
from phantoms import AXIAL, CORONAL, FEET_FIRST, PRONE, SAGITTAL, slices, thorax, zip_of
from scipy.ndimage import map_coordinates

from imaging.archive import Limits
from imaging.errors import InputError
from imaging.network_input import turned
from imaging.options import Options
from imaging.preprocess import feature_inputs
from imaging.recipe import Recipe

PARAMETERS = {
    "shape": "128,128,64",
    "orientation": "LAS",
    "quarter_turns": "1",
    "spatial_mode": "stretch",
    "antialias": "none",
    "region_extent_mm": "128,128,128",
    "region_centre": "bbox",
    "window_CT": "-1000,400 HU",
    "window_MR": "0.5,99.5 percentile",
    "trained_modalities": "CT",
    "feature_prefix": "test1",
    "weights": "trained",
    "weights_sha256": "0" * 64,
}


MR = {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.4", "Modality": "MR"}


def inputs_of(study, **changes):
    recipe = Recipe.from_parameters(PARAMETERS | changes)
    return feature_inputs(memoryview(study), recipe=recipe, options=Options(), limits=Limits())


def test_the_input_is_that_of_the_keras_example():
    phantom = thorax(shape=(48, 48, 20), spacing_mm=(1.75, 1.75, 4.0))

    seen = inputs_of(zip_of(*slices(phantom))).volumes[0]

    expected = keras_example.process(phantom.nifti())
    np.testing.assert_allclose(seen[..., 0], expected, atol=1e-6)


@pytest.mark.parametrize(
    "orientation",
    [
        pytest.param(AXIAL, id="axial"),
        pytest.param(SAGITTAL, id="sagittal"),
        pytest.param(CORONAL, id="coronal"),
        pytest.param(FEET_FIRST, id="feet-first"),
        pytest.param(PRONE, id="prone"),
    ],
)
def test_the_orientation_of_the_acquisition_does_not_matter(orientation):
    phantom = thorax()

    rows = inputs_of(zip_of(*slices(phantom, orientation)))

    expected = keras_example.process_any(phantom.nifti())
    np.testing.assert_allclose(rows.volumes[0][..., 0], expected, atol=1e-6)
    assert rows.labels[0]["network_voxel_mm"] == pytest.approx(
        [1.75 * 51 / 127, 2.5 * 39 / 127, 4.0 * 23 / 63], abs=1e-6
    )


def test_row_zero_is_anterior_and_column_zero_is_the_patients_right():
    assert turned("LAS", 1) == "PLS"


def test_the_order_of_the_files_does_not_matter():
    objects = slices(thorax())
    shuffled = [objects[n] for n in np.random.default_rng(7).permutation(len(objects))]

    forwards, anyhow = inputs_of(zip_of(*objects)), inputs_of(zip_of(*shuffled))

    assert forwards.labels[0]["input_sha256"] == anyhow.labels[0]["input_sha256"]


def test_values_are_clipped_before_they_are_interpolated():
    phantom = thorax(shape=(4, 4, 4))
    phantom.voxels[:] = -1000
    phantom.voxels[:, :, 2:] = 3000  # halfway to 3000 is above the window, halfway to 400 is not

    seen = inputs_of(zip_of(*slices(phantom))).volumes[0]

    between = seen[0, 0, 21:42, 0]
    np.testing.assert_allclose(between, (np.arange(21, 42) * 3 / 63 - 1), atol=1e-6)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        pytest.param(0, "no pixel of it is brighter than its background", id="black"),
        pytest.param([0, 0, 0, 0, 500], "its foreground has one value only", id="one value"),
    ],
)
def test_mr_without_a_foreground_is_refused(values, message):
    flat = thorax(shape=(10, 10, 5))
    flat.voxels[:] = values
    objects = slices(flat, **MR, RescaleIntercept=0)

    with pytest.raises(InputError, match=f"^empty_image: .* {message}"):
        inputs_of(zip_of(*objects), trained_modalities="CT,MR")


def test_the_window_of_mr_comes_from_all_voxels_of_the_series():
    ramp = thorax(shape=(10, 10, 101))
    ramp.voxels[:] = np.arange(101) * 10 + 1000  # 1000 to 2000, all foreground
    objects = slices(ramp, **MR)
    for each in objects:
        del each.RescaleSlope, each.RescaleIntercept

    rows = inputs_of(zip_of(*objects), trained_modalities="CT,MR")

    # Stored with an offset of 1024; percentiles 0.5 and 99.5 of 101 even steps of 10.
    assert rows.labels[0]["window"] == pytest.approx([2024 + 5, 3024 - 5], abs=5)


def test_a_model_by_spacing_sees_the_middle_of_the_volume_cropped_and_padded():
    """128 x 2 mm of 100 mm left to right: padded; 64 x 1 mm of 96 mm along the body: cropped."""
    phantom = thorax(shape=(40, 52, 24), spacing_mm=(2.5, 1.75, 4.0))
    study = zip_of(*slices(phantom))

    rows = inputs_of(study, spatial_mode="spacing", spacing_mm="2,2,1")

    volume = keras_example.normalise(keras_example.las(phantom.nifti()))
    points = [
        (length - 1) / 2 + (np.arange(count) + 0.5 - count / 2) * step / spacing
        for length, count, step, spacing in zip(
            volume.shape, (128, 128, 64), (2, 2, 1), phantom.spacing_mm, strict=True
        )
    ]
    grid = np.meshgrid(*points, indexing="ij")
    expected = np.rot90(map_coordinates(volume, grid, order=1, mode="constant", cval=0))
    np.testing.assert_allclose(rows.volumes[0][..., 0], expected, atol=1e-5)
    label = rows.labels[0]
    assert label["network_voxel_mm"] == [2, 2, 1]
    codes = {each["code"]: each["number"] for each in label["quality"]}
    assert codes["PAD_FRACTION"] == pytest.approx(np.mean(expected_outside(points, volume.shape)))


def expected_outside(points, shape):
    inside = [(at >= 0) & (at <= n - 1) for at, n in zip(points, shape, strict=True)]
    return ~(inside[0][:, None, None] & inside[1][:, None] & inside[2])


def test_mr_can_be_scaled_by_the_mean_and_deviation_of_its_foreground():
    phantom = thorax()
    objects = slices(phantom, **MR, RescaleIntercept=-1024)

    row = inputs_of(zip_of(*objects), trained_modalities="MR", window_MR="-2,2 z-score")

    values = phantom.voxels.astype(float)
    foreground = values[values > 0.1 * np.percentile(values, 99.5)]
    mean, sd = foreground.mean(), foreground.std()
    assert row.labels[0]["window"] == pytest.approx([mean - 2 * sd, mean + 2 * sd], rel=1e-5)
    assert row.labels[0]["unit"] == "arbitrary"
