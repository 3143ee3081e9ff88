"""SUV of enhanced and legacy converted PET: the rules of classic objects, told in other words.

The phantom by hand: 70 kg, 350 MBq, slope 2; a half-life of 6600 s and decay corrected to 6600 s
after the injection, so that f = 2 and SUVbw = 2 x 70 000 g x 2 / 350e6 Bq = 8e-4 a step.
"""

import io

import numpy as np
import pydicom
import pytest
from phantoms import slices, thorax, zip_of
from pydicom.uid import EnhancedPETImageStorage
from test_frames import converted
from test_stacks import enhanced
from test_suv import (
    GE,
    GE_SCAN,
    REFERENCE_OBJECTS,
    SLICE,
    SLOPE,
    TRACER,
    UNDECAYED,
    by_time_only,
    dataset,
    pixels,
    read_reference_object,
    suv,
)

from imaging.archive import Limits
from imaging.errors import InputError
from imaging.quantities import network_quantity, stored_quantity
from imaging.stacks.objects import slices_of
from imaging.study import Study
from imaging.suv.maps import suv_maps

LEGACY_CONVERTED_PET = "1.2.840.10008.5.1.4.1.1.128.1"

SMALL = thorax(shape=(4, 5, 3))

OBJECT = {
    "AttenuationCorrected": "YES",
    "DecayCorrected": "YES",
    "DecayCorrectionDateTime": "20250101115000",
    "PatientSex": "M",
    "PatientSize": 1.75,
    "PatientWeight": 70,
}
CONTENT = {
    "FrameAcquisitionDateTime": "20250101115000",
    "FrameAcquisitionDuration": 6_600_000.0,
    "FrameReferenceDateTime": "20250101123000",
}
ACTIVITY = "Bq/ml"


def real_world(code=ACTIVITY, slope=2.0, intercept=0.0, **more):
    """A map to a unit; None leaves out."""
    units = None if code is None else [dataset({"CodeValue": code})]
    values = {"RealWorldValueSlope": slope, "RealWorldValueIntercept": intercept}
    return dataset(values | {"MeasurementUnitsCodeSequence": units} | more)


def group(content=None, maps=None, rescale=None):
    """An item of functional groups; a frame has its own or those that all share."""
    return dataset(
        {
            "FrameContentSequence": [dataset(content)] if content else None,
            "PixelValueTransformationSequence": [dataset(rescale)] if rescale else None,
            "RealWorldValueMappingSequence": maps,
        }
    )


def pet(
    changes=None, *, tracer=None, content=None, maps=None, rescale=None, per_frame=None, frames=3
):
    """The frames of an enhanced object, from its file; by default its map is that of all frames.

    per_frame: functional groups of a frame by its number.
    """
    whole = enhanced(slices(SMALL, Modality="PT")[:frames], sop_class=EnhancedPETImageStorage)
    item = dataset(TRACER | (tracer or {}))
    whole.update(
        dataset(OBJECT | {"RadiopharmaceuticalInformationSequence": [item]} | (changes or {}))
    )
    shared = group(maps=[real_world()] if maps is None else maps)
    whole.SharedFunctionalGroupsSequence[0].update(shared)
    for number, own in enumerate(whole.PerFrameFunctionalGroupsSequence):
        del own.PixelValueTransformationSequence
        own.update(group(CONTENT | (content or {}), rescale=rescale))
        own.update(per_frame(number) if per_frame else {})
    return frames_of_file(whole)


def frames_of_file(*objects):
    (series,) = Study.from_zip(memoryview(zip_of(*objects)), Limits()).series
    return slices_of(series.instances)


def test_activity_is_divided_by_the_dose_that_is_left():
    maps = suv(*pet())

    np.testing.assert_allclose(maps.slopes, [SLOPE] * 3)
    assert (maps.path, maps.uptake_minutes) == ((), 110)


def test_the_network_gets_suv():
    quantity = network_quantity("PT", pet())

    assert (quantity.unit, quantity.notes, quantity.uptake_minutes) == ("SUVbw", (), 110)
    np.testing.assert_allclose(quantity.of(np.array([[100]]), 1), [[0.08]])


def test_each_frame_has_its_own_slope():
    frames = pet(maps=[], per_frame=lambda number: group(maps=[real_world(slope=2.0 + number)]))

    np.testing.assert_allclose(suv(*frames).slopes, SLOPE * np.array([1, 1.5, 2]))


def test_decay_is_counted_to_where_it_was_corrected_and_uptake_to_the_scan():
    maps = suv(*pet({"DecayCorrectionDateTime": "20250101100000"}))

    np.testing.assert_allclose(maps.slopes, [UNDECAYED] * 3)
    assert (maps.path, maps.uptake_minutes) == (("decay_to_injection",), 110)


def test_a_decay_time_after_the_scan_counts_and_is_coded():
    maps = suv(*pet({"DecayCorrectionDateTime": "20250101134000"}))

    np.testing.assert_allclose(maps.slopes, [2 * SLOPE] * 3)
    assert maps.path == ("decay_time_after_scan",)


def test_frames_need_no_time_where_decay_was_corrected():
    maps = suv(*pet(content={"FrameAcquisitionDateTime": None}))

    np.testing.assert_allclose(maps.slopes, [SLOPE] * 3)
    assert maps.path == ("uptake_unknown",)


def test_uncorrected_frames_are_corrected_by_their_own_times():
    def own(number):
        starts = ("20250101115000", "20250101134000", "20250101153000")
        return group(CONTENT | {"FrameAcquisitionDateTime": starts[number]})

    maps = suv(*pet({"DecayCorrected": "NO", "DecayCorrectionDateTime": None}, per_frame=own))

    # A frame as long as the half-life: ln 2 / (1 - 1/2); then one, two and three half-lives.
    np.testing.assert_allclose(maps.slopes, UNDECAYED * 1.38629436 * np.array([2, 4, 8]))
    assert (maps.path, maps.uptake_minutes) == (("decay_corrected_here",), 110)


def test_the_time_of_a_frame_counts_before_one_of_the_object():
    dated = {"AcquisitionDate": "20250101", "AcquisitionTime": "170000"}

    assert suv(*pet(dated | {"AcquisitionDateTime": "20250101180000"})).uptake_minutes == 110


@pytest.mark.parametrize(
    ("tracer", "content", "path"),
    [
        (by_time_only("100000"), {}, ("injection_time_only",)),
        (
            by_time_only("224000"),
            {"FrameAcquisitionDateTime": "20250101003000"},
            ("injection_time_only", "injection_day_before"),
        ),
        ({"RadionuclideTotalDose": 350}, {}, ("dose_in_mbq",)),
        ({"RadiopharmaceuticalStartDateTime": "20250101100000+0100"}, {}, ("utc_offset_ignored",)),
        ({"RadiopharmaceuticalStartDateTime": "20240701100000"}, {}, ("dates_ignored",)),
    ],
)
def test_what_is_unusual_of_tracer_and_weight_is_put_right_as_in_classic_objects(
    tracer, content, path
):
    decayed_to = content.get("FrameAcquisitionDateTime", OBJECT["DecayCorrectionDateTime"])
    changes = {"PatientWeight": 70_000, "DecayCorrectionDateTime": decayed_to}

    maps = suv(*pet(changes, tracer=tracer, content=content))

    np.testing.assert_allclose(maps.slopes, [SLOPE] * 3)
    assert maps.path == ("weight_in_grams", *path)


@pytest.mark.parametrize(
    ("code", "factor", "path"),
    [
        ("g/ml{SUVbw}", 1, ("stored_suv_bw",)),
        ("{SUVbw}g/ml", 1, ("stored_suv_bw",)),
        ("g/mL{SUVbw}", 1, ("stored_suv_bw",)),
        ("g/ml", 1, ("suv_type_absent", "stored_suv_bw")),
        # 80 kg and 160 cm: (W/H)^2 = 0.25, BMI = 31.25.
        ("g/ml{SUVlbm}", 80 / (88 - 120 * 0.25), ("stored_suv_lbm",)),
        ("g/ml{SUVlbm(James128)}", 80 / (88 - 128 * 0.25), ("stored_suv_lbmjames128",)),
        ("{SUVlbm(Janma)}g/ml", 80 / (741_600 / 13_430), ("stored_suv_lbmjanma",)),
        ("g/ml{SUVibw}", 80 / 56.48, ("stored_suv_ibw",)),
        # Du Bois: 0.007184 x 160^0.725 x 80^0.425 = 1.83301727 m2
        ("cm2/ml{SUVbsa}", 80_000 / 18_330.1727, ("stored_suv_bsa",)),
        ("{SUVbsa}cm2/ml", 80_000 / 18_330.1727, ("stored_suv_bsa",)),
        ("cm2/ml", 80_000 / 18_330.1727, ("suv_type_absent", "stored_suv_bsa")),
    ],
)
def test_stored_suv_of_any_kind_becomes_suv_by_weight(code, factor, path):
    maps = suv(*pet({"PatientWeight": 80, "PatientSize": 1.6}, maps=[real_world(code)]))

    np.testing.assert_allclose(maps.slopes, [2 * factor] * 3, rtol=1e-6)
    assert maps.path == path


def test_stored_suv_needs_no_decay_time_and_says_if_decay_was_left_in():
    changes = {"DecayCorrected": "NO", "DecayCorrectionDateTime": None}

    maps = suv(*pet(changes, maps=[real_world("g/ml{SUVbw}")]))

    assert maps.path == ("stored_suv_bw", "suv_without_decay")


def test_a_map_to_a_unit_that_is_no_activity_is_passed_over():
    frames = pet(maps=[real_world("{counts}", 5.0), real_world(None, 7.0), real_world()])

    np.testing.assert_allclose(suv(*frames).slopes, [SLOPE] * 3)


@pytest.mark.parametrize(
    ("slope", "intercept", "path"),
    [
        (2.0, 0.0, ()),
        (2.0000001, 0.0, ()),
        (3.0, 0.0, ("rescale_contradictory",)),
        (2.0, 5.0, ("rescale_contradictory",)),
    ],
)
def test_the_map_to_a_unit_counts_before_another_rescaling(slope, intercept, path):
    maps = suv(*pet(rescale={"RescaleSlope": slope, "RescaleIntercept": intercept}))

    np.testing.assert_allclose(maps.slopes, [SLOPE] * 3)
    assert maps.path == path


TABLE = {"RealWorldValueLUTData": [7.5, 8.5]}

REFUSED_OBJECTS = [
    ({"AttenuationCorrected": None, "DecayCorrected": None}, "AttenuationCorrected, no DecayCorr"),
    ({"AttenuationCorrected": "NO"}, "AttenuationCorrected is not YES"),
    ({"DecayCorrected": "MAYBE"}, "DecayCorrected is neither YES nor NO"),
    ({"DecayCorrectionDateTime": None}, "no DecayCorrectionDateTime"),
    ({"DecayCorrectionDateTime": "20250101"}, "DecayCorrectionDateTime that cannot be used"),
    ({"DecayCorrectionDateTime": "20250101095959"}, "DecayCorrectionDateTime is before Radio"),
    ({"PatientWeight": None}, "no PatientWeight"),
    ({"PatientWeight": 0}, "PatientWeight that is not above 0"),
    ({"RadiopharmaceuticalInformationSequence": None}, "no RadiopharmaceuticalInformationSeq"),
    ({"RadiopharmaceuticalInformationSequence": [dataset(TRACER)] * 2}, "2 items in Radiopharm"),
]
REFUSED_TRACERS = [
    ({"RadionuclideTotalDose": None}, "no RadionuclideTotalDose"),
    ({"RadionuclideHalfLife": None}, "no RadionuclideHalfLife"),
    ({"RadionuclideHalfLife": 110}, "DecayCorrectionDateTime is more than 20 times"),
    (by_time_only(None), "no RadiopharmaceuticalStartDateTime"),
]
REFUSED_CONTENTS = [
    ({"FrameAcquisitionDateTime": None}, "no FrameAcquisitionDateTime"),
    ({"FrameAcquisitionDateTime": "75"}, "FrameAcquisitionDateTime that cannot be used"),
    ({"FrameAcquisitionDateTime": "20250101095959"}, "FrameAcquisitionDateTime is before"),
    ({"FrameAcquisitionDuration": None}, "no FrameAcquisitionDuration"),
    ({"FrameAcquisitionDuration": 0.0}, "FrameAcquisitionDuration that is not above 0"),
]
REFUSED_MAPS = [
    ([], "frames without RealWorldValueMappingSequence"),
    ([real_world(None)], "frames without MeasurementUnitsCodeSequence"),
    ([real_world("{counts}")], "MeasurementUnitsCodeSequence is neither Bq/ml nor"),
    ([real_world("g/ml{SUVxyz}")], "MeasurementUnitsCodeSequence is neither"),
    ([real_world("kBq/ml")], "MeasurementUnitsCodeSequence is neither"),
    ([real_world(intercept=7.5)], "RealWorldValueIntercept other than 0"),
    ([real_world(slope=-7.5)], "RealWorldValueSlope that is not above 0"),
    ([real_world(slope=None)], "no RealWorldValueSlope"),
    ([real_world(intercept=None)], "no RealWorldValueIntercept"),
    ([real_world(slope=None, intercept=None, **TABLE)], "values by RealWorldValueLUTData"),
]
UNCORRECTED = {"DecayCorrected": "NO"}


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [({"changes": changes}, sentence) for changes, sentence in REFUSED_OBJECTS]
    + [({"tracer": tracer}, sentence) for tracer, sentence in REFUSED_TRACERS]
    + [({"maps": maps}, sentence) for maps, sentence in REFUSED_MAPS]
    + [
        ({"content": content, "changes": UNCORRECTED}, sentence)
        for content, sentence in REFUSED_CONTENTS
    ],
)
def test_what_makes_suv_impossible_is_named_without_its_value(parts, sentence):
    with pytest.raises(InputError, match=sentence) as refused:
        suv_maps(pet(**parts))

    assert refused.value.code == "suv_impossible"
    for value in ("7.5", "75", "2025", "0959", "MAYBE", "xyz"):
        assert value not in str(refused.value)


def test_frames_of_two_units_are_refused():
    frames = pet(
        maps=[],
        per_frame=lambda number: group(maps=[real_world(("Bq/ml", "g/ml{SUVbw}")[number % 2])]),
    )

    with pytest.raises(InputError, match="MeasurementUnitsCodeSequence is not the same"):
        suv_maps(frames)


def test_objects_of_one_series_that_contradict_each_other_are_refused():
    with pytest.raises(InputError, match="AttenuationCorrected is not the same in all instances"):
        suv_maps([*pet(), *pet({"AttenuationCorrected": "NO"})])


# What dicom_to_nifti says of it


@pytest.mark.parametrize(
    ("maps", "rescale", "unit", "slope", "intercept"),
    [
        ([real_world("g/ml{SUVbw}", 2.0, 1.0)], None, "g/ml{SUVbw}", 2, 1),
        ([real_world()], {"RescaleSlope": 2, "RescaleIntercept": 0}, "Bq/ml", 2, 0),
        ([real_world()], {"RescaleSlope": 3, "RescaleIntercept": 0}, "unknown", 3, 0),
        ([real_world()], {"RescaleSlope": 2, "RescaleIntercept": 1}, "unknown", 2, 1),
        ([real_world(None)], {"RescaleSlope": 3, "RescaleIntercept": 1}, "unknown", 3, 1),
        ([], {"RescaleSlope": 3, "RescaleIntercept": 1}, "unknown", 3, 1),
        ([], None, "unknown", 1, 0),
    ],
)
def test_the_unit_is_that_of_the_map_where_it_gives_the_values(
    maps, rescale, unit, slope, intercept
):
    quantity = stored_quantity("PT", pet(maps=maps, rescale=rescale))

    assert quantity.unit == unit
    np.testing.assert_allclose(quantity.slopes, [slope] * 3)
    np.testing.assert_allclose(quantity.intercepts, [intercept] * 3)


def test_stored_values_of_two_units_are_refused():
    frames = pet(
        maps=[], per_frame=lambda number: group(maps=[real_world(("Bq/ml", "g/ml")[number % 2])])
    )

    with pytest.raises(InputError, match="^bad_attribute: its slices are in 2 different units"):
        stored_quantity("PT", frames)


# Legacy converted objects


def legacy(changes=None, tracer=None, private=None):
    """The phantom of classic objects, converted: what its slices share, and each one's own."""
    own = ("AcquisitionDate", "AcquisitionTime", "ActualFrameDuration", "FrameReferenceTime")
    values = SLICE | (changes or {})
    of_slice = {keyword: values[keyword] for keyword in own}
    in_groups = ("RescaleSlope", "RescaleIntercept")
    of_all = {k: v for k, v in values.items() if k not in (*own, *in_groups)}
    item = dataset(TRACER | (tracer or {}))
    whole = converted(
        slices(SMALL, Modality="PT"),
        sop_class=LEGACY_CONVERTED_PET,
        shared=dataset(of_all | {"RadiopharmaceuticalInformationSequence": [item]}),
        per_frame=lambda _: dataset(of_slice | (private or {})),
    )
    for each in whole.PerFrameFunctionalGroupsSequence:
        rescale = {keyword: values[keyword] for keyword in in_groups}
        each.PixelValueTransformationSequence = [dataset(rescale)]
    return frames_of_file(whole)


@pytest.mark.parametrize(
    ("parts", "slope", "path"),
    [
        ({}, SLOPE, ()),
        (
            {"changes": {"DecayCorrection": "NONE", "CorrectedImage": "ATTN"}},
            SLOPE * 1.38629436,
            ("decay_corrected_here",),
        ),
        ({"changes": {"Units": "GML"}}, 2, ("stored_suv_bw",)),
        ({"changes": {"SeriesTime": "115001"}}, SLOPE, ("reference_time_computed",)),
        ({"private": GE | GE_SCAN}, 2**0.5 * SLOPE, ("ge_decay_time",)),
        ({"tracer": {"RadionuclideTotalDose": 350}}, SLOPE, ("dose_in_mbq",)),
    ],
)
def test_a_converted_object_is_read_by_the_rules_of_its_classic_ones(parts, slope, path):
    maps = suv(*legacy(**parts))

    np.testing.assert_allclose(maps.slopes, [slope] * 3, rtol=1e-6)
    assert maps.path == path


def test_a_converted_object_keeps_its_unit():
    assert stored_quantity("PT", legacy()).unit == "BQML"


def test_a_converted_object_without_the_attributes_is_refused_by_their_names():
    whole = enhanced(slices(SMALL, Modality="PT"), sop_class=LEGACY_CONVERTED_PET)

    with pytest.raises(InputError, match="^suv_impossible: .* no Units, no CorrectedImage"):
        suv_maps(frames_of_file(whole))


# The reference objects, told as enhanced and as converted ones

CODES = {"BQML": "Bq/ml", "GML": "g/ml{SUVbw}", "CM2ML": "cm2/ml{SUVbsa}"}


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("DRO_0_0", ()),
        ("DRO_1_0", ()),
        ("DRO_2_0", ("stored_suv_bw",)),
        ("DRO_2_1", ("stored_suv_lbmjames128",)),
        ("DRO_2_3", ("stored_suv_bsa",)),
        ("DRO_2_4", ("stored_suv_bw",)),
        ("DRO_2_5", ()),
        ("DRO_3_0", ("dose_in_mbq",)),
        ("DRO_3_1", ("decay_to_injection",)),
        ("DRO_3_3", ()),
        ("DRO_3_4", ("decay_corrected_here",)),
        ("DRO_4_0", ()),
        ("DRO_4_2", ("injection_time_only", "injection_day_before")),
    ],
)
def test_a_reference_object_told_as_an_enhanced_one_has_the_same_suv(name, path):
    objects, stored, mask = reference_object(name)

    maps = suv(*frames_of_file(retold(objects)))

    # The decay time of 3_3 is GE's private one, half an hour before the acquisition.
    assert (maps.path, maps.uptake_minutes) == (path, 90 if name == "DRO_3_3" else 60)
    assert_minimum_median_and_maximum(stored, maps.slopes, mask)


@pytest.mark.parametrize("name", [f"DRO_{n}" for n in ("0_0", "2_1", "2_4", "3_3", "3_4", "4_2")])
def test_a_reference_object_that_was_converted_has_the_same_slopes_and_path(name):
    objects, stored, mask = reference_object(name)
    classic = suv(*read_reference_object(REFERENCE_OBJECTS / f"{name}.zip")[0])

    maps = suv(*frames_of_file(converted_whole(objects)))

    assert (maps.path, maps.uptake_minutes) == (classic.path, classic.uptake_minutes)
    np.testing.assert_allclose(maps.slopes, classic.slopes)
    assert_minimum_median_and_maximum(stored, maps.slopes, mask)


def reference_object(name):
    """Return its slices from foot to head as datasets, their stored numbers, and the mask."""
    archive = REFERENCE_OBJECTS / f"{name}.zip"
    if not archive.exists():
        pytest.skip(f"the reference objects are not at {REFERENCE_OBJECTS}")
    found, mask = read_reference_object(archive)
    objects = [pydicom.dcmread(io.BytesIO(each.entry.read())) for each in found]
    return objects, np.stack([pixels(each) for each in found], axis=-1), mask


def assert_minimum_median_and_maximum(stored, slopes, mask):
    """The objects' values are cut to whole steps: see test_suv.py."""
    stored, slopes = stored[mask], np.broadcast_to(slopes, mask.shape)[mask]
    order = np.argsort(stored * slopes)
    for at, expected_suv in [(0, 0.20), (len(order) // 2, 1.00), (-1, 4.00)]:
        middle_of_step = stored[order[at]] + 0.5
        assert abs(expected_suv / slopes[order[at]] - middle_of_step) <= 0.54


def retold(objects):
    """An enhanced object of what classic ones say, without any of their own words for it."""
    first = objects[0]
    kept = ("PatientWeight", "PatientSize", "PatientSex", "RadiopharmaceuticalInformationSequence")
    whole = enhanced(bare(objects), sop_class=EnhancedPETImageStorage)
    for keyword in kept:
        whole[keyword] = first[keyword]
    whole.AttenuationCorrected = "YES"
    whole.DecayCorrected = "NO" if first.DecayCorrection == "NONE" else "YES"
    if first.DecayCorrection == "ADMIN":
        (item,) = first.RadiopharmaceuticalInformationSequence
        whole.DecayCorrectionDateTime = item.RadiopharmaceuticalStartDateTime
    elif first.DecayCorrection == "START":
        ge_time = first.get(0x0009100D)
        whole.DecayCorrectionDateTime = (
            str(ge_time.value) if ge_time else first.SeriesDate + first.SeriesTime
        )
    for each, own in zip(objects, whole.PerFrameFunctionalGroupsSequence, strict=True):
        del own.PixelValueTransformationSequence
        content = {
            "FrameAcquisitionDateTime": each.AcquisitionDate + each.AcquisitionTime,
            "FrameAcquisitionDuration": float(each.ActualFrameDuration),
        }
        own.update(group(content, maps=[retold_map(each)]))
    return whole


def retold_map(each):
    """The map of a slice: of Philips' counts, that to SUV or activity by a private factor."""
    slope = float(each.RescaleSlope)
    if each.Units == "CNTS":
        to_suv = float(each[0x70531000].value) if 0x70531000 in each else 0.0
        if to_suv:
            return real_world("g/ml{SUVbw}", slope * to_suv)
        return real_world("Bq/ml", slope * float(each[0x70531009].value))
    if each.get("SUVType") == "LBMJAMES128":
        return real_world("g/ml{SUVlbm(James128)}", slope)
    return real_world(CODES[each.Units], slope)


def bare(objects):
    """The slices with their pixels and places alone."""
    kept = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "PixelData")
    kept += ("RescaleSlope", "RescaleIntercept", "Rows", "Columns", "Modality", "PatientID")
    kept += ("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "SamplesPerPixel")
    kept += ("PhotometricInterpretation", "StudyInstanceUID", "SeriesInstanceUID")
    return [with_file_meta(each, kept) for each in objects]


def with_file_meta(each, kept):
    built = pydicom.Dataset()
    built.file_meta = each.file_meta
    for keyword in kept:
        if keyword in each:
            built[keyword] = each[keyword]
    return built


def converted_whole(objects):
    """A legacy converted object: all other attributes are a frame's own."""
    known = {element.keyword for element in bare(objects)[0]} | {"SOPClassUID", "SOPInstanceUID"}

    def rest(number):
        built = pydicom.Dataset()
        for element in objects[number]:
            if element.keyword not in known and element.tag.group > 2:
                built.add(element)
        return built

    return converted(
        bare(objects), sop_class=LEGACY_CONVERTED_PET, shared=pydicom.Dataset(), per_frame=rest
    )
