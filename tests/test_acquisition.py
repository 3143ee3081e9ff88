"""Rows tell how a series was acquired, and nothing about the patient."""

import json

import pytest
from phantoms import slices, thorax, zip_of
from pydicom.datadict import DicomDictionary, keyword_dict
from test_network_input import inputs_of

from imaging.acquisition import ALL, BY_MODALITY, KEYWORDS
from imaging.attributes import ATTRIBUTES

SMALL = thorax(shape=(10, 12, 6))


def label_of(**attributes):
    return inputs_of(zip_of(*slices(SMALL, **attributes))).labels[0]


def test_numbers_are_numbers_and_several_values_a_list():
    label = label_of(KVP=120, ConvolutionKernel=["B30f", "3"], Manufacturer="ACME")

    found = label["acquisition"]
    assert found["KVP"] == 120.0
    assert found["ConvolutionKernel"] == ["B30f", "3"]
    assert found["Manufacturer"] == "ACME"
    assert "Exposure" not in found


@pytest.mark.parametrize(
    ("attributes", "contrast"),
    [
        ({}, "unknown"),
        ({"ContrastBolusAgent": ""}, "no"),
        ({"ContrastBolusAgent": "hush 350"}, "yes"),
    ],
)
def test_contrast_is_told_without_its_text(attributes, contrast):
    label = label_of(**attributes)

    assert label["acquisition"]["contrast"] == contrast
    codes = [each["code"] for each in label["quality"]]
    assert ("CONTRAST_UNKNOWN" in codes) == (contrast == "unknown")
    assert "hush" not in json.dumps(label)


def test_lossy_compression_is_a_quality_code():
    codes = [each["code"] for each in label_of(LossyImageCompression="01")["quality"]]

    assert "LOSSY" in codes


def test_no_attribute_outside_the_list_comes_through():
    """Every text attribute of the dictionary is marked; only those of the list may show."""
    text_types = {"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UT"}
    own = {"Modality", "PatientID", "PhotometricInterpretation", "SpecificCharacterSet"}
    words = [
        keyword
        for vr, multiplicity, _, _, keyword in DicomDictionary.values()
        if vr in text_types and multiplicity in ("1", "1-n") and keyword and keyword not in own
    ]
    marked = {
        word: f"MARK{number}X"
        for number, word in enumerate(words)
        if keyword_dict[word] >> 16 > 2  # not the file meta information
    }
    allowed = {*ALL, *BY_MODALITY["CT"]}

    shown = json.dumps(label_of(**marked))

    leaked = {word for word, mark in marked.items() if mark in shown}
    assert len(marked) > 500
    assert leaked
    assert leaked <= allowed


def test_everything_on_the_list_is_read_from_files():
    assert {keyword_dict[word] for word in KEYWORDS} <= set(map(int, ATTRIBUTES))
