"""The picture shows the patient upright, as a radiologist looks at them."""

import base64
import io

import numpy as np
import pytest
from phantoms import AXIAL, CORONAL, FEET_FIRST, SAGITTAL, slices, thorax, zip_of
from PIL import Image
from test_network_input import inputs_of


def panels(orientation):
    """Axial, coronal and sagittal middle plane, 128 × 128 each, grey values 0 to 255."""
    rows = inputs_of(zip_of(*slices(thorax(shape=(96, 100, 48)), orientation)))
    picture = np.array(Image.open(io.BytesIO(base64.b64decode(rows.previews[0]))))
    assert picture.shape == (128, 384)
    return np.hsplit(picture.astype(int), 3)


@pytest.mark.parametrize("orientation", [AXIAL, SAGITTAL, CORONAL, FEET_FIRST], ids="ascf")
def test_the_spine_is_in_the_lower_half(orientation):
    axial, _, sagittal = panels(orientation)

    bone = axial == 255  # the phantom's spine is the only thing above the window
    rows, columns = np.nonzero(bone)
    assert rows.min() > 64
    assert abs(columns.mean() - 63.5) < 2
    assert (np.nonzero(sagittal == 255)[1] > 64).all()  # the front is on the left there


def test_the_picture_is_the_same_whatever_the_model_wants_its_axes_to_be():
    study = zip_of(*slices(thorax(shape=(96, 100, 48))))

    usual = inputs_of(study, shape="64,64,64")
    other = inputs_of(study, shape="64,64,64", orientation="RAS", quarter_turns="0")

    assert other.previews == usual.previews
    assert not np.array_equal(other.volumes[0], usual.volumes[0])


@pytest.mark.parametrize("orientation", [AXIAL, SAGITTAL, CORONAL, FEET_FIRST], ids="ascf")
def test_the_liver_is_below_on_the_left_of_the_picture(orientation):
    _, coronal, _ = panels(orientation)

    liver = coronal[100:, 20:45].mean()  # the patient's right, towards the feet
    opposite = coronal[100:, 83:108].mean()
    lung = coronal[40:60, 25:45].mean()
    assert liver > opposite + 2
    assert lung < 60
