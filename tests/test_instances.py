"""DICOM objects are read from a zip's entries as far as they are needed."""

import numpy as np
import pytest
from phantoms import ct_slice, file_bytes, zip_of
from pydicom.uid import DeflatedExplicitVRLittleEndian

from imaging.archive import Limits, open_archive
from imaging.errors import InputError
from imaging.instances import read_instance

PLANE = np.zeros((100, 100), np.int16)


def read(content):
    (entry,) = open_archive(memoryview(zip_of(content)), Limits())
    return read_instance(entry, Limits())


def test_an_object_without_preamble_is_read():
    content = file_bytes(ct_slice(PLANE))

    assert read(content[132:]).text("Modality") == "CT"


@pytest.mark.parametrize("content", [b"", b"DICM", b"\0" * 200, b"\x08\x00text" * 50])
def test_what_is_not_dicom_is_none(content):
    assert read(content) is None


def test_an_object_cut_in_its_header_is_none_or_has_less():
    content = file_bytes(ct_slice(PLANE))

    for length in range(132, 700, 13):
        instance = read(content[:length])
        assert instance is None or instance.pixels_at <= length


def test_pixels_are_not_read_with_the_header():
    content = file_bytes(ct_slice(PLANE))

    assert read(content).pixels_at == len(content) - PLANE.nbytes - 12


def test_a_deflated_object_is_read_like_any_other():
    dataset = ct_slice(PLANE, syntax=DeflatedExplicitVRLittleEndian)

    instance = read(file_bytes(dataset))

    assert instance.text("SOPInstanceUID") == dataset.SOPInstanceUID
    assert instance.transfer_syntax == DeflatedExplicitVRLittleEndian
    assert instance.entry.read()[instance.pixels_at + 12 :] == dataset.PixelData


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "missing_attribute: entry 1 has no PixelSpacing"),
        ([1.0], "bad_attribute: entry 1 has a PixelSpacing that cannot be used"),
        (["1", "1e999"], "bad_attribute: entry 1 has a PixelSpacing"),
    ],
)
def test_numbers_are_as_many_as_needed_and_finite(value, message):
    instance = read(file_bytes(ct_slice(PLANE)))
    instance.header.PixelSpacing = value

    with pytest.raises(InputError, match=message):
        instance.numbers("PixelSpacing", 2)
