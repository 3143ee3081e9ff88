"""A series of several stacks becomes a volume a stack, named, whatever objects hold its slices."""

import gzip
import struct

import keras_example
import nibabel as nib
import numpy as np
import pytest
from phantoms import AXIAL, CORONAL, SAGITTAL, Phantom, slices, thorax, zip_of
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    EnhancedCTImageStorage,
    EnhancedMRImageStorage,
    EnhancedPETImageStorage,
    generate_uid,
)
from test_network_input import PARAMETERS

from imaging.archive import Limits
from imaging.errors import InputError
from imaging.options import Options
from imaging.preprocess import feature_inputs, nifti_files
from imaging.recipe import Recipe

SMALL = thorax(shape=(10, 12, 6))
MR = {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.4", "Modality": "MR"}
UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")
ONE = {keyword: generate_uid() for keyword in UIDS}


def brighter(phantom, by):
    return Phantom(phantom.voxels + by, phantom.spacing_mm, phantom.origin_mm)


def mr(phantom, orientation=AXIAL, **attributes):
    return slices(phantom, orientation, **(MR | ONE | attributes))


def numbered(objects):
    for number, each in enumerate(objects, start=1):
        each.InstanceNumber = number
    return objects


def nifti(*objects):
    return nifti_files(memoryview(zip_of(*objects)), options=Options(), limits=Limits())


def features(*objects, **changes):
    return feature_inputs(
        memoryview(zip_of(*objects)),
        recipe=Recipe.from_parameters(PARAMETERS | {"trained_modalities": "CT,MR"} | changes),
        options=Options(preview=False),
        limits=Limits(),
    )


def names(rows):
    return [label["stack"] for label in rows.labels]


def voxels(file):
    """The converted voxels in RAS+."""
    image = nib.Nifti1Image.from_bytes(gzip.decompress(file))
    return np.asarray(nib.as_closest_canonical(image).dataobj)


def expected(phantom):
    return nib.as_closest_canonical(phantom.nifti()).get_fdata()


def stack_of(rows, name):
    return voxels(rows.files[names(rows).index(name)])


def test_a_plain_series_is_one_stack_without_a_name():
    label = nifti(*slices(SMALL)).labels[0]

    assert (label["stack"], label["stack_index"], label["stack_count"]) == ("", 1, 1)


def test_three_planes_of_one_series_are_three_volumes():
    planes = [mr(SMALL, each) for each in (CORONAL, AXIAL, SAGITTAL)]

    rows = nifti(*(each for plane in planes for each in plane))

    assert sorted(names(rows)) == ["axial", "coronal", "sagittal"]
    for file in rows.files:
        np.testing.assert_array_equal(voxels(file), expected(SMALL))
    assert [(o["stack"], o["instances"]) for o in rows.report["series"]] == [
        ("coronal", 12),
        ("axial", 6),
        ("sagittal", 10),
    ]


def test_a_lone_slice_of_another_plane_is_skipped_beside_the_volume():
    rows = nifti(*mr(SMALL), mr(SMALL, CORONAL)[0])

    assert names(rows) == ["axial"]
    assert [(o["stack"], o["code"]) for o in rows.report["series"]] == [
        ("axial", ""),
        ("coronal", "single_slice"),
    ]


@pytest.mark.parametrize(
    ("first", "second", "named"),
    [
        ({"EchoNumbers": 1}, {"EchoNumbers": 2}, ("echo 1", "echo 2")),
        ({"EchoTime": "4.9"}, {"EchoTime": "12.3"}, ("echo 1", "echo 2")),
        ({"SeriesNumber": 5}, {"SeriesNumber": 7}, ("series number 5", "series number 7")),
        ({"ComplexImageComponent": "MAGNITUDE"}, {"ComplexImageComponent": "PHASE"}, None),
        ({"ImageType": [*"OPM"]}, {"ImageType": [*"OPP"]}, None),
        ({"FlipAngle": 2}, {"FlipAngle": 10}, ("flip angle 2", "flip angle 10")),
        ({"DiffusionBValue": 0.0}, {"DiffusionBValue": 800.0}, ("b-value 0", "b-value 800")),
        ({"TriggerTime": 90}, {"TriggerTime": 200}, ("time 1 of 2", "time 2 of 2")),
        ({"ContentTime": "101010"}, {"ContentTime": "101030"}, ("time 1 of 2", "time 2 of 2")),
    ],
)
def test_what_slices_of_one_place_differ_in_parts_and_names_them(first, second, named):
    named = named or ("magnitude", "phase")
    other = brighter(SMALL, 7)

    rows = nifti(*mr(other, **second), *mr(SMALL, **first))

    assert names(rows) == list(named)
    np.testing.assert_array_equal(stack_of(rows, named[0]), expected(SMALL))
    np.testing.assert_array_equal(stack_of(rows, named[1]), expected(other))


def test_echoes_of_each_time_point_have_both_names():
    objects = [
        each
        for echo in (1, 2)
        for time in (1, 2)
        for each in mr(SMALL, EchoNumbers=echo, TemporalPositionIdentifier=time)
    ]

    assert names(nifti(*objects)) == [
        f"echo {echo}, time {time} of 2" for echo in (1, 2) for time in (1, 2)
    ]


def test_numbers_order_time_points_where_nothing_else_does():
    times = [mr(brighter(SMALL, 100 * time)) for time in range(3)]
    objects = numbered([each for time in times for each in time])

    rows = nifti(*reversed(objects))

    assert names(rows) == ["time 1 of 3", "time 2 of 3", "time 3 of 3"]
    for time, file in enumerate(rows.files):
        np.testing.assert_array_equal(voxels(file), expected(SMALL) + 100 * time)


def test_a_scan_cut_short_loses_its_last_time_point_alone():
    objects = numbered([each for _ in range(3) for each in mr(SMALL)])

    rows = nifti(*objects[:-2])

    assert names(rows) == ["time 1 of 3", "time 2 of 3"]
    last = rows.report["series"][-1]
    assert (last["stack"], last["code"]) == ("time 3 of 3", "incomplete_stack")
    assert "4 of the 6 slices" in last["reason"]


def test_two_reconstructions_of_a_ct_are_not_taken_for_time():
    objects = numbered([*slices(SMALL, **ONE), *slices(SMALL, **ONE)])

    with pytest.raises(InputError, match="^same_position: "):
        nifti(*objects)


def test_one_slice_twice_is_no_time_series():
    objects = numbered([*mr(SMALL), mr(SMALL)[2]])

    with pytest.raises(InputError, match="^same_position: "):
        nifti(*objects)


def test_slices_that_all_differ_are_refused():
    objects = [mr(SMALL, PixelSpacing=[1, 1 + k])[k] for k in range(4)]

    with pytest.raises(InputError, match="^mixed_geometry: .* 4 slices all differ"):
        nifti(*objects)


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ({"ImageType": ["ORIGINAL", "PRIMARY", "PHASE MAP", "P", "FFE"]}, "not_magnitude"),
        ({"ComplexImageComponent": "REAL"}, "not_magnitude"),
        ({"ImageType": ["DERIVED", "PRIMARY", "M", "SUB"]}, "subtraction_image"),
    ],
)
def test_numbers_that_are_no_signal_are_for_conversion_only(attributes, code):
    objects = mr(SMALL, **attributes)

    assert len(nifti(*objects).files) == 1
    with pytest.raises(InputError, match=f"^{code}: "):
        features(*objects)


def test_ge_says_in_an_element_of_its_own_that_it_is_phase():
    objects = mr(SMALL)
    for each in objects:
        each.add_new(0x00430010, "LO", "GEMS_PARM_01")
        each.add_new(0x0043102F, "SS", 1)

    with pytest.raises(InputError, match="^not_magnitude: .* it is a phase image"):
        features(*objects)


def functional_group(**macros):
    group = Dataset()
    for macro, values in macros.items():
        item = Dataset()
        for keyword, value in values.items():
            setattr(item, keyword, value)
        setattr(group, macro, Sequence([item]))
    return group


def enhanced(objects, *, sop_class=EnhancedCTImageStorage, per_frame=None, **attributes):
    """Classic objects as the frames of one enhanced object: the standard's functional groups."""
    whole = Dataset()
    whole.file_meta = objects[0].file_meta
    own = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "PixelData")
    for element in objects[0]:
        if element.keyword not in (*own, "RescaleSlope", "RescaleIntercept"):
            whole.add(element)
    whole.SOPClassUID, whole.SOPInstanceUID = sop_class, generate_uid()
    whole.NumberOfFrames = len(objects)
    for keyword, value in attributes.items():
        setattr(whole, keyword, value)
    first = objects[0]
    whole.SharedFunctionalGroupsSequence = Sequence(
        [
            functional_group(
                PixelMeasuresSequence={"PixelSpacing": first.PixelSpacing},
                PlaneOrientationSequence={"ImageOrientationPatient": first.ImageOrientationPatient},
            )
        ]
    )
    whole.PerFrameFunctionalGroupsSequence = Sequence(
        [
            functional_group(
                PlanePositionSequence={"ImagePositionPatient": each.ImagePositionPatient},
                PixelValueTransformationSequence={
                    "RescaleSlope": each.RescaleSlope,
                    "RescaleIntercept": each.RescaleIntercept,
                },
                **(per_frame(number) if per_frame else {}),
            )
            for number, each in enumerate(objects)
        ]
    )
    whole.PixelData = b"".join(each.PixelData for each in objects)
    return whole


def test_an_enhanced_object_gives_the_same_row_as_its_classic_slices():
    objects = slices(SMALL, CORONAL)

    classic, whole = features(*objects), features(enhanced(objects[::-1]))

    keys = ("input_sha256", "shape", "voxel_mm", "acquired_orientation", "unit", "modality")
    assert [classic.labels[0][key] for key in keys] == [whole.labels[0][key] for key in keys]


def test_frames_have_their_own_slopes():
    objects = slices(SMALL)
    for k, each in enumerate(objects):
        each.RescaleSlope = 1 + k

    (file,) = nifti(enhanced(objects)).files

    wanted = (expected(SMALL) + 1024) * (1 + np.arange(6)) - 1024
    np.testing.assert_array_equal(voxels(file), wanted)


def test_frames_are_parted_by_what_their_functional_groups_say():
    magnitude, phase = mr(SMALL), mr(brighter(SMALL, 9))
    whole = enhanced(
        [*magnitude, *phase],
        sop_class=EnhancedMRImageStorage,
        per_frame=lambda number: {
            "MRImageFrameTypeSequence": {
                "FrameType": ["ORIGINAL", "PRIMARY", "T1", "NONE"],
                "ComplexImageComponent": ("MAGNITUDE", "PHASE")[number // 6],
            },
            "FrameContentSequence": {"StackID": "1", "InStackPositionNumber": number % 6 + 1},
        },
    )

    rows = nifti(whole)

    assert names(rows) == ["magnitude", "phase"]
    np.testing.assert_array_equal(stack_of(rows, "phase"), expected(SMALL) + 9)


def test_stacks_of_one_enhanced_object_are_volumes_even_apart_from_each_other():
    above = Phantom(SMALL.voxels, SMALL.spacing_mm, (-31.5, -55.25, 300.0))
    whole = enhanced(
        [*mr(SMALL), *mr(above)],
        sop_class=EnhancedMRImageStorage,
        per_frame=lambda number: {"FrameContentSequence": {"StackID": str(number // 6 + 1)}},
    )

    assert names(nifti(whole)) == ["axial 1", "axial 2"]


def test_a_stack_id_for_every_frame_parts_nothing():
    whole = enhanced(
        slices(SMALL),
        per_frame=lambda number: {"FrameContentSequence": {"StackID": str(number)}},
    )

    assert names(nifti(whole)) == [""]


def test_frames_in_turn_are_time_points_of_mr():
    later = brighter(SMALL, 5)
    whole = enhanced([*mr(SMALL), *mr(later)], sop_class=EnhancedMRImageStorage, InstanceNumber=1)

    rows = nifti(whole)

    assert names(rows) == ["time 1 of 2", "time 2 of 2"]
    np.testing.assert_array_equal(stack_of(rows, "time 2 of 2"), expected(later))


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"NumberOfFrames": 5}, "bad_attribute: .* groups for 6 frames, but NumberOfFrames is 5"),
        ({"PerFrameFunctionalGroupsSequence": Sequence()}, "unsupported_object: .* no functional"),
        ({"SharedFunctionalGroupsSequence": Sequence()}, "missing_attribute: .* no PixelSpacing"),
    ],
)
def test_broken_functional_groups_are_refused(attributes, message):
    whole = enhanced(slices(SMALL))
    for keyword, value in attributes.items():
        setattr(whole, keyword, value)

    with pytest.raises(InputError, match=f"^{message}"):
        nifti(whole)


def test_an_enhanced_pet_that_does_not_say_what_suv_needs_is_converted_only():
    whole = enhanced(slices(SMALL, Modality="PT"), sop_class=EnhancedPETImageStorage)

    assert len(nifti(whole).files) == 1
    with pytest.raises(InputError, match="^suv_impossible: .* no AttenuationCorrected"):
        features(whole, trained_modalities="PT", window_PT="0,20 SUVbw")


def csa_header(**values):
    """A CSA header, version 2, as Siemens writes it."""
    content = b"SV10\4\3\2\1" + struct.pack("<II", len(values), 77)
    for name, texts in values.items():
        content += struct.pack("<64si4s3i", name.encode(), len(texts), b"FD", 4, len(texts), 77)
        for text in texts:
            padded = text.encode() + b"\0" * (-len(text) % 4)
            content += struct.pack("<4i", len(text), len(text), 77, len(text)) + padded
    return content


def mosaic(objects, *, backwards=False):
    """Classic slices as the tiles of one Siemens picture; backwards, the last one comes first."""
    first = objects[-1 if backwards else 0]
    rows, columns = first.Rows, first.Columns
    across = int(np.ceil(np.sqrt(len(objects))))
    picture = np.zeros((across * rows, across * columns), np.uint16)
    for number, each in enumerate(objects[::-1] if backwards else objects):
        row, column = divmod(number, across)
        tile = np.frombuffer(each.PixelData, np.uint16).reshape(rows, columns)
        picture[row * rows : (row + 1) * rows, column * columns : (column + 1) * columns] = tile
    cosines = np.reshape(first.ImageOrientationPatient, (2, 3)).astype(float)
    normal = np.cross(*cosines)
    heights = [np.array(each.ImagePositionPatient, float) @ normal for each in objects[:2]]
    row_mm, column_mm = map(float, first.PixelSpacing)
    # The centre is the tile's, the size the picture's.
    away = cosines[0] * column_mm * (across - 1) * columns / 2
    away += cosines[1] * row_mm * (across - 1) * rows / 2
    first.ImagePositionPatient = [*map(float, np.array(first.ImagePositionPatient, float) - away)]
    first.Rows, first.Columns = picture.shape
    first.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"]
    first.SpacingBetweenSlices = heights[1] - heights[0]
    first.PixelData = picture.tobytes()
    direction = -normal if backwards else normal
    first.add_new(0x00190010, "LO", "SIEMENS MR HEADER")
    first.add_new(0x0019100A, "US", len(objects))
    first.add_new(0x00290010, "LO", "SIEMENS CSA HEADER")
    texts = [f"{value:.8f}" for value in direction]
    first.add_new(0x00291010, "OB", csa_header(Other=[], SliceNormalVector=texts))
    return first


@pytest.mark.parametrize("orientation", [AXIAL, CORONAL], ids=["axial", "coronal"])
@pytest.mark.parametrize("backwards", [False, True])
def test_tiles_of_a_mosaic_lie_where_their_slices_were(orientation, backwards):
    rows = nifti(mosaic(mr(SMALL, orientation), backwards=backwards))

    image = nib.Nifti1Image.from_bytes(gzip.decompress(rows.files[0]))
    wanted = nib.as_closest_canonical(SMALL.nifti())
    np.testing.assert_array_equal(voxels(rows.files[0]), wanted.get_fdata())
    np.testing.assert_allclose(nib.as_closest_canonical(image).affine, wanted.affine, atol=1e-4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ((0x00291010, "OB", b"no header"), "missing_attribute: .* without SliceNormalVector"),
        ((0x00291010, "OB", csa_header(SliceNormalVector=["x"] * 3)), "bad_attribute: "),
        ((0x00291010, "OB", csa_header(SliceNormalVector=["0"] * 3)), "bad_attribute: .* Slice"),
        ((0x00291010, "OB", csa_header(SliceNormalVector=[*"100"])), "bad_attribute: .* SliceNo"),
        ((0x0019100A, "US", 60000), "bad_attribute: .* 60000 tiles"),
        ((0x0019100A, "US", 30), "bad_attribute: .* 30 × 36 pixels cannot be 6 × 6 tiles"),
    ],
)
def test_a_mosaic_that_does_not_say_how_its_tiles_lie_is_refused(change, message):
    picture = mosaic(mr(thorax(shape=(10, 12, 8))))
    if "30 ×" in message:
        picture.Columns = 32
        message = message.replace("30 × 36", "32 × 36")
    picture.add_new(*change)

    with pytest.raises(InputError, match=f"^{message}"):
        nifti(picture)


def test_the_network_sees_a_tilted_volume_upright():
    """Slices of a smooth body, each cut 2 mm further to the back: shifted, they are the body."""
    x, y, z = np.meshgrid(*(np.linspace(-1, 1, count) for count in (20, 60, 12)), indexing="ij")
    body = 400 * np.exp(-3 * (x**2 + y**2)) + 50 * z - 500
    phantom = Phantom(np.rint(body).astype(np.int16), (2.0, 1.0, 4.0), (0.0, 0.0, 0.0))
    objects = slices(phantom)
    for k, each in enumerate(objects):
        plane = np.frombuffer(each.PixelData, np.uint16).reshape(60, 20)[2 * k : 2 * k + 30]
        each.PixelData, each.Rows = plane.tobytes(), 30
        each.ImagePositionPatient[1] += 2.0 * k

    rows = features(*objects)

    whole = np.full(phantom.voxels.shape, -1000, np.int16)
    for k in range(12):
        whole[:, 2 * k : 2 * k + 30, k] = phantom.voxels[:, 2 * k : 2 * k + 30, k]
    wanted = Phantom(whole[:, :52], phantom.spacing_mm, phantom.origin_mm)
    np.testing.assert_allclose(
        rows.volumes[0][..., 0], keras_example.process_any(wanted.nifti()), atol=1e-5
    )
    (quality,) = (q for q in rows.labels[0]["quality"] if q["code"] == "TILT_CORRECTED")
    assert quality["number"] == pytest.approx(np.degrees(np.arctan(0.5)), abs=1e-4)


def test_a_filled_gap_is_what_the_network_sees_of_the_converted_volume():
    objects = slices(thorax(shape=(20, 20, 24)))
    del objects[10]

    rows, files = features(*objects), nifti(*objects).files

    image = nib.Nifti1Image.from_bytes(gzip.decompress(files[0]))
    laid = nib.as_closest_canonical(image).get_fdata()
    seen = keras_example.process_any(nib.Nifti1Image(laid, nib.as_closest_canonical(image).affine))
    np.testing.assert_allclose(rows.volumes[0][..., 0], seen, atol=1e-5)
    codes = {each["code"]: each["number"] for each in rows.labels[0]["quality"]}
    assert codes["GAPS_INTERPOLATED"] == 8.0


def test_a_thickness_that_is_no_number_does_no_harm():
    objects = slices(SMALL)
    for each in objects:
        each.add_new("SliceThickness", "LO", "5 mm")

    assert len(nifti(*objects).files) == 1


def test_slices_thicker_than_their_distance_say_so():
    quality = nifti(*slices(SMALL, SliceThickness=5.0)).labels[0]["quality"]

    assert {"code": "SLICE_OVERLAP", "severity": "info", "number": 1.25} in quality
