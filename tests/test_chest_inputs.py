"""The inputs of the chest CT networks are those of their makers' chains, in every orientation."""

import nibabel as nib
import numpy as np
import pytest
from chest_chains import chest, merlin
from phantoms import AXIAL, CORONAL, FEET_FIRST, SAGITTAL, Phantom, slices, thorax, zip_of
from scipy.ndimage import gaussian_filter, zoom
from test_network_input import inputs_of

from imaging.averaging import area_weights
from imaging.errors import InputError
from imaging.recipe import Recipe, preprocessing_id
from tools.astra.parameters import astra_parameters

ORIENTATIONS = [
    pytest.param(AXIAL, id="axial"),
    pytest.param(SAGITTAL, id="sagittal"),
    pytest.param(CORONAL, id="coronal"),
    pytest.param(FEET_FIRST, id="feet-first"),
]


def seen(study, chain, **changes):
    rows = inputs_of(study, **(astra_parameters(chain) | changes))
    return rows.volumes[0][..., 0], rows.labels[0]


def codes(label):
    return {each["code"]: each["number"] for each in label["quality"]}


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize(
    "shape", [(56, 48, 40), (14, 12, 10), (37, 41, 29)], ids=["larger", "smaller", "odd"]
)
def test_the_box_of_the_body_is_averaged_and_then_windowed(orientation, shape):
    phantom = thorax()

    found, label = seen(
        zip_of(*slices(phantom, orientation)), "chest", shape=",".join(map(str, shape))
    )

    np.testing.assert_allclose(found, chest(phantom.nifti(), shape), atol=1e-6)
    x, y, z = (np.ptp(at) + 1 for at in np.nonzero(phantom.voxels > -1000))
    assert x < phantom.voxels.shape[0]  # air beside the body is cut off
    expected = np.array([x, y, z]) * phantom.spacing_mm / shape
    np.testing.assert_allclose(label["network_voxel_mm"], expected, atol=1e-6)
    assert label["orientation"] == "RAS"


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize(
    ("shape", "spacing"),
    [
        pytest.param((48, 70, 20), (1.5, 1.5, 3.0), id="cropped and padded"),
        pytest.param((75, 51, 33), (3.0, 2.0, 4.0), id="odd lengths"),
        pytest.param((224, 224, 160), (1.5, 1.5, 3.0), id="as the network has it"),
    ],
)
def test_samples_from_the_first_voxel_on_are_windowed_then_padded_and_cropped(
    orientation, shape, spacing
):
    phantom = thorax()

    found, label = seen(
        zip_of(*slices(phantom, orientation)),
        "merlin",
        shape=",".join(map(str, shape)),
        spacing_mm=",".join(map(str, spacing)),
    )

    expected = merlin(phantom.nifti(), shape, spacing)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert label["network_voxel_mm"] == list(spacing)


def test_what_the_image_does_not_fill_is_counted():
    """66 samples fit left to right, 60.5 front to back, of which the even 60 are taken."""
    label = seen(zip_of(*slices(thorax())), "merlin", shape="64,64,16")[1]

    assert codes(label)["PAD_FRACTION"] == pytest.approx(1 - 60 / 64, abs=1e-6)


def study_of_example(references):
    """The example CT as the DICOM slices that would convert to it, and as NIfTI."""
    image = nib.load(references / "totalsegmentator_example_ct.nii.gz")
    voxels = np.asarray(image.dataobj).astype(np.int16)  # RAS; phantoms are LPS
    lps = Phantom(voxels[::-1, ::-1].copy(), (3.0, 3.0, 3.0), (0.0, 0.0, 0.0))
    return zip_of(*slices(lps, RescaleIntercept=-2048)), image


@pytest.mark.parametrize(("chain", "plainly"), [("chest", chest), ("merlin", merlin)])
def test_the_example_ct_gives_the_input_that_the_references_were_made_from(
    shared_data, chain, plainly
):
    """To 1e-6 and not to the bit: sums in another order; features differ by less than 1e-6."""
    references = shared_data / "reference" / "astra"
    if not references.is_dir():
        pytest.skip("the reference features are not beside this checkout")
    study, image = study_of_example(references)

    found, _ = seen(study, chain)

    np.testing.assert_allclose(found, plainly(image), atol=1e-6)


def test_an_image_of_air_has_no_box():
    phantom = thorax(shape=(10, 12, 5))
    phantom.voxels[:] = -1000

    with pytest.raises(InputError, match="^empty_image: .* no voxel of it is above -1000 HU"):
        seen(zip_of(*slices(phantom)), "chest")


def test_a_box_of_one_voxel_can_be_stretched():
    phantom = thorax(shape=(10, 12, 5))
    phantom.voxels[:] = -1000
    phantom.voxels[3, 4, 2] = 200

    for antialias in ("none", "gaussian", "area"):
        found, label = seen(zip_of(*slices(phantom)), "chest", antialias=antialias, shape="8,8,8")
        assert (found == 1).all()
        assert label["network_voxel_mm"] == pytest.approx([2.5 / 8, 1.75 / 8, 4.0 / 8])


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_gaussian_before_the_zoom_is_scipys(orientation):
    phantom = thorax(shape=(60, 52, 24))
    shape = (20, 39, 30)  # a third, three quarters, and more than there are

    rows = inputs_of(
        zip_of(*slices(phantom, orientation)),
        orientation="RAS",
        quarter_turns="0",
        shape="20,39,30",
        antialias="gaussian",
    )

    window = np.clip(nib.as_closest_canonical(phantom.nifti()).get_fdata(), -1000, 400) + 1000
    smooth = gaussian_filter(window / 1400, [(3 - 1) / 2, (52 / 39 - 1) / 2, 0])
    factors = [wanted / length for wanted, length in zip(shape, smooth.shape, strict=True)]
    np.testing.assert_allclose(rows.volumes[0][..., 0], zoom(smooth, factors, order=1), atol=1e-5)


@pytest.mark.parametrize("antialias", ["none", "gaussian", "area"])
def test_noise_is_smoothed_where_the_model_says_so(antialias):
    """30 HU of noise in 3 x 3 x 3 voxels a cell: an area leaves a 27th of the variance."""
    phantom = thorax(shape=(60, 60, 30))
    phantom.voxels[:] = np.random.default_rng(3).normal(0, 30, phantom.voxels.shape)

    found = inputs_of(zip_of(*slices(phantom)), shape="20,20,10", antialias=antialias).volumes[0]

    left_hu = found[3:-3, 3:-3, 2:-2].std() * 1400
    low, high = {"none": (14, 32), "gaussian": (3, 5), "area": (5, 6.5)}[antialias]
    assert low < left_hu < high


def test_cells_are_those_of_adaptive_averages():
    """5 voxels in 3 cells, as PyTorch's documentation of adaptive pooling has the cells' ends."""
    third = 1 / 2
    expected = [[third, third, 0, 0, 0], [0, 1 / 3, 1 / 3, 1 / 3, 0], [0, 0, 0, third, third]]

    np.testing.assert_allclose(area_weights(5, 3), expected, rtol=1e-6)
    assert area_weights(2, 4).tolist() == [[1, 0], [1, 0], [0, 1], [0, 1]]


def test_padding_among_the_averaged_voxels_is_counted():
    phantom = thorax(shape=(10, 10, 10))
    phantom.voxels[:, :, :2] = -2000
    phantom.voxels[:, :, 2:] = 0

    row = inputs_of(zip_of(*slices(phantom, RescaleIntercept=-2048)), antialias="area")

    assert codes(row.labels[0])["PAD_FRACTION"] == pytest.approx(0.2)


@pytest.mark.parametrize(
    "changes",
    [
        {"antialias": "cubic"},
        {"crop_above": "much"},
        {"window_order": "never"},
        {"spacing_grid": "last_voxel"},
        {"spatial_mode": "region"},
        {"spatial_mode": "spacing", "spacing_mm": "1,1,1"},
    ],
)
def test_parameters_that_do_not_fit_are_refused_when_the_model_is_loaded(changes):
    stated = astra_parameters("chest") | {"weights_sha256": "0" * 64}
    Recipe.from_parameters(stated)

    with pytest.raises(ValueError, match="one of|convert|none is needed"):
        Recipe.from_parameters(stated | changes)


def test_what_was_added_later_leaves_the_ids_of_earlier_rows_as_they_were():
    stated = {"shape": "4,4,4", "antialias": "none"}
    defaults = {"crop_above": "none", "spacing_grid": "centred", "window_order": "before"}

    assert preprocessing_id(stated | defaults) == preprocessing_id(stated)
    for name, value in (("crop_above", "-1000"), ("window_order", "after")):
        assert preprocessing_id(stated | {name: value}) != preprocessing_id(stated)
