"""Floating-point pixels and parametric maps: values by their maps to a unit, or refused by name."""

import gzip
import io

import highdicom as hd
import nibabel as nib
import numpy as np
import pydicom
import pytest
from phantoms import AXIAL, CORONAL, file_bytes, slices, thorax, zip_of
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    EnhancedCTImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MRImageStorage,
    ParametricMapStorage,
)
from test_network_input import PARAMETERS
from test_stacks import enhanced

from imaging.archive import Limits
from imaging.errors import InputError
from imaging.options import Options
from imaging.preprocess import feature_inputs, nifti_files
from imaging.recipe import Recipe

SMALL = thorax(shape=(4, 5, 3))

PIXELS = {4: "FloatPixelData", 8: "DoubleFloatPixelData"}

SYNTAXES = [
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
]


def with_floats(objects, values, kind="f4"):
    """Classic objects whose pixels are floating-point; values: [slice, row, column]."""
    values = np.broadcast_to(values, (len(objects), objects[0].Rows, objects[0].Columns))
    for each, plane in zip(objects, values, strict=True):
        order = ">" if each.file_meta.TransferSyntaxUID == ExplicitVRBigEndian else "<"
        del each.PixelData, each.BitsStored, each.HighBit, each.PixelRepresentation
        each.BitsAllocated = 8 * np.dtype(kind).itemsize
        setattr(each, PIXELS[np.dtype(kind).itemsize], plane.astype(f"{order}{kind}").tobytes())
    return objects


def mapped(code="mm2/s", slope=0.5, intercept=3.0, **more):
    item = Dataset()
    if slope is not None:
        item.RealWorldValueSlope, item.RealWorldValueIntercept = slope, intercept
    for keyword, value in more.items():
        setattr(item, keyword, value)
    if code is not None:
        unit = Dataset()
        unit.CodeValue, unit.CodingSchemeDesignator, unit.CodeMeaning = code, "UCUM", "hush"
        item.MeasurementUnitsCodeSequence = Sequence([unit])
    return Sequence([item])


def parametric_map(values, kind="f4", *, maps=None, modality="MR", orientation=AXIAL, **attributes):
    """A map of these values, [frame, row, column]; `maps`: of all frames, one each, or none."""
    objects = slices(SMALL, orientation, Modality=modality)
    whole = enhanced(objects, sop_class=ParametricMapStorage, **attributes)
    for group in whole.PerFrameFunctionalGroupsSequence:
        del group.PixelValueTransformationSequence
    values = np.asarray(values)
    whole.BitsAllocated = 8 * np.dtype(kind).itemsize
    if kind[0] == "f":
        del whole.PixelData, whole.BitsStored, whole.HighBit, whole.PixelRepresentation
        setattr(whole, PIXELS[np.dtype(kind).itemsize], values.astype(f"<{kind}").tobytes())
    else:
        whole.PixelRepresentation = int(kind[0] == "i")
        whole.PixelData = values.astype(f"<{kind}").tobytes()
    if maps is not None:
        whole.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence = maps
    return whole


def ramp(shape=(3, 5, 4)):
    """Fractions that float32 holds, no two alike."""
    return np.arange(np.prod(shape), dtype=float).reshape(shape) / 8 - 2


def converted(*objects):
    """The voxels, [slice, row, column] as they were stored, and the label."""
    answer = nifti_files(memoryview(zip_of(*objects)), options=Options(), limits=Limits())
    image = nib.Nifti1Image.from_bytes(gzip.decompress(answer.files[0]))
    return np.asarray(image.dataobj).T, answer.labels[0]


def features(*objects, modality="MR", **parameters):
    return feature_inputs(
        memoryview(zip_of(*objects)),
        recipe=Recipe.from_parameters(PARAMETERS | {"trained_modalities": modality} | parameters),
        options=Options(preview=False),
        limits=Limits(),
    )


@pytest.mark.parametrize("kind", ["f4", "f8"])
@pytest.mark.parametrize("syntax", SYNTAXES)
def test_classic_slices_of_floats_are_rescaled(syntax, kind):
    objects = slices(SMALL, syntax=syntax, RescaleSlope=2, RescaleIntercept=-1024)

    voxels, label = converted(*with_floats(objects, ramp(), kind))

    np.testing.assert_array_equal(voxels, 2 * ramp() - 1024)
    assert (voxels.dtype, label["unit"]) == (np.float32, "HU")


def test_whole_values_of_floats_stay_floats():
    voxels, _ = converted(*with_floats(slices(SMALL), np.full((3, 5, 4), 7.0)))

    assert voxels.dtype == np.float32


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_whole_numbers_of_32_bits_are_still_whole(syntax):
    objects = slices(SMALL, syntax=syntax, BitsAllocated=32, BitsStored=32, HighBit=31)
    for each in objects:
        order = ">" if syntax == ExplicitVRBigEndian else "<"
        each.PixelData = np.arange(20, dtype=f"{order}u4").tobytes()

    voxels, _ = converted(*objects)

    np.testing.assert_array_equal(voxels[1].ravel(), np.arange(20) - 1024)


@pytest.mark.parametrize("kind", ["f4", "f8", "u2", "i2"])
def test_a_parametric_map_has_the_values_and_the_unit_of_its_map(kind):
    stored = 8 * ramp() + (16 if kind == "u2" else 0)
    stored = stored if kind[0] in "ui" else ramp()

    voxels, label = converted(parametric_map(stored, kind, maps=mapped()))

    np.testing.assert_array_equal(voxels, 0.5 * stored + 3)
    assert voxels.dtype == np.float32
    assert (label["unit"], label["modality"]) == ("mm2/s", "MR")


def test_frames_lie_where_their_functional_groups_say():
    stored = np.arange(60).reshape(5, 3, 4)  # five coronal frames, from the front to the back

    whole = parametric_map(stored, maps=mapped(slope=1, intercept=0), orientation=CORONAL)
    answer = nifti_files(memoryview(zip_of(whole)), options=Options(), limits=Limits())

    image = nib.Nifti1Image.from_bytes(gzip.decompress(answer.files[0]))
    found = nib.as_closest_canonical(image).get_fdata()
    # To the right, to the front and to the head: columns run left, frames back, rows down.
    np.testing.assert_array_equal(found, stored.transpose(2, 0, 1)[::-1, ::-1, ::-1])


def test_each_frame_may_have_its_own_map():
    whole = parametric_map(ramp(), maps=mapped(slope=9.0))
    for number, group in enumerate(whole.PerFrameFunctionalGroupsSequence[:2]):
        group.RealWorldValueMappingSequence = mapped(slope=1.0 + number, intercept=0.25)

    voxels, _ = converted(whole)

    np.testing.assert_array_equal(voxels[0], ramp()[0] + 0.25)
    np.testing.assert_array_equal(voxels[1], 2 * ramp()[1] + 0.25)
    np.testing.assert_array_equal(voxels[2], 9 * ramp()[2] + 3)


def test_a_map_of_the_whole_object_counts_where_frames_have_none():
    voxels, label = converted(parametric_map(ramp(), RealWorldValueMappingSequence=mapped()))

    np.testing.assert_array_equal(voxels, 0.5 * ramp() + 3)
    assert label["unit"] == "mm2/s"


def test_the_first_map_with_a_unit_counts():
    maps = Sequence([*mapped(None, 7.0), *mapped(), *mapped("ms", 8.0)])

    voxels, label = converted(parametric_map(ramp(), maps=maps))

    np.testing.assert_array_equal(voxels, 0.5 * ramp() + 3)
    assert label["unit"] == "mm2/s"


def test_the_map_counts_before_a_rescaling():
    objects = slices(SMALL, RescaleSlope=5, RescaleIntercept=5)
    for each in objects:
        each.RealWorldValueMappingSequence = mapped("[hnsf'U]", 2.0, -1000.0)

    voxels, label = converted(*with_floats(objects, ramp()))

    np.testing.assert_array_equal(voxels, 2 * ramp() - 1000)
    assert label["unit"] == "HU"


def test_floats_of_an_enhanced_image_are_mapped_frame_by_frame():
    whole = enhanced(slices(SMALL), sop_class=EnhancedCTImageStorage)
    del whole.PixelData
    whole.BitsAllocated, whole.FloatPixelData = 32, ramp().astype("<f4").tobytes()
    for number, group in enumerate(whole.PerFrameFunctionalGroupsSequence):
        group.RealWorldValueMappingSequence = mapped("[hnsf'U]", 1.0 + number, -1000.0)

    voxels, label = converted(whole)

    wanted = ramp() * np.arange(1, 4)[:, None, None] - 1000
    np.testing.assert_array_equal(voxels, wanted)
    assert label["unit"] == "HU"


def test_floats_without_a_map_are_as_stored_but_of_ct():
    objects = slices(SMALL, SOPClassUID=MRImageStorage, Modality="MR")
    for each in objects:
        del each.RescaleSlope, each.RescaleIntercept

    voxels, label = converted(*with_floats(objects, ramp()))

    np.testing.assert_array_equal(voxels, ramp())
    assert label["unit"] == "arbitrary"
    with pytest.raises(InputError, match="^missing_attribute: .* entry 1 has no RescaleSlope"):
        converted(parametric_map(ramp(), modality="CT"))


@pytest.mark.parametrize("kind", ["f4", "f8", "u2"])
def test_the_maps_that_highdicom_writes_are_read(kind):
    sources = [as_source(each) for each in slices(SMALL, Modality="MR")]
    unit = hd.sr.CodedConcept("mm2/s", "UCUM", "square millimetre per second")
    stored = (8 * ramp() + 16 if kind == "u2" else ramp()).astype(kind)
    value_range = (0, 1000) if kind == "u2" else (-1000.0, 1000.0)

    whole = hd.pm.ParametricMap(
        sources,
        stored,
        series_instance_uid=hd.UID(),
        series_number=2,
        sop_instance_uid=hd.UID(),
        instance_number=1,
        manufacturer="ACME",
        manufacturer_model_name="none",
        software_versions="1",
        device_serial_number="1",
        contains_recognizable_visual_features=False,
        real_world_value_mappings=[
            hd.pm.RealWorldValueMapping("ADC", "hush", unit, value_range, slope=0.5, intercept=3.0)
        ],
        voi_lut_transformations=[hd.VOILUTTransformation(window_center=0.0, window_width=10.0)],
    )
    whole.Modality = "MR"  # highdicom writes OT, of which nothing is read

    voxels, label = converted(file_of(whole))

    np.testing.assert_array_equal(voxels, 0.5 * stored + 3)
    assert (label["unit"], label["shape"], label["voxel_mm"]) == (
        "mm2/s",
        [4, 5, 3],
        [2.5, 1.75, 4.0],
    )


def as_source(each):
    """What highdicom needs of a source image beside the phantom's attributes."""
    each.SOPClassUID = MRImageStorage
    needed = ("PatientName", "PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID")
    needed += ("StudyDate", "StudyTime", "ReferringPhysicianName", "PositionReferenceIndicator")
    for keyword in needed:
        setattr(each, keyword, "")
    each.SliceThickness = 4.0
    each.SpacingBetweenSlices = 4.0
    return each


def file_of(dataset):
    content = io.BytesIO()
    pydicom.dcmwrite(content, dataset, enforce_file_format=True)
    return content.getvalue()


# To the network


def test_a_map_of_mr_goes_to_the_network_as_mr_does():
    values = np.linspace(1, 2, 60).reshape(3, 5, 4)
    image_type = ["DERIVED", "PRIMARY", "PERFUSION", "NONE"]
    whole = parametric_map(values, maps=mapped("/min"), ImageType=image_type)

    (label,) = features(whole).labels

    assert (label["unit"], label["modality"]) == ("/min", "MR")


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({}, "no intensity window for MR_ADC"),
        ({"window_MR_ADC": "0,3 ms"}, "window is in ms, the image in mm2/s"),
    ],
)
def test_a_map_of_diffusion_is_never_scaled_by_itself(parameters, reason):
    values = np.linspace(1, 2, 60).reshape(3, 5, 4)
    whole = parametric_map(values, maps=mapped(), ImageType=["DERIVED", "PRIMARY", "ADC", "NONE"])

    with pytest.raises(InputError, match=f"^no_window: .*{reason}"):
        features(whole, **parameters)


def test_a_map_of_diffusion_has_a_window_in_its_unit():
    """The stored values, of 16 bits, are twice what the map of the classic slices makes of them."""
    attributes = {"ImageType": ["DERIVED", "PRIMARY", "DIFFUSION", "ADC"], "RescaleIntercept": 0}
    objects = slices(SMALL, SOPClassUID=MRImageStorage, Modality="MR", **attributes)
    for each in objects:
        each.RealWorldValueMappingSequence = mapped(slope=0.5, intercept=0.0)
        each.PixelData = np.full(each.Rows * each.Columns, 1500, "<u2").tobytes()

    rows = features(*objects, window_MR_ADC="0,3000 mm2/s")

    assert (rows.labels[0]["unit"], rows.labels[0]["window"]) == ("mm2/s", [0, 3000])
    np.testing.assert_allclose(rows.volumes[0], 0.25)


def test_a_map_of_ct_goes_to_the_network_in_hounsfield_units_only():
    maps = mapped("[hnsf'U]", 1, -1000)
    in_hu = parametric_map(ramp(), maps=maps, modality="CT")
    of_iodine = parametric_map(ramp(), maps=mapped("mg/ml"), modality="CT")

    assert features(in_hu, modality="CT").labels[0]["unit"] == "HU"
    assert converted(of_iodine)[1]["unit"] == "mg/ml"
    with pytest.raises(InputError, match="^unsupported_object: .* no Hounsfield units"):
        features(of_iodine, modality="CT")


def test_a_map_of_pet_needs_what_enhanced_pet_does():
    whole = parametric_map(ramp(), maps=mapped("g/ml{SUVbw}"), modality="PT")

    assert converted(whole)[1]["unit"] == "g/ml{SUVbw}"
    with pytest.raises(InputError, match="^suv_impossible: .* no AttenuationCorrected"):
        features(whole, modality="PT", window_PT="0,20 SUVbw")


def test_a_map_of_pet_that_says_what_suv_needs_goes_to_the_network():
    corrected = {"AttenuationCorrected": "YES", "DecayCorrected": "YES"}
    maps = mapped("g/ml{SUVbw}", 2.0, 0.0)
    whole = parametric_map(ramp(), maps=maps, modality="PT", **corrected)

    (label,) = features(whole, modality="PT", window_PT="0,20 SUVbw").labels

    assert (label["unit"], label["unit_notes"]) == ("SUVbw", ["stored_suv_bw", "uptake_unknown"])


# Padding


PADDED = [
    pytest.param(-7.5, None, [-7.5], id="a number"),
    pytest.param(np.nan, None, [np.nan], id="not a number"),
    pytest.param(-np.inf, None, [-np.inf], id="infinite"),
    pytest.param(-1e30, -100.0, [-1e30, -100.0, -5e5], id="a range"),
    pytest.param(-100.0, -1e30, [-1e30, -100.0, -5e5], id="a range downwards"),
    pytest.param(np.float32(0.1), None, [np.float32(0.1)], id="rounded"),
]


@pytest.mark.parametrize("kind", ["f4", "f8"])
@pytest.mark.parametrize(("value", "limit", "padding"), PADDED)
def test_padding_is_air_in_ct_and_nothing_in_mr(value, limit, padding, kind):
    prefix = {"f4": "Float", "f8": "DoubleFloat"}[kind]
    stated = {f"{prefix}PixelPaddingValue": float(value)}
    if limit is not None:
        stated[f"{prefix}PixelPaddingRangeLimit"] = limit
    stored = ramp()
    stored[1].flat[: len(padding)] = padding

    for modality, code, outside in (("CT", "[hnsf'U]", -1000), ("MR", "ms", 0)):
        whole = parametric_map(stored, kind, maps=mapped(code), modality=modality, **stated)
        voxels, _ = converted(whole)

        wanted = 0.5 * ramp() + 3
        wanted[1].flat[: len(padding)] = outside
        np.testing.assert_array_equal(voxels, wanted)


@pytest.mark.parametrize("lost", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("stated", [{}, {"FloatPixelPaddingValue": -7.5}])
def test_pixels_that_are_no_numbers_are_refused_with_their_count(lost, stated):
    stored = ramp()
    stored[1, 2:4, 3] = lost

    with pytest.raises(InputError, match="^bad_pixels: .* entry 1 has 2 pixels that are infinite"):
        converted(parametric_map(stored, maps=mapped(), **stated))


def test_padding_of_the_other_type_is_none():
    stored = ramp()
    stored[0, 0, 0] = np.nan

    with pytest.raises(InputError, match="^bad_pixels: .* 1 pixels"):
        converted(parametric_map(stored, maps=mapped(), DoubleFloatPixelPaddingValue=np.nan))


@pytest.mark.parametrize(("kind", "slope"), [("f8", 1.0), ("u2", 1e300), ("f8", 1e300)])
def test_values_beyond_float32_are_refused_with_their_count(kind, slope):
    stored = np.ones((3, 5, 4))
    stored[1, 0, :3] = {"u2": 60_000, "f8": 1e300}[kind]
    wanted = "slice 2 has 3 values" if slope == 1 else "slice 1 has 20 values"

    with pytest.raises(InputError, match=f"^bad_pixels: .* {wanted} .* too large for float32"):
        converted(parametric_map(stored, kind, maps=mapped(slope=slope)))


# Refusals


def test_a_map_that_is_a_table_is_refused_by_name():
    maps = mapped(slope=None, RealWorldValueLUTData=[7.5, 8.5])

    with pytest.raises(InputError, match="^unsupported_pixels: .* values by RealWorldValueLUTDa"):
        converted(parametric_map(ramp(), maps=maps))


@pytest.mark.parametrize(
    ("maps", "sentence"),
    [
        (mapped(None), "RealWorldValueMappingSequence without MeasurementUnitsCodeSequence"),
        (mapped(slope=None), "entry 1 has no RealWorldValueSlope"),
    ],
)
def test_a_map_that_lacks_something_is_refused(maps, sentence):
    with pytest.raises(InputError, match=f"^missing_attribute: .* {sentence}"):
        converted(parametric_map(ramp(), maps=maps))


@pytest.mark.parametrize(("kind", "bits"), [("f4", 64), ("f8", 32), ("f4", 16), ("f8", 16)])
def test_bits_that_do_not_fit_floats_are_refused(kind, bits):
    whole = parametric_map(ramp(), kind, maps=mapped())
    whole.BitsAllocated = bits

    with pytest.raises(InputError, match="^unsupported_pixels: .* do not fit its BitsAllocated"):
        converted(whole)


def test_whole_numbers_of_64_bits_are_refused():
    objects = slices(SMALL, BitsAllocated=64, BitsStored=64)

    with pytest.raises(InputError, match="^unsupported_pixels: .* entry 1 has 64 bits a pixel"):
        converted(*objects)


def test_frames_that_are_missing_are_refused():
    whole = parametric_map(ramp()[:2], maps=mapped())

    with pytest.raises(InputError, match="^bad_pixels: .* 160 bytes of pixels; .* need 240"):
        converted(whole)


def test_several_floats_a_pixel_are_refused():
    with pytest.raises(InputError, match="^unsupported_pixels: .* 3 values a pixel"):
        converted(parametric_map(ramp(), maps=mapped(), SamplesPerPixel=3))


def test_floats_in_a_compressed_syntax_are_refused():
    objects = with_floats(slices(SMALL), ramp())
    contents = [
        file_bytes(each).replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0")  # RLE
        for each in objects
    ]

    with pytest.raises(InputError, match="^unsupported_pixels: .* in a compressed syntax"):
        converted(*contents)


def test_a_parametric_map_of_another_modality_is_no_image():
    with pytest.raises(InputError, match="^no_images: "):
        converted(parametric_map(ramp(), modality="OP", maps=mapped()))


def test_a_parametric_map_of_another_modality_is_named_beside_images():
    whole = parametric_map(ramp(), modality="OP", maps=mapped())
    content = memoryview(zip_of(whole, *slices(SMALL)))

    report = nifti_files(content, options=Options(), limits=Limits()).report

    (skipped,) = (each for each in report["series"] if each["code"])
    assert skipped["code"] == "unsupported_object"
    assert "a parametric map of another modality" in skipped["reason"]
