"""Volumes of one series are told apart by time, and none is made of the slices of several."""

import numpy as np
import pytest
from phantoms import AXIAL, Phantom, slices, thorax
from pydicom.uid import EnhancedCTImageStorage
from test_stacks import ONE, SMALL, brighter, enhanced, expected, mosaic, mr, names, nifti, numbered
from test_stacks import stack_of as volume_of

from imaging.errors import InputError

PT = {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.128", "Modality": "PT", "Units": "BQML"}


def flat(times):
    return numbered([each for time in times for each in time])


def assert_unmixed(rows, times):
    """Each volume is that of its time point, by its name."""
    assert names(rows) == [f"time {time} of {times}" for time in range(1, times + 1)]
    for time, name in enumerate(names(rows)):
        np.testing.assert_array_equal(volume_of(rows, name), expected(SMALL) + 100 * time)


@pytest.mark.parametrize("keyword", ["TemporalPositionIdentifier", "AcquisitionNumber"])
@pytest.mark.parametrize("lost", [0, 2, 3])
def test_a_lost_slice_costs_its_own_time_point_and_shifts_no_other(keyword, lost):
    times = [mr(brighter(SMALL, 100 * time), **{keyword: time + 1}) for time in range(4)]
    objects = flat(times)
    objects.remove(times[lost][2])

    rows = nifti(*objects)

    kept = [time for time in range(4) if time != lost]
    assert names(rows) == [f"time {time + 1} of 4" for time in kept]
    for time in kept:
        found = volume_of(rows, f"time {time + 1} of 4")
        np.testing.assert_array_equal(found, expected(SMALL) + 100 * time)
    skipped = [each for each in rows.report["series"] if each["code"]]
    assert [(each["stack"], each["code"]) for each in skipped] == [
        (f"time {lost + 1} of 4", "incomplete_stack")
    ]


def test_numbers_alone_do_not_tell_which_time_point_has_lost_a_slice():
    objects = flat([mr(SMALL) for _ in range(3)])

    with pytest.raises(InputError, match="^same_position: .* some places have 2, others 3 slices"):
        nifti(*objects[:8], *objects[9:])


def test_objects_of_one_number_are_copies_and_no_time():
    with pytest.raises(InputError, match=r"^same_position: .* \(entries 1 and 7\) "):
        nifti(*numbered(mr(SMALL)), *numbered(mr(SMALL)))


def test_a_lost_slice_of_one_echo_is_a_gap_of_that_echo():
    tall = thorax(shape=(8, 9, 20))
    echoes = [mr(brighter(tall, 100 * echo), EchoTime=5.0 * echo) for echo in (1, 2, 3)]
    objects = flat(echoes)
    objects.remove(echoes[1][7])

    rows = nifti(*objects)

    assert names(rows) == ["echo 1", "echo 2", "echo 3"]
    for echo in (1, 3):
        found = volume_of(rows, f"echo {echo}")
        np.testing.assert_array_equal(found, expected(tall) + 100 * echo)
    assert "GAPS_INTERPOLATED" in {each["code"] for each in rows.labels[1]["quality"]}


@pytest.mark.parametrize("modality", [{}, PT], ids=["CT", "PT"])
def test_slices_acquired_one_after_the_other_are_time_points_by_their_turn(modality):
    times = [slices(brighter(SMALL, 100 * time), **(ONE | modality)) for time in range(3)]
    for time, volume in enumerate(times):
        for k, each in enumerate(volume):
            each.AcquisitionTime = f"1010{10 * time + k:02d}.5"

    assert_unmixed(nifti(*reversed(flat(times))), 3)


def test_beds_of_a_dynamic_scan_are_joined_to_passes():
    times = [slices(brighter(SMALL, 100 * time), **(ONE | PT)) for time in range(3)]
    for time, volume in enumerate(times):
        for k, each in enumerate(volume):
            each.FrameReferenceTime = 100000 * time + 20000 * (k // 3)

    assert_unmixed(nifti(*flat(times)), 3)


def test_time_goes_on_past_midnight():
    moments = [("20250101", "235950"), ("20250102", "000010"), ("20250102", "000030")]
    times = [
        slices(brighter(SMALL, 100 * time), **ONE, AcquisitionDate=date, AcquisitionTime=at)
        for time, (date, at) in enumerate(moments)
    ]

    assert_unmixed(nifti(*flat(times)), 3)


@pytest.mark.parametrize("apart_mm", [0.002, 0.03])
def test_time_points_whose_positions_are_rounded_apart_share_their_places(apart_mm):
    times = [mr(brighter(SMALL, 100 * time), AcquisitionNumber=time + 1) for time in range(3)]
    for time, volume in enumerate(times):
        for each in volume:
            each.SliceThickness = 4
            x, y, z = map(float, each.ImagePositionPatient)
            each.ImagePositionPatient = [x, y, z + apart_mm * time]

    assert_unmixed(nifti(*flat(times)), 3)


def test_each_mosaic_is_a_volume_however_the_head_moved():
    pictures = [
        mosaic(mr(brighter(SMALL, 100 * time), AcquisitionNumber=time + 1)) for time in range(3)
    ]
    for time, picture in enumerate(pictures):
        x, y, z = map(float, picture.ImagePositionPatient)
        picture.ImagePositionPatient = [x, y + 0.2 * time, z + 0.7 * time]

    rows = nifti(*numbered(pictures))

    assert_unmixed(rows, 3)


@pytest.mark.parametrize(
    ("creator", "element"),
    [
        ((0x00190010, "SIEMENS MR HEADER"), lambda b: (0x0019100C, "IS", str(b))),
        ((0x00430010, "GEMS_PARM_01"), lambda b: (0x00431039, "IS", [1000000000 + b, 8, 0, 0])),
        ((0x00430010, "GEMS_PARM_01"), lambda b: (0x00431039, "UN", b"%d\\8\\0\\0" % b)),
        ((0x20010010, "Philips Imaging DD 001"), lambda b: (0x20011003, "FL", float(b))),
    ],
    ids=["Siemens", "GE", "GE as bytes", "Philips"],
)
def test_b_values_are_read_where_makers_keep_them(creator, element):
    volumes = [mr(brighter(SMALL, b)) for b in (0, 500, 1000)]
    for b, volume in zip((0, 500, 1000), volumes, strict=True):
        for each in volume:
            each.add_new(creator[0], "LO", creator[1])
            each.add_new(*element(b))

    rows = nifti(*reversed(flat(volumes)))

    assert names(rows) == ["b-value 0", "b-value 500", "b-value 1000"]
    np.testing.assert_array_equal(volume_of(rows, "b-value 500"), expected(SMALL) + 500)


@pytest.mark.parametrize(
    ("first", "second", "named"),
    [
        ({"KVP": "80"}, {"KVP": "140"}, ["80 kV", "140 kV"]),
        (
            {"NominalPercentageOfCardiacPhase": 40.0},
            {"NominalPercentageOfCardiacPhase": 75.0},
            ["phase 40 %", "phase 75 %"],
        ),
        (
            {"NominalPercentageOfRespiratoryPhase": 0.0},
            {"NominalPercentageOfRespiratoryPhase": 50.0},
            ["breath 0 %", "breath 50 %"],
        ),
    ],
    ids=["tube voltage", "cardiac phase", "respiratory phase"],
)
def test_reconstructions_of_a_ct_are_parted_by_what_they_say(first, second, named):
    other = brighter(SMALL, 7)

    rows = nifti(*slices(SMALL, **ONE, **first), *slices(other, **ONE, **second))

    assert names(rows) == named
    np.testing.assert_array_equal(volume_of(rows, named[1]), expected(other))


def test_thick_and_thin_slices_of_one_series_are_two_volumes():
    thin = thorax(shape=(8, 9, 24), spacing_mm=(2.0, 2.0, 1.25))
    thick = Phantom(thin.voxels[:, :, ::4], (2.0, 2.0, 5.0), thin.origin_mm)
    objects = [
        *slices(thin, **ONE, SliceThickness=1.25),
        *slices(thick, **ONE, SliceThickness=5),
    ]

    rows = nifti(*objects)

    assert names(rows) == ["slices of 1.25 mm", "slices of 5 mm"]
    np.testing.assert_array_equal(volume_of(rows, "slices of 5 mm"), expected(thick))


@pytest.mark.parametrize("up_mm", [14 * 4.0 - 8, 14 * 4.0 - 9.3, 14 * 4.0 + 100])
def test_ranges_scanned_one_by_one_are_volumes_of_their_own(up_mm):
    chest = thorax(shape=(8, 9, 14), spacing_mm=(2.0, 2.0, 4.0))
    x, y, z = chest.origin_mm
    belly = Phantom(chest.voxels + 50, chest.spacing_mm, (x, y, z + up_mm))
    objects = [
        *slices(chest, AXIAL, **ONE, AcquisitionNumber=1),
        *slices(belly, AXIAL, **ONE, AcquisitionNumber=2),
    ]

    rows = nifti(*objects)

    assert names(rows) == ["acquisition 1", "acquisition 2"]
    np.testing.assert_array_equal(volume_of(rows, "acquisition 1"), expected(chest))
    np.testing.assert_array_equal(volume_of(rows, "acquisition 2"), expected(belly))


def test_ranges_that_touch_are_one_volume():
    objects = slices(SMALL, **ONE)
    for number, each in enumerate(objects):
        each.AcquisitionNumber = 1 + number // 3

    assert names(nifti(*objects)) == [""]


@pytest.mark.parametrize(
    ("macro", "values", "named"),
    [
        (
            "FrameContentSequence",
            {"FrameReferenceDateTime": ["20250101100000", "20250101100100"]},
            None,
        ),
        (
            "CardiacSynchronizationSequence",
            {"NominalPercentageOfCardiacPhase": [40.0, 75.0]},
            ["phase 40 %", "phase 75 %"],
        ),
        (
            "RespiratorySynchronizationSequence",
            {"NominalPercentageOfRespiratoryPhase": [0.0, 50.0]},
            ["breath 0 %", "breath 50 %"],
        ),
    ],
    ids=["reference time", "cardiac phase", "respiratory phase"],
)
def test_frames_of_an_enhanced_ct_are_parted_by_time_and_phase(macro, values, named):
    ((keyword, stated),) = values.items()
    count = SMALL.voxels.shape[2]
    whole = enhanced(
        [*slices(SMALL, **ONE), *slices(brighter(SMALL, 100), **ONE)],
        sop_class=EnhancedCTImageStorage,
        per_frame=lambda number: {macro: {keyword: stated[number // count]}},
    )

    rows = nifti(whole)

    assert names(rows) == (named or ["time 1 of 2", "time 2 of 2"])
    np.testing.assert_array_equal(volume_of(rows, names(rows)[1]), expected(SMALL) + 100)
