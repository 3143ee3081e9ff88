"""Rows tell how a series was acquired, and nothing about the patient."""

import hashlib
import hmac
import json
import re

import pydicom
import pytest
from phantoms import slices, thorax, zip_of
from pydicom.datadict import DicomDictionary, keyword_dict
from test_network_input import MR, PARAMETERS, inputs_of
from test_regions_objects import rtstruct, square

from imaging.acquisition import ALL, BY_MODALITY, KEYWORDS
from imaging.archive import Limits
from imaging.attributes import ATTRIBUTES
from imaging.errors import InputError
from imaging.options import Options
from imaging.preprocess import feature_inputs, nifti_files
from imaging.recipe import Recipe

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


OWN = {
    "CT": {},
    "MR": MR,
    "PT": {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.128", "Modality": "PT"},
}
TEXT_TYPES = {"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UT"}
NEEDED = {
    "Modality",
    "PatientID",
    "PhotometricInterpretation",
    "RescaleType",
    "SpecificCharacterSet",
}


def marked_attributes():
    """Every text attribute of the dictionary with a mark of its own, and every date and time."""
    marks = {}
    for number, (vr, many, _, _, keyword) in enumerate(DicomDictionary.values()):
        if not keyword or keyword in NEEDED or keyword_dict[keyword] >> 16 <= 2:
            continue  # without a name, needed as it is, or file meta information
        if vr in TEXT_TYPES and many in ("1", "1-n"):
            marks[keyword] = f"MARK{number}X"
        elif vr in ("DA", "DT"):
            marks[keyword] = "19121224"
        elif vr == "AS":
            marks[keyword] = "113Y"
    return marks


@pytest.mark.parametrize("modality", OWN)
def test_no_attribute_outside_the_list_comes_through(modality):
    """Only attributes of the list may show: in rows, in masks' rows, and in the report."""
    marks = marked_attributes() | {"PatientWeight": 123.457, "PatientSize": 1.98765}
    allowed = {*ALL, *BY_MODALITY[modality], "Units"}
    nested = pydicom.Dataset()
    nested.Radiopharmaceutical = marks["Radiopharmaceutical"]
    nested.RadiopharmaceuticalStartDateTime = "19121224"
    image = slices(SMALL, **(marks | OWN[modality] | {"ImageType": ["ORIGINAL", "PRIMARY"]}))
    for each in image:
        each.RadiopharmaceuticalInformationSequence = [nested]
    study = zip_of(*image, rtstruct(image, [("ROI", [square((-25, -50, 112), (-15, -44, 112))])]))

    shown = everything_shown(study)

    leaked = {word for word, mark in marks.items() if str(mark) in shown}
    assert len(marks) > 800
    assert leaked
    assert leaked <= allowed


WRITTEN = "hush 1912-12-24"
"""What somebody may have typed where a code of the standard belongs."""


@pytest.mark.parametrize(
    ("modality", "keyword"),
    [
        *[("CT", "RescaleType"), ("PT", "Units"), ("CT", "ContrastBolusAgentPhase")],
        *[("PT", "CorrectedImage"), ("MR", "ScanningSequence"), ("CT", "ConvolutionKernel")],
    ],
)
def test_prose_is_not_told_where_a_code_belongs(modality, keyword):
    """A kernel's name has up to 16 characters."""
    prose = WRITTEN if keyword != "ConvolutionKernel" else WRITTEN + " by the ward"
    image = slices(SMALL, **(OWN[modality] | {keyword: prose}))

    rows = nifti_files(memoryview(zip_of(*image)), options=Options(), limits=Limits())

    assert "hush" not in json.dumps([rows.labels, rows.report])


def test_a_value_of_an_image_type_that_is_no_code_is_left_out():
    label = label_of(ImageType=["ORIGINAL", "PRIMARY", WRITTEN, "CT_SOM5 SPI"])

    assert label["acquisition"]["ImageType"] == ["ORIGINAL", "PRIMARY", "CT_SOM5 SPI"]


@pytest.mark.parametrize("text", [WRITTEN, "FDG 1912-12-24"])
def test_a_tracer_is_not_told_by_its_text(text):
    code, tracer = pydicom.Dataset(), pydicom.Dataset()
    code.CodeValue, code.CodeMeaning = "77004003", WRITTEN
    code.CodingSchemeDesignator = "SCT"
    tracer.Radiopharmaceutical, tracer.RadionuclideCodeSequence = text, [code]
    image = slices(SMALL, **OWN["PT"], RadiopharmaceuticalInformationSequence=[tracer])

    (label,) = nifti_files(memoryview(zip_of(*image)), options=Options(), limits=Limits()).labels

    assert label["acquisition"]["radionuclide"] == "^18^Fluorine"
    assert label["acquisition"].get("tracer") == ("FDG" if "FDG" in text else None)
    assert "1912" not in json.dumps(label)


def test_text_in_place_of_a_uid_is_in_no_message():
    image = slices(SMALL, SeriesInstanceUID=WRITTEN) + slices(SMALL, SeriesInstanceUID="1.2.3")

    with pytest.raises(InputError, match=r"^unknown_series: .*valid UID\), 1\.2\.3") as refusal:
        nifti_files(
            memoryview(zip_of(*image)),
            options=Options.from_parameters({"series": "1.2.4"}),
            limits=Limits(),
        )

    assert "hush" not in str(refusal.value)


def everything_shown(study):
    """All text that leaves: labels and reports of both models, with everything allowed."""
    asked = {"allow": "untrained_modality", "pt_unit": "stored"}
    recipe = PARAMETERS | {"window_PT_stored": "0.5,99.5 percentile"}
    rows = feature_inputs(
        memoryview(study),
        recipe=Recipe.from_parameters(recipe),
        options=Options.from_parameters(asked),
        limits=Limits(),
        scanner_key=b"key",
    )
    files = nifti_files(
        memoryview(study),
        options=Options.from_parameters({"masks": "true"}),
        limits=Limits(),
        scanner_key=b"key",
    )
    assert len(rows.labels) == len(files.labels) == 2
    return json.dumps([rows.labels, rows.report, files.labels, files.report])


@pytest.mark.parametrize("keyword", ["DeviceSerialNumber", "StationName"])
def test_a_scanner_has_a_name_that_tells_nothing_of_it(keyword):
    def name(value, key=b"key"):
        study = zip_of(*slices(SMALL, **{keyword: value}))
        rows = nifti_files(memoryview(study), options=Options(), limits=Limits(), scanner_key=key)
        return rows.labels[0]["scanner_id"]

    assert name("12345") == name("12345")
    assert len({name("12345"), name("12346"), name("12345", b"other key")}) == 3
    assert re.fullmatch("[0-9a-f]{16}", name("12345"))
    assert name("12345", b"") is None
    assert name("") is None


def test_a_scanners_name_is_a_keyed_hash_of_serial_number_and_station():
    study = zip_of(*slices(SMALL, DeviceSerialNumber="77", StationName="CT1"))

    rows = nifti_files(memoryview(study), options=Options(), limits=Limits(), scanner_key=b"key")

    expected = hmac.new(b"key", b"77\0CT1", hashlib.sha256).hexdigest()
    assert rows.labels[0]["scanner_id"] == expected[:16]


def test_measured_distances_are_told_beside_the_stated_thickness():
    found = label_of(SliceThickness=5)["acquisition"]

    assert (found["SliceThickness"], found["measured_slice_mm"]) == (5, 4)
    assert found["PixelSpacing"] == [1.75, 2.5]


@pytest.mark.parametrize("text", ["4.10", "07"])
def test_a_version_stays_text(text):
    assert label_of(SoftwareVersions=text)["acquisition"]["SoftwareVersions"] == text


def test_everything_on_the_list_is_read_from_files():
    assert {keyword_dict[word] for word in KEYWORDS} <= set(map(int, ATTRIBUTES))
