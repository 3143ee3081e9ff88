"""SUV: the public reference objects, and each rule by hand.

The phantom by hand: 70 kg, 350 MBq, slope 2; a half-life of 6600 s (F-18 within 1 %) and a scan
6600 s after the injection, so that f = 2 and SUVbw = 2 x 70 000 g x 2 / 350e6 Bq = 8e-4 a step.
"""

import gzip
import io
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
from pydicom.config import IGNORE
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRLittleEndian

from imaging.archive import Entry, Limits, open_archive
from imaging.attributes import ATTRIBUTES
from imaging.errors import InputError
from imaging.instances import Instance, read_instance
from imaging.suv.maps import PATH_CODES, suv_maps

REFERENCE_OBJECTS = Path(__file__).parents[2] / "shared/data/suv"

TRACER = {
    "Radiopharmaceutical": "FDG",
    "RadionuclideHalfLife": 6600,
    "RadionuclideTotalDose": 350e6,
    "RadiopharmaceuticalStartDateTime": "20250101100000",
}
SLICE = {
    "AcquisitionDate": "20250101",
    "AcquisitionTime": "115000",
    "ActualFrameDuration": 6_600_000,
    "CorrectedImage": ["ATTN", "DECY"],
    "DecayCorrection": "START",
    "FrameReferenceTime": 3_110_142,
    "Manufacturer": "SIEMENS",
    "PatientSex": "M",
    "PatientSize": 1.75,
    "PatientWeight": 70,
    "RescaleIntercept": 0,
    "RescaleSlope": 2,
    "SeriesDate": "20250101",
    "SeriesTime": "115000",
    "Units": "BQML",
}
SLOPE = 8e-4
UNDECAYED = 4e-4
LATER = 2**1.5 * UNDECAYED

GE = {0x00090010: ("LO", "GEMS_PETD_01")}
GE_SCAN = {0x0009100D: ("DT", "20250101124500")}  # 1.5 half-lives after the injection
GE_INJECTION = {0x0009103B: ("DT", "20250101100000.00")}
PHILIPS = {0x70530010: ("LO", "Philips PET Private Group"), 0x70531000: ("DS", "0.0005")}
PHILIPS_ACTIVITY = {0x70531009: ("DS", "0.5")}


def dataset(attributes):
    """Build a Dataset of keywords and private tags; None leaves out; nothing is validated."""
    built = pydicom.Dataset()
    for key, value in attributes.items():
        if isinstance(key, int):
            built.add(DataElement(key, *value, validation_mode=IGNORE))
        elif value is not None:
            tag = tag_for_keyword(key)
            built.add(DataElement(tag, dictionary_VR(tag), value, validation_mode=IGNORE))
    return built


def pet(changes=None, *, tracer=None, number=1):
    """Build one slice of the phantom, with some attributes changed."""
    item = dataset(TRACER | (tracer or {}))
    header = dataset(SLICE | {"RadiopharmaceuticalInformationSequence": [item]} | (changes or {}))
    return Instance(
        Entry(number, 0, memoryview(b""), False, 0, 0), header, ExplicitVRLittleEndian, 0
    )


def suv(*slices):
    maps = suv_maps(slices)
    assert set(maps.path) <= set(PATH_CODES)
    return maps


def by_time_only(time):
    return {"RadiopharmaceuticalStartDateTime": None, "RadiopharmaceuticalStartTime": time}


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("DRO_0_0", ()),
        ("DRO_1_0", ()),
        ("DRO_2_0", ("stored_suv_bw",)),
        ("DRO_2_1", ("stored_suv_lbmjames128",)),
        ("DRO_2_3", ("stored_suv_bsa",)),
        ("DRO_2_4", ("private_creator_absent", "philips_suv_factor")),
        ("DRO_2_5", ("private_creator_absent", "philips_activity_factor")),
        ("DRO_3_0", ("dose_in_mbq",)),
        ("DRO_3_1", ("decay_to_injection",)),
        ("DRO_3_3", ("private_creator_absent", "ge_decay_time")),
        ("DRO_3_4", ("decay_corrected_here",)),
        ("DRO_4_0", ()),
        ("DRO_4_2", ("injection_time_only", "injection_day_before")),
    ],
)
def test_a_reference_object_has_its_minimum_median_and_maximum(name, path):
    archive = REFERENCE_OBJECTS / f"{name}.zip"
    if not archive.exists():
        pytest.skip(f"the reference objects are not at {REFERENCE_OBJECTS}")
    slices, mask = read_reference_object(archive)

    maps = suv(*slices)

    assert maps.path == path
    assert maps.uptake_minutes == 60
    stored = np.stack([pixels(each) for each in slices], axis=-1)[mask]
    slopes = np.broadcast_to(maps.slopes, mask.shape)[mask]
    order = np.argsort(stored * slopes)
    for at, expected_suv in [(0, 0.20), (len(order) // 2, 1.00), (-1, 4.00)]:
        # The objects' values are cut to whole steps, not rounded: the middle of the step that
        # was cut off is half a step or less from the right value (0.04: their own rounding).
        middle_of_step = stored[order[at]] + 0.5
        assert abs(expected_suv / slopes[order[at]] - middle_of_step) <= 0.54


def read_reference_object(archive):
    """Return the slices from foot to head, and the mask indexed [row, column, slice]."""
    slices, masks = [], []
    for entry in open_archive(memoryview(archive.read_bytes()), Limits()):
        instance = read_instance(entry, Limits())
        if instance is None:
            image = nibabel.Nifti1Image.from_bytes(gzip.decompress(entry.read()))
            masks.append(np.asarray(image.dataobj).swapaxes(0, 1) > 0)
        elif instance.text("Modality") == "PT":
            slices.append(instance)
    return sorted(slices, key=lambda each: each.numbers("ImagePositionPatient", 3)[2]), masks[0]


def pixels(instance):
    return pydicom.dcmread(io.BytesIO(instance.entry.read())).pixel_array


def test_each_slice_has_its_own_slope_in_the_order_given():
    maps = suv(pet({"RescaleSlope": 3}), pet(), pet({"RescaleSlope": 1}))

    np.testing.assert_allclose(maps.slopes, [1.5 * SLOPE, SLOPE, 0.5 * SLOPE])
    assert maps.slopes.dtype == np.float64
    assert (maps.path, maps.uptake_minutes) == ((), 110)


def test_values_corrected_to_the_injection_need_no_times():
    no_times = dict.fromkeys(["AcquisitionTime", "SeriesTime"])
    maps = suv(pet(no_times | {"DecayCorrection": "ADMIN"}, tracer=by_time_only(None)))

    np.testing.assert_allclose(maps.slopes, [UNDECAYED])
    assert maps.path == ("decay_to_injection", "uptake_unknown")
    assert maps.uptake_minutes is None


def test_uncorrected_values_are_corrected_slice_by_slice():
    uncorrected = {"DecayCorrection": "NONE", "CorrectedImage": ["ATTN"]}
    maps = suv(pet(uncorrected), pet(uncorrected | {"AcquisitionTime": "134000"}))

    # A frame as long as the half-life: ln 2 / (1 - 1/2); then one and two half-lives of decay.
    np.testing.assert_allclose(maps.slopes, UNDECAYED * 1.38629436 * np.array([2, 4]))
    assert (maps.path, maps.uptake_minutes) == (("decay_corrected_here",), 110)


def test_decay_that_is_corrected_by_one_attribute_and_not_by_the_other_is_coded():
    assert "decay_contradictory" in suv(pet({"DecayCorrection": "NONE"})).path


@pytest.mark.parametrize("series_time", ["115001", None])
def test_the_reference_time_is_computed_without_a_series_time_before_the_scan(series_time):
    # 6600 s x log2(ln 2 / 0.5) = 3110.142 s: FrameReferenceTime says that the frame began at
    # the reference time, and the second one 600 s later.
    later = {"AcquisitionTime": "120000", "FrameReferenceTime": 3_710_142}
    slices = pet({"SeriesTime": series_time}), pet(later | {"SeriesTime": series_time})

    maps = suv(*slices)

    np.testing.assert_allclose(maps.slopes, [SLOPE, SLOPE], rtol=1e-6)
    assert maps.path == ("reference_time_computed",)


def test_the_series_time_counts_if_it_is_before_the_earliest_acquisition():
    maps = suv(pet({"AcquisitionTime": "120000"}), pet())

    np.testing.assert_allclose(maps.slopes, [SLOPE, SLOPE])


@pytest.mark.parametrize(
    ("private", "manufacturer", "slope", "path"),
    [
        pytest.param(GE | GE_SCAN, "SIEMENS", LATER, ("ge_decay_time",), id="signed by GE"),
        pytest.param(
            GE_SCAN,
            "GE MEDICAL SYSTEMS",
            LATER,
            ("private_creator_absent", "ge_decay_time"),
            id="made by GE",
        ),
        pytest.param(GE_SCAN, "SIEMENS", SLOPE, (), id="neither"),
        pytest.param(
            GE_SCAN | {0x00090010: ("LO", "GEMS_IDEN_01")},
            "GE MEDICAL SYSTEMS",
            SLOPE,
            (),
            id="signed by another creator",
        ),
    ],
)
def test_the_private_scan_time_of_ge_counts_where_it_is_known_to_be_one(
    private, manufacturer, slope, path
):
    maps = suv(pet(private | {"Manufacturer": manufacturer}))

    np.testing.assert_allclose(maps.slopes, [slope])
    assert maps.path == path


@pytest.mark.parametrize(
    ("changes", "tracer", "path"),
    [
        pytest.param({}, by_time_only("100000"), ("injection_time_only",), id="time only"),
        pytest.param({}, {"RadiopharmaceuticalStartTime": "090000"}, (), id="date-time first"),
        pytest.param(GE | GE_INJECTION, by_time_only(None), ("ge_injection_time",), id="GE"),
        pytest.param(
            {"AcquisitionTime": "003000", "SeriesTime": "003000"},
            by_time_only("224000"),
            ("injection_time_only", "injection_day_before"),
            id="before midnight",
        ),
        pytest.param(
            {"AcquisitionTime": "115000.25", "SeriesTime": "115000.250000"},
            {"RadiopharmaceuticalStartDateTime": "20250101100000.25"},
            (),
            id="fractions of a second",
        ),
        pytest.param(
            {"TimezoneOffsetFromUTC": "-0430"},
            {"RadiopharmaceuticalStartDateTime": "20250101153000+0100"},
            (),
            id="another time zone",
        ),
        pytest.param({"TimezoneOffsetFromUTC": "+0900"}, {}, (), id="one time zone for all"),
        pytest.param(
            {},
            {"RadiopharmaceuticalStartDateTime": "20250101100000+0100"},
            ("utc_offset_ignored",),
            id="a time zone on one side only",
        ),
        pytest.param(
            {},
            {"RadiopharmaceuticalStartDateTime": "20240229100000"},
            ("dates_ignored",),
            id="dates that were changed apart",
        ),
        pytest.param(
            {},
            {"RadiopharmaceuticalStartDateTime": "20250701100000"},
            ("dates_ignored",),
            id="dates that were changed the other way",
        ),
        pytest.param(
            {"AcquisitionDate": "00010101", "SeriesDate": "00010101"},
            by_time_only("1000"),
            ("injection_time_only",),
            id="dates that were removed",
        ),
        pytest.param(
            {"AcquisitionTime": None, "AcquisitionDateTime": "20250101115000"},
            {},
            (),
            id="acquisition as one attribute",
        ),
        pytest.param(
            {
                "AcquisitionDate": "20250104",
                "AcquisitionTime": "162400",
                "SeriesDate": "20250104",
                "SeriesTime": "162400",
            },
            {"RadionuclideHalfLife": 282_240, "Radiopharmaceutical": "Zr-89"},  # 3 d 6 h 24 min
            (),
            id="a tracer of days",
        ),
    ],
)
def test_injection_and_scan_are_one_half_life_apart(changes, tracer, path):
    maps = suv(pet(changes, tracer=tracer))

    np.testing.assert_allclose(maps.slopes, [SLOPE])
    assert maps.path == path


def test_a_scan_across_midnight_takes_the_injection_on_the_day_it_began():
    dated = {"SeriesTime": "235000"}
    first = pet(dated | {"AcquisitionTime": "235000"}, tracer=by_time_only("220000"))
    second = pet(
        dated | {"AcquisitionDate": "20250102", "AcquisitionTime": "000500"},
        tracer=by_time_only("220000"),
    )

    maps = suv(second, first)

    np.testing.assert_allclose(maps.slopes, [SLOPE, SLOPE])
    assert maps.path == ("injection_time_only",)


@pytest.mark.parametrize(
    ("injected", "name", "is_unusual"),
    [
        ("112000", "FDG", False),
        ("112001", "Fluorodeoxyglucose F^18^", True),
        ("085000", "FDG", False),
        ("084959", "18F-FDG", True),
        ("112001", "PSMA-1007", False),
    ],
)
def test_an_uptake_of_fdg_outside_30_to_180_minutes_is_coded(injected, name, is_unusual):
    tracer = {
        "Radiopharmaceutical": name,
        "RadiopharmaceuticalStartDateTime": f"20250101{injected}",
    }

    assert ("uptake_unusual" in suv(pet(tracer=tracer)).path) is is_unusual


def test_fdg_is_also_known_by_its_code():
    code = {"Radiopharmaceutical": None, "RadiopharmaceuticalStartDateTime": "20250101114900"}
    coded = {"RadiopharmaceuticalCodeSequence": [dataset({"CodeValue": "C-B1031"})]}

    assert suv(pet(tracer=code)).path == ()
    assert suv(pet(tracer=code | coded)).path == ("uptake_unusual",)


def test_weight_above_1000_is_in_grams():
    np.testing.assert_allclose(suv(pet({"PatientWeight": 1000})).slopes, [SLOPE * 1000 / 70])
    maps = suv(pet({"PatientWeight": 70_000}))

    np.testing.assert_allclose(maps.slopes, [SLOPE])
    assert maps.path == ("weight_in_grams",)


@pytest.mark.parametrize(
    "nuclide",
    [
        pytest.param({}, id="by half-life"),
        pytest.param(
            {
                "RadionuclideHalfLife": None,
                "RadionuclideCodeSequence": [dataset({"CodeValue": "77004003"})],
            },
            id="by code",
        ),
    ],
)
def test_a_dose_of_f18_below_10000_is_in_mbq(nuclide):
    maps = suv(pet({"DecayCorrection": "ADMIN"}, tracer=nuclide | {"RadionuclideTotalDose": 350}))

    np.testing.assert_allclose(maps.slopes, [UNDECAYED])
    assert "dose_in_mbq" in maps.path


@pytest.mark.parametrize("suv_type", [None, "BW"])
def test_stored_suv_by_weight_is_only_rescaled(suv_type):
    needless = dict.fromkeys(["PatientWeight", "PatientSex", "PatientSize"])
    maps = suv(pet(needless | {"Units": "GML", "SUVType": suv_type}))

    np.testing.assert_allclose(maps.slopes, [2])
    assert (maps.path, maps.uptake_minutes) == (("stored_suv_bw",), 110)


def test_stored_suv_needs_no_tracer_and_says_if_decay_was_left_in():
    uncorrected = {"Units": "GML", "DecayCorrection": "NONE", "CorrectedImage": "ATTN"}
    maps = suv(pet(uncorrected | {"RadiopharmaceuticalInformationSequence": None}))

    np.testing.assert_allclose(maps.slopes, [2])
    assert maps.path == ("stored_suv_bw", "suv_without_decay", "uptake_unknown")


@pytest.mark.parametrize(
    ("suv_type", "sex", "body_mass_kg"),
    [
        # 80 kg and 160 cm: (W/H)^2 = 0.25, BMI = 31.25.
        ("LBM", "M", 88 - 120 * 0.25),
        ("LBM", "F", 85.6 - 148 * 0.25),
        ("LBM", "O", 53.3),
        ("LBMJAMES128", "M", 88 - 128 * 0.25),
        ("LBMJAMES128", "F", 85.6 - 148 * 0.25),
        ("LBMJANMA", "M", 741_600 / 13_430),
        ("LBMJANMA", "F", 741_600 / 16_405),
        ("IBW", "M", 56.48),
        ("IBW", "F", 52.78),
        ("IBW", "O", 54.63),
    ],
)
def test_stored_suv_by_another_mass_is_multiplied_by_weight_over_that_mass(
    suv_type, sex, body_mass_kg
):
    patient = {"PatientWeight": 80, "PatientSize": 1.6, "PatientSex": sex}
    maps = suv(pet(patient | {"Units": "GML", "SUVType": suv_type}))

    np.testing.assert_allclose(maps.slopes, [2 * 80 / body_mass_kg])
    stored = f"stored_suv_{suv_type.lower()}"
    assert maps.path == (("sex_other_mean", stored) if sex == "O" else (stored,))


@pytest.mark.parametrize("suv_type", [None, "BSA"])
def test_stored_suv_by_body_surface_is_multiplied_by_weight_over_that_surface(suv_type):
    maps = suv(pet({"Units": "CM2ML", "SUVType": suv_type, "PatientSex": None}))

    # 18481.43 cm2: Du Bois for 70 kg and 175 cm, from MITK's mitkSUVNormalizationStrategyTest.
    np.testing.assert_allclose(maps.slopes, [2 * 70_000 / 18_481.43], rtol=1e-6)
    assert maps.path == ("stored_suv_bsa",)


UNKNOWN_FACTOR = {0x70531000: ("DS", "0.0")}


@pytest.mark.parametrize(
    ("changes", "slope", "path"),
    [
        pytest.param(PHILIPS, 2 * 0.0005, ("philips_suv_factor",), id="SUV"),
        pytest.param(
            PHILIPS | PHILIPS_ACTIVITY, 2 * 0.0005, ("philips_suv_factor",), id="SUV first"
        ),
        pytest.param(
            PHILIPS | UNKNOWN_FACTOR | PHILIPS_ACTIVITY,
            SLOPE * 0.5,
            ("philips_activity_factor",),
            id="activity where SUV is 0",
        ),
        pytest.param(
            PHILIPS | PHILIPS_ACTIVITY | {"DecayCorrection": "NONE", "CorrectedImage": "ATTN"},
            SLOPE * 0.5 * 1.38629436,
            ("philips_activity_factor", "decay_corrected_here"),
            id="activity where decay was not corrected",
        ),
        pytest.param(
            {0x70531000: ("UN", b"0.0005\0"), "Manufacturer": "Philips Medical Systems"},
            2 * 0.0005,
            ("private_creator_absent", "philips_suv_factor"),
            id="of unknown VR",
        ),
        pytest.param(
            UNKNOWN_FACTOR | PHILIPS_ACTIVITY | {"Manufacturer": "Philips"},
            SLOPE * 0.5,
            ("private_creator_absent", "philips_activity_factor"),
            id="both unsigned, coded once",
        ),
    ],
)
def test_counts_are_scaled_by_the_factors_of_philips(changes, slope, path):
    maps = suv(pet({"Units": "CNTS"} | changes))

    np.testing.assert_allclose(maps.slopes, [slope])
    assert maps.path == path


REFUSED_HEADERS = [
    ({"Units": None}, "entry 1 has no Units"),
    ({"Units": "PROPCPS"}, "Units is none of BQML, CNTS, GML and CM2ML"),
    ({"Units": "PROPCNTS"}, "Units is none of"),
    ({"Units": "1CM"}, "Units is none of"),
    ({"Units": "CPS"}, "Units is none of"),
    ({"Units": "CNTS"}, r"\(7053,1000\) SUV Scale Factor nor \(7053,1009\)"),
    (PHILIPS | {"Units": "CNTS", 0x70530010: ("LO", "SPI")}, "Units is CNTS"),
    (PHILIPS | {"Units": "CNTS", 0x70531000: ("DS", "-7.5")}, "SUV Scale Factor is not above 0"),
    (PHILIPS | {"Units": "CNTS", 0x70531000: ("LO", "7.5?")}, "SUV Scale Factor is not a number"),
    ({"RescaleSlope": None, "RescaleIntercept": None}, "no RescaleSlope, no RescaleIntercept"),
    ({"RescaleSlope": 0}, "entry 1 has a RescaleSlope that is not above 0"),
    ({"RescaleIntercept": -7.5}, "entry 1 has a RescaleIntercept other than 0"),
    ({"CorrectedImage": None}, "entry 1 has no CorrectedImage"),
    ({"CorrectedImage": ["DECY", "SCAT"]}, "CorrectedImage does not hold ATTN"),
    ({"CorrectedImage": ["ATTN", "SCAT"]}, "CorrectedImage does not hold DECY"),
    ({"PatientWeight": None, "DecayCorrection": None}, "no PatientWeight, no DecayCorrection"),
    ({"PatientWeight": 0}, "PatientWeight that is not above 0"),
    ({"PatientWeight": -7.5}, "PatientWeight that is not above 0"),
    ({"PatientWeight": "nan"}, "PatientWeight that cannot be used"),
    ({"DecayCorrection": "STOP"}, "DecayCorrection is absent or none of START, ADMIN and NONE"),
    ({"RadiopharmaceuticalInformationSequence": None}, "no RadiopharmaceuticalInformationSequ"),
    (
        {"RadiopharmaceuticalInformationSequence": [dataset(TRACER), dataset(TRACER)]},
        "2 items in RadiopharmaceuticalInformationSequence",
    ),
    ({"AcquisitionDate": None, "AcquisitionTime": None}, "no AcquisitionDate, no AcquisitionT"),
    ({"AcquisitionDate": "20250230"}, "AcquisitionDate that cannot be used"),
    ({"AcquisitionDate": "2025.1.1"}, "AcquisitionDate that cannot be used"),
    ({"AcquisitionTime": "240000"}, "AcquisitionTime that cannot be used"),
    ({"AcquisitionTime": "11"}, "AcquisitionTime that cannot be used"),
    ({"SeriesTime": "11:50:00"}, "SeriesTime that cannot be used"),
    ({"TimezoneOffsetFromUTC": "CET"}, "TimezoneOffsetFromUTC that cannot be used"),
    (GE | {0x0009100D: ("DT", "yesterday")}, r"\(0009,100D\) PET scan_datetime that cannot"),
    (GE | {0x0009100D: ("DT", "20250101095959")}, "scan_datetime is before Radiopharmaceutic"),
    ({"SeriesTime": "115001", "FrameReferenceTime": None}, "entry 1 has no FrameReferenceTime"),
    ({"SeriesTime": "115001", "ActualFrameDuration": None}, "entry 1 has no ActualFrameDuration"),
    ({"DecayCorrection": "NONE", "ActualFrameDuration": 0}, "ActualFrameDuration that is not"),
    ({"SeriesTime": "095959"}, "SeriesTime is before RadiopharmaceuticalStartDateTime"),
    ({"Units": "GML", "SUVType": "BSA"}, "SUVType does not fit Units"),
    ({"Units": "CM2ML", "SUVType": "BW"}, "SUVType does not fit Units"),
    ({"Units": "GML", "SUVType": "LEAN"}, "SUVType is none of BW, BSA, LBM"),
    (
        {"Units": "GML", "SUVType": "IBW", "PatientSize": None, "PatientSex": None},
        "entry 1 has no PatientSize, no PatientSex",
    ),
    ({"Units": "GML", "SUVType": "LBM", "PatientSex": "X"}, "PatientSex is none of M, F and O"),
    ({"Units": "CM2ML", "PatientSize": 175}, "PatientSize is not a height in metres"),
    ({"Units": "CM2ML", "PatientSize": 0}, "PatientSize that is not above 0"),
    ({"Units": "GML", "SUVType": "IBW", "PatientSize": 1.0}, "do not give a body mass"),
]

REFUSED_TRACERS = [
    ({"RadionuclideTotalDose": None}, "no RadionuclideTotalDose"),
    ({"RadionuclideTotalDose": 0}, "RadionuclideTotalDose that is not above 0"),
    (
        {"RadionuclideTotalDose": 150, "RadionuclideHalfLife": 4057},
        "RadionuclideTotalDose is too small to be in Bq",
    ),
    ({"RadionuclideHalfLife": None}, "no RadionuclideHalfLife"),
    ({"RadionuclideHalfLife": -7.5}, "RadionuclideHalfLife that is not above 0"),
    ({"RadionuclideHalfLife": 110}, "SeriesTime is more than 20 times RadionuclideHalfLife"),
    (by_time_only(None), "no RadiopharmaceuticalStartDateTime, no RadiopharmaceuticalStartT"),
    (by_time_only("10:00"), "RadiopharmaceuticalStartTime that cannot be used"),
    ({"RadiopharmaceuticalStartDateTime": "20250101"}, "StartDateTime that cannot be used"),
    ({"RadiopharmaceuticalStartDateTime": "20250101100000+9900"}, "cannot be used"),
    (
        {"RadionuclideHalfLife": 282_240, "RadiopharmaceuticalStartDateTime": "20250601100000"},
        "SeriesTime is before RadiopharmaceuticalStartDateTime",
    ),
]


@pytest.mark.parametrize(
    ("changes", "tracer", "sentence"),
    [(changes, {}, sentence) for changes, sentence in REFUSED_HEADERS]
    + [({}, tracer, sentence) for tracer, sentence in REFUSED_TRACERS],
)
def test_what_makes_suv_impossible_is_named_without_its_value(changes, tracer, sentence):
    with pytest.raises(InputError, match=sentence) as refused:
        suv_maps([pet(changes, tracer=tracer)])

    assert refused.value.code == "suv_impossible"
    for value in ("7.5", "175", "2025", "1001", "115", "yesterday", "CET"):
        text = str(refused.value).replace("7053,1009", "").replace("0009,100D", "")
        assert value not in text


def test_the_entry_that_lacks_an_attribute_is_named():
    with pytest.raises(InputError, match="entry 9 has no RescaleSlope"):
        suv_maps([pet(), pet({"RescaleSlope": None}, number=9)])


@pytest.mark.parametrize(
    ("changes", "tracer", "keyword"),
    [
        ({"Units": "GML"}, {}, "Units"),
        ({"PatientWeight": 71}, {}, "PatientWeight"),
        ({"DecayCorrection": "NONE"}, {}, "DecayCorrection"),
        ({"CorrectedImage": ["ATTN"]}, {}, "CorrectedImage"),
        ({"SeriesTime": "114900"}, {}, "SeriesTime"),
        ({}, {"RadionuclideTotalDose": 351e6}, "RadionuclideTotalDose"),
        ({}, {"RadiopharmaceuticalStartDateTime": "20250101100001"}, "RadiopharmaceuticalStart"),
    ],
)
def test_what_holds_for_the_series_is_the_same_in_all_instances(changes, tracer, keyword):
    with pytest.raises(InputError, match=f"{keyword}.* is not the same in all instances"):
        suv_maps([pet(), pet(changes, tracer=tracer)])


def test_a_private_time_that_some_instances_lack_is_refused():
    with pytest.raises(InputError, match="scan_datetime is missing in some of the instances"):
        suv_maps([pet(GE | GE_SCAN), pet(GE)])


def test_every_attribute_of_the_phantom_is_read_from_files():
    needed = set(SLICE) | {"RadiopharmaceuticalInformationSequence"}
    assert {Tag(keyword) for keyword in needed} <= set(ATTRIBUTES)
    assert {*GE, *GE_SCAN, *GE_INJECTION, *PHILIPS, *PHILIPS_ACTIVITY} <= set(ATTRIBUTES)
