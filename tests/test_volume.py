"""Pixels become quantities, exactly, or are refused."""

import gzip

import nibabel as nib
import numpy as np
import pytest
from phantoms import CORONAL, slices, thorax, zip_of
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)
from test_network_input import inputs_of

from imaging.archive import Limits
from imaging.errors import InputError
from imaging.options import Options
from imaging.preprocess import nifti_files

SMALL = thorax(shape=(10, 12, 6))


def converted(*objects):
    answer = nifti_files(memoryview(zip_of(*objects)), options=Options(), limits=Limits())
    return nib.Nifti1Image.from_bytes(gzip.decompress(answer.files[0])), answer.labels[0]


def same_place(image, phantom):
    """The converted voxels in the order and frame of the phantom's own NIfTI."""
    wanted = phantom.nifti()
    change = nib.orientations.ornt_transform(
        nib.io_orientation(image.affine), nib.io_orientation(wanted.affine)
    )
    turned = image.as_reoriented(change)
    np.testing.assert_allclose(turned.affine, wanted.affine, atol=1e-4)
    return np.asarray(turned.dataobj), wanted.get_fdata()


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian]
)
def test_a_ct_comes_out_in_hounsfield_units(syntax):
    objects = slices(SMALL, CORONAL, syntax=syntax)

    image, label = converted(*objects)

    found, expected = same_place(image, SMALL)
    np.testing.assert_array_equal(found, expected)
    assert (image.get_data_dtype(), label["unit"]) == (np.int16, "HU")


@pytest.mark.parametrize(("signed", "kind"), [(0, np.uint32), (1, np.int32)])
def test_whole_numbers_of_32_bits_stay_exact(signed, kind):
    limits = np.iinfo(kind)
    values = np.linspace(limits.min, limits.max, 120).astype(kind) | 1
    objects = slices(SMALL, SOPClassUID="1.2.840.10008.5.1.4.1.1.4", Modality="MR")
    for each in objects:
        del each.RescaleSlope, each.RescaleIntercept
        each.BitsAllocated, each.BitsStored, each.HighBit = 32, 32, 31
        each.PixelRepresentation, each.PixelData = signed, values.tobytes()

    image, _ = converted(*objects)

    assert image.get_data_dtype() == kind
    plane = np.asarray(image.dataobj)[:, :, 2].T
    np.testing.assert_array_equal(plane, values.reshape(plane.shape))


def test_signed_pixels_with_padding_keep_their_values():
    phantom = thorax(shape=(10, 12, 6))
    phantom.voxels[0] = -2000
    objects = slices(phantom, PixelRepresentation=1, RescaleIntercept=0)

    image, _ = converted(*objects)

    found, expected = same_place(image, phantom)
    np.testing.assert_array_equal(found, expected)


def test_each_slice_has_its_own_slope():
    objects = slices(SMALL, RescaleIntercept=-1024)
    for k, each in enumerate(objects):
        each.RescaleSlope = 0.5 + k / 8

    image, _ = converted(*objects)

    found, expected = same_place(image, SMALL)
    slopes = 0.5 + np.arange(6) / 8
    np.testing.assert_allclose(found, (expected + 1024) * slopes - 1024, rtol=1e-6)
    assert image.get_data_dtype() == np.float32


def test_a_ct_without_slope_is_refused():
    objects = slices(SMALL)
    del objects[3].RescaleSlope

    with pytest.raises(InputError, match="^missing_attribute: .* entry 4 has no RescaleSlope"):
        converted(*objects)


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"RescaleSlope": 0}, "bad_attribute: .* entry 3 has a slope of 0"),
        ({"RescaleSlope": 1e38}, "bad_pixels: .* slice 3 has .* too large for float32"),
        ({"RescaleIntercept": 1e300}, "bad_pixels: .* slice 3 has .* too large for float32"),
    ],
)
def test_a_scale_that_leaves_no_numbers_is_refused(attributes, message):
    objects = slices(SMALL)
    for keyword, value in attributes.items():
        setattr(objects[2], keyword, value)

    with pytest.raises(InputError, match=f"^{message}"):
        converted(*objects)


@pytest.mark.parametrize("missing", ["RescaleSlope", "RescaleIntercept"])
def test_slices_of_mr_are_scaled_all_or_none(missing):
    objects = slices(SMALL, SOPClassUID="1.2.840.10008.5.1.4.1.1.4", Modality="MR")
    delattr(objects[3], missing)

    with pytest.raises(InputError, match=f"^missing_attribute: .* entry 4 has no {missing}"):
        converted(*objects)


def test_a_pet_without_slope_is_refused():
    objects = slices(SMALL, SOPClassUID="1.2.840.10008.5.1.4.1.1.128", Modality="PT", Units="BQML")
    del objects[1].RescaleSlope

    with pytest.raises(InputError, match="^missing_attribute: .* entry 2 has no RescaleSlope"):
        converted(*objects)


@pytest.mark.parametrize(("stated", "unit"), [("", "HU"), ("US", "HU"), ("MGML", "MGML")])
def test_a_ct_that_is_no_hounsfield_units_says_so_and_is_for_no_network(stated, unit):
    objects = slices(SMALL, RescaleType=stated)

    assert converted(*objects)[1]["unit"] == unit
    if unit == "HU":
        assert inputs_of(zip_of(*objects)).labels[0]["unit"] == "HU"
    else:
        with pytest.raises(InputError, match="^unsupported_object: .* no Hounsfield units"):
            inputs_of(zip_of(*objects))


def test_too_few_pixels_are_refused():
    objects = slices(SMALL)
    objects[2].PixelData = objects[2].PixelData[:-10]

    with pytest.raises(InputError, match="^bad_pixels: .* entry 3 has 230 bytes .* need 240"):
        converted(*objects)


def test_a_slice_without_pixels_is_refused():
    objects = slices(SMALL)
    del objects[0].PixelData

    with pytest.raises(InputError, match="^bad_pixels: .* entry 1 has no pixel data"):
        converted(*objects)


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ({"SamplesPerPixel": 3}, "unsupported_pixels"),
        ({"NumberOfFrames": 2}, "unsupported_pixels"),
        ({"BitsAllocated": 1}, "unsupported_pixels"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, "localizer"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "M", "MOSAIC"]}, "unsupported_object"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.2.1"}, "unsupported_object"),
    ],
)
def test_what_is_no_plain_series_is_refused_by_name(attributes, code):
    with pytest.raises(InputError, match=f"^{code}: image series 1 of 1 "):
        converted(*slices(SMALL, **attributes))


def test_whole_numbers_beyond_the_first_type_are_kept_in_one_that_holds_all():
    """One slice of sixty thousand: the others were put into int16 by then."""
    objects = slices(SMALL)
    stored = np.frombuffer(objects[3].PixelData, "<u2").copy()
    stored[:7] = 61_024
    objects[3]["PixelData"].value = stored.tobytes()
    for each in objects:
        each.RescaleIntercept = 0  # nothing is negative then

    image, _ = converted(*objects)

    assert image.get_data_dtype() == np.uint16
    assert np.asarray(image.dataobj).max() == 61_024


def test_files_can_be_had_without_compression():
    whole = memoryview(zip_of(*slices(SMALL)))
    plain, packed = (
        nifti_files(whole, options=Options(compress=compress), limits=Limits()).files[0]
        for compress in (False, True)
    )

    assert plain == gzip.decompress(packed)
