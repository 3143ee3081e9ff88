"""The series of a zip, listed for a person who chooses: what each is, and what the rule says."""

import base64
import io

import numpy as np
import pytest
from phantoms import AXIAL, CORONAL, FEET_FIRST, SAGITTAL, slices, thorax, zip_of
from PIL import Image
from test_choice import THICK, THIN, drawn_on, series
from test_preprocess import MR

from imaging.archive import Limits
from imaging.errors import InputError
from imaging.options import Options
from imaging.preprocess import nifti_files

WIDE = thorax(shape=(40, 30, 16), spacing_mm=(2.0, 1.5, 2.5))
"""80 mm from right to left, 45 mm from front to back, 40 mm from feet to head."""


def listed(*objects, **options):
    parameters = {"candidates": "true"} | options
    return nifti_files(
        memoryview(zip_of(*objects)),
        options=Options.from_parameters(parameters),
        limits=Limits(),
    )


def standings(*objects, **options):
    found = listed(*objects, **options).labels
    return [(each["series_uid"], each["standing"], each["decided_by"]) for each in found]


def picture_of(label):
    return np.array(Image.open(io.BytesIO(base64.b64decode(label["thumbnail"]))))


def test_a_tie_is_told_and_not_refused():
    assert standings(*series("1.2.1"), *series("1.2.2")) == [
        ("1.2.1", "tied", ""),
        ("1.2.2", "tied", ""),
    ]


def test_the_series_that_the_rule_takes_is_told_with_the_criterion_and_why_not_the_others():
    found = listed(*series("1.2.1"), *series("1.2.2", THIN))

    first, second = found.labels
    assert (second["standing"], second["decided_by"]) == ("chosen", "thickness")
    assert (first["standing"], first["decided_by"]) == ("other", "thickness")
    assert (
        first["reason"] == "another CT series of the study comes first by the criterion thickness"
    )
    assert found.files == [b"", b""]


def test_the_rule_that_is_stated_is_the_one_that_counts():
    study = (*series("1.2.1"), *series("1.2.2", THIN))

    assert standings(*study, candidates="original")[0][1] == "tied"
    assert standings(*study, candidates="none")[0][1] == "tied"


def test_a_series_that_regions_reference_says_so_and_is_chosen():
    first, second = series("1.2.1", THIN), series("1.2.2")

    found = listed(*first, *second, drawn_on(second)).labels

    assert [(each["referenced"], each["standing"]) for each in found] == [
        (False, "other"),
        (True, "chosen"),
    ]


def test_what_cannot_be_used_says_why_and_has_no_picture():
    localizer = slices(
        THICK, SeriesInstanceUID="1.2.1", ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]
    )

    first, second = listed(*localizer, *series("1.2.1")).labels

    assert (first["standing"], first["code"], first["thumbnail"]) == ("unusable", "localizer", "")
    assert (second["standing"], second["code"]) == ("chosen", "")


def test_series_of_which_none_can_be_used_are_refused_as_always():
    phase = slices(THICK, ImageType=["ORIGINAL", "PRIMARY", "P", "ND"], **MR)

    with pytest.raises(InputError, match="not_magnitude"):
        listed(*phase)


def test_texts_of_people_are_not_among_what_tells_series_apart():
    described = series(
        "1.2.1", SeriesDescription="hush", ConvolutionKernel="B30f", PatientID="hush"
    )

    (label,) = listed(*described).labels

    assert label["acquisition"]["ConvolutionKernel"] == "B30f"
    assert "hush" not in str(label)


@pytest.mark.parametrize(
    ("orientation", "size"),
    [
        pytest.param(AXIAL, (54, 96), id="axial"),  # 45 mm high, 80 mm wide
        pytest.param(FEET_FIRST, (54, 96), id="feet first"),
        pytest.param(CORONAL, (48, 96), id="coronal"),  # 40 mm high, 80 mm wide
        pytest.param(SAGITTAL, (85, 96), id="sagittal"),  # 40 mm high, 45 mm wide
    ],
)
def test_a_thumbnail_has_the_proportions_of_the_plane_as_it_was_acquired(orientation, size):
    (label,) = listed(*slices(WIDE, orientation)).labels

    assert picture_of(label).shape == size


@pytest.mark.parametrize("orientation", [AXIAL, FEET_FIRST], ids=["axial", "feet first"])
def test_the_spine_is_below_and_the_patients_right_on_the_left(orientation):
    phantom = thorax(shape=(60, 64, 30))
    phantom.voxels[:20, 30:34] = 400  # something white, on the patient's right

    (label,) = listed(*slices(phantom, orientation)).labels

    picture = picture_of(label)
    rows, columns = np.nonzero(picture > 250)
    height, width = picture.shape
    assert columns[(rows > 0.4 * height) & (rows < 0.55 * height)].max() < 0.4 * width
    spine = rows > 0.7 * height
    assert spine.any()
    assert abs(columns[spine].mean() - width / 2) < 2


def test_the_head_is_above_in_a_coronal_picture_and_the_front_on_the_left_in_a_sagittal_one():
    phantom = thorax(shape=(60, 64, 30))
    phantom.voxels[:] = -1000
    phantom.voxels[:, :20, 24:] = 400  # in front, at the head

    (coronal,) = listed(*slices(phantom, CORONAL)[:30]).labels
    (sagittal,) = listed(*slices(phantom, SAGITTAL)).labels

    assert picture_of(coronal)[:10].mean() > 250
    assert picture_of(coronal)[40:].mean() < 5
    assert picture_of(sagittal)[:10, :20].mean() > 250
    assert picture_of(sagittal)[:, 50:].mean() < 5
