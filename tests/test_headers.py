"""Headers read in memory: as pydicom reads them, or left to pydicom."""

import io

import numpy as np
import pydicom
import pytest
from phantoms import file_bytes, slices, thorax, zip_of
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException
from pydicom.uid import ImplicitVRLittleEndian

from imaging.archive import Limits, open_archive
from imaging.attributes import ATTRIBUTES
from imaging.elements import CHARACTER_SET
from imaging.headers import PYDICOM_FAILURES, Known, usual_header


def _entry(content):
    (entry,) = open_archive(memoryview(zip_of(content)), Limits())
    return entry


def _by_pydicom(content):
    file = io.BytesIO(content)
    dataset = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=ATTRIBUTES)
    return dataset, file.tell()


def _elements(dataset):
    """Return the elements as they are in the object, wherever they are there.

    pydicom converts the character set at once.
    """
    elements = {
        tag: element._replace(value_tell=0) if isinstance(element, RawDataElement) else element
        for tag, element in ((tag, dataset.get_item(tag)) for tag in dataset.keys())  # noqa: SIM118
    }
    return elements | {CHARACTER_SET: dataset.get("SpecificCharacterSet")}


def _assert_as_by_pydicom(header, content):
    dataset, pixels_at = _by_pydicom(content)
    assert _elements(header.dataset) == _elements(dataset)
    assert header.transfer_syntax == dataset.file_meta.TransferSyntaxUID
    assert header.pixels_at == pixels_at


def _slice(**attributes):
    return slices(thorax(shape=(8, 6, 2)), **attributes)[0]


def _items(count, *, undefined):
    items = []
    for number in range(count):
        item = Dataset()
        item.CodeValue = f"code {number}"
        item.is_undefined_length_sequence_item = undefined
        items.append(item)
    return pydicom.Sequence(items)


def _with_sequence(keyword, *, undefined):
    dataset = _slice()
    inner, outer = _items(2, undefined=undefined), _items(2, undefined=undefined)
    inner.is_undefined_length = outer.is_undefined_length = undefined
    outer[1].ConceptCodeSequence = inner
    dataset[keyword] = pydicom.DataElement(keyword, "SQ", outer, is_undefined_length=undefined)
    return dataset


def _written(dataset, syntax=None):
    if syntax:
        dataset.file_meta.TransferSyntaxUID = syntax
    return file_bytes(dataset)


SEQUENCES = ("ReferencedImageSequence", "RadiopharmaceuticalInformationSequence")
"""One that nobody reads here, and one that is read."""


@pytest.mark.parametrize("syntax", [None, ImplicitVRLittleEndian], ids=["explicit", "implicit"])
@pytest.mark.parametrize("undefined", [False, True], ids=["lengths", "delimiters"])
@pytest.mark.parametrize("keyword", SEQUENCES)
def test_sequences_are_read_or_passed(syntax, undefined, keyword):
    content = _written(_with_sequence(keyword, undefined=undefined), syntax)

    header = usual_header(_entry(content), Limits(), Known())

    _assert_as_by_pydicom(header, content)
    assert (keyword in header.dataset) == (keyword == SEQUENCES[1])


def test_a_header_longer_than_what_is_inflated_first_is_read():
    dataset = _slice()
    dataset.add_new(0x00291010, "OB", bytes(200_000))
    content = _written(dataset)

    _assert_as_by_pydicom(usual_header(_entry(content), Limits(), Known()), content)


def test_an_object_without_pixels_ends_where_its_bytes_do():
    dataset = _slice()
    del dataset.PixelData
    content = _written(dataset)

    header = usual_header(_entry(content), Limits(), Known())

    assert header.pixels_at == len(content)
    _assert_as_by_pydicom(header, content)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(_written(_slice())[132:], id="without preamble"),
        pytest.param(_written(_slice())[:700], id="cut"),
    ],
)
def test_what_is_not_as_usual_is_left_to_pydicom(content):
    assert usual_header(_entry(content), Limits(), Known()) is None


def test_equal_values_are_converted_once_and_others_are_not_mixed_up():
    known = Known()
    contents = [_written(_slice(SeriesDescription="Thorax", InstanceNumber=n)) for n in (1, 2)]
    first, second = (usual_header(_entry(each), Limits(), known).dataset for each in contents)

    assert first.get("PixelSpacing") is second.get("PixelSpacing")
    assert [first.get("InstanceNumber"), second.get("InstanceNumber")] == [1, 2]


def test_a_text_in_another_character_set_is_another_text():
    known = Known()
    values = []
    for character_set in ("ISO_IR 100", "ISO_IR 144"):
        dataset = _slice()
        dataset.SpecificCharacterSet = character_set
        dataset.PatientID = "é" if character_set == "ISO_IR 100" else "щ"  # both one byte, 0xE9
        header = usual_header(_entry(_written(dataset)), Limits(), known)
        values.append(header.dataset.get("PatientID"))

    assert values == ["é", "щ"]


def test_what_objects_have_in_common_is_taken_over_and_what_differs_is_read():
    known = Known()
    study = slices(thorax(shape=(8, 6, 12)), PatientID="one")
    study += slices(thorax(shape=(8, 6, 12)), PatientID="another", ImageComments="and more")
    for position, dataset in enumerate([*study, *study[::2]]):
        dataset.InstanceNumber = 95 + position  # of two digits, and then of three
        content = _written(dataset)
        _assert_as_by_pydicom(usual_header(_entry(content), Limits(), known), content)


def test_an_object_that_is_cut_is_none_whatever_it_has_in_common():
    content = _written(_slice())
    at = content.index(b"\xe0\x7f\x10\x00")
    known = Known()
    for _ in range(3):
        assert usual_header(_entry(content), Limits(), known)

    for cut in range(at - 300, at):
        header = usual_header(_entry(content[:cut]), Limits(), known)
        alone = usual_header(_entry(content[:cut]), Limits(), Known())
        assert (header is None) == (alone is None)


def test_a_value_that_cannot_be_converted_is_refused_in_each_object():
    rows = b"\x28\x00\x10\x00US"
    content = _written(_slice()).replace(rows + b"\x02\x00", rows + b"\x03\x00\x01")
    known = Known()
    for _ in range(2):
        dataset = usual_header(_entry(content), Limits(), known).dataset
        with pytest.raises(BytesLengthException):
            dataset.get("Rows")


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_mutated_headers_are_read_as_by_pydicom_or_left_to_it():
    """Only what is passed by, and not read, may hold what pydicom stumbles over."""
    chance = np.random.default_rng(5)
    whole = [
        _written(_with_sequence(keyword, undefined=undefined), syntax)
        for keyword in SEQUENCES
        for undefined in (False, True)
        for syntax in (None, ImplicitVRLittleEndian)
    ]
    compared = 0
    known = Known()  # of an object before: what is like it is not walked over
    for number in range(3000):
        known = known if number % 10 else Known()
        content = bytearray(whole[chance.integers(len(whole))])
        for _ in range(chance.integers(1, 4)):
            value = chance.choice([0, 0xFF, 8, chance.integers(256)])
            content[chance.integers(132, len(content) - 96)] = value
        header = usual_header(_entry(bytes(content)), Limits(), known)
        if header is None:
            continue
        try:
            _assert_as_by_pydicom(header, bytes(content))
        except PYDICOM_FAILURES:
            continue
        compared += 1
    assert compared > 500


def test_real_headers_are_read_as_by_pydicom(shared_data):
    read = unusual = 0
    for file in sorted((shared_data / "dicom").glob("*.zip")):
        known = Known()
        for entry in open_archive(memoryview(file.read_bytes()), Limits()):
            header = usual_header(entry, Limits(), known)
            if header is None:
                unusual += 1
            else:
                _assert_as_by_pydicom(header, entry.read())
                read += 1
    assert read > 1400
    assert unusual < 60, unusual


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("1.5", (1.5,)),
        ("-2\\1e-3", (-2.0, 0.001)),
        ("0.70\\0.70 ", (0.7, 0.7)),
        ("1\\", None),
        ("wide", None),
        ("", None),
    ],
)
def test_plain_decimal_strings_are_read_without_pydicom_and_others_with_it(text, numbers):
    dataset = _slice()
    dataset["PixelSpacing"] = pydicom.DataElement("PixelSpacing", "LO", text)
    dataset["PixelSpacing"].VR = "DS"
    content = _written(dataset)

    header = usual_header(_entry(content), Limits(), Known())

    assert header.dataset.decimals("PixelSpacing") == numbers
    assert header.dataset.decimals("InstanceNumber") is None
