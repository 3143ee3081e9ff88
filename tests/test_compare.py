"""Our conversion next to a reference: what the table says, and whether it is on purpose."""

import argparse
import csv
import hashlib
import io
import json

import nibabel as nib
import numpy as np
import pytest
from phantoms import CORONAL, SAGITTAL, Phantom, slices, thorax, zip_of
from pydicom.uid import MRImageStorage
from rich.console import Console

from imaging.options import Options
from tools import compare
from tools.comparison.cases import compare_case
from tools.comparison.differences import difference
from tools.comparison.images import Image
from tools.comparison.table import as_csv, as_json

MR = {"SOPClassUID": MRImageStorage, "Modality": "MR"}
BODY = thorax(shape=(12, 10, 8))
OTHER = Phantom(BODY.voxels[::-1] // 2, BODY.spacing_mm, BODY.origin_mm)


@pytest.fixture
def case(tmp_path):
    """Write a zip of objects and its references, and return what they are next to each other."""

    def compared(objects, *niftis, options=None, **files):
        study, folder = tmp_path / "zips" / "one.zip", tmp_path / "references" / "one"
        study.parent.mkdir()
        folder.mkdir(parents=True)
        study.write_bytes(objects if isinstance(objects, bytes) else zip_of(*objects))
        for number, nifti in enumerate(niftis):
            nib.save(nifti, folder / f"{number}.nii.gz")
        for name, content in files.items():
            if isinstance(content, nib.Nifti1Image):
                nib.save(content, folder / f"{name}.nii.gz")
            else:
                (folder / f"{name}.json").write_text(json.dumps(content))
        return compare_case(study, folder, options=options or Options())

    return compared


def verdict(found):
    return found.as_row()["verdict"]


def changed(nifti, *, factor=1, offset=0, shift_mm=(0, 0, 0)):
    affine = nifti.affine.copy()
    affine[:3, 3] += shift_mm
    return nib.Nifti1Image(nifti.get_fdata() * factor + offset, affine)


@pytest.mark.parametrize("orientation", [SAGITTAL, CORONAL], ids=["sagittal", "coronal"])
def test_a_volume_in_another_orientation_is_equal(case, orientation):
    found = case(slices(BODY, orientation), BODY.nifti())

    assert (verdict(found), found.is_fine) == ("equal", True)
    assert (found.ours, found.reference, found.largest) == (1, 1, 0)
    assert found.affine_mm < 1e-5


def test_a_voxel_that_differs_is_counted_and_measured(case):
    values = BODY.nifti().get_fdata()
    values[3, 4, 5] += 7

    found = case(slices(BODY), nib.Nifti1Image(values, BODY.nifti().affine))

    assert (verdict(found), found.is_fine) == ("differs in 1 of 960 voxels by up to 7", False)
    assert found.largest == 7


def test_a_shifted_affine_differs_in_place(case):
    found = case(slices(BODY), changed(BODY.nifti(), shift_mm=(0, 0, 5)))

    assert (verdict(found), found.is_fine) == ("equal, differs in place by up to 5 mm", False)
    assert found.affine_mm == pytest.approx(5)


def test_more_than_a_tenth_of_a_micrometre_is_no_rounding(case):
    assert not case(slices(BODY), changed(BODY.nifti(), shift_mm=(0.0002, 0, 0))).is_fine


@pytest.mark.parametrize(
    ("factor", "offset", "words"),
    [(99.38, 0, "other scaling: x 99.38"), (2.5, -300, "other scaling: x 2.5 -300")],
)
def test_one_factor_for_all_voxels_is_another_scaling(case, factor, offset, words):
    found = case(slices(BODY, **MR), changed(BODY.nifti(), factor=factor, offset=offset))

    assert (verdict(found), found.is_fine) == (words, True)


def test_hounsfield_units_have_no_other_scaling(case):
    found = case(slices(BODY), changed(BODY.nifti(), factor=2))

    assert (verdict(found), found.is_fine) == ("other scaling: x 2", False)


def test_rescaled_values_are_equal_to_a_millionth(case):
    stored = Phantom(np.abs(BODY.voxels), BODY.spacing_mm, BODY.origin_mm)
    objects = slices(stored, **MR, RescaleSlope=0.1, RescaleIntercept=0)

    found = case(objects, changed(stored.nifti(), factor=0.1))

    assert (verdict(found), found.is_fine) == ("equal to 1e-6", True)


def test_whole_numbers_are_equal_or_not_however_large():
    one, other = (
        Image((2, 2, 2), np.eye(4), np.full((2, 2, 2), value)) for value in (5_000_000, 5_000_001)
    )

    assert not difference(one, other).is_equal


def test_a_volume_that_one_side_lacks_is_missed(case):
    found = case(slices(BODY) + slices(OTHER), OTHER.nifti())

    assert verdict(found) == "equal; ours is not in the reference"
    assert (found.ours, found.reference, found.is_fine) == (2, 1, False)


def test_a_volume_that_we_lack_is_missed(case):
    found = case(slices(BODY), OTHER.nifti(), BODY.nifti())

    assert verdict(found) == "equal; reference has a volume that ours has not"
    assert not found.is_fine


def test_several_equal_references_are_fine(case):
    found = case(slices(BODY), BODY.nifti(), BODY.nifti())

    assert (verdict(found), found.is_fine) == ("equal", True)


def in_time():
    uids = dict.fromkeys(("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"), "1.2")
    return [
        each
        for time, phantom in enumerate((BODY, OTHER), start=1)
        for each in slices(phantom, **uids, **MR, TemporalPositionIdentifier=time)
    ]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["in order", "swapped"])
def test_time_points_are_stacked_for_a_reference_of_four_axes(case, order):
    times = [(BODY, OTHER)[n].nifti() for n in order]
    whole = np.stack([each.get_fdata() for each in times], axis=3)

    found = case(in_time(), nib.Nifti1Image(whole, times[0].affine))

    words = verdict(found)
    assert words.endswith(", 2 time points in files of their own")
    assert words.startswith("equal") == found.is_fine == (order == (0, 1))


def test_time_points_in_files_of_their_own_are_paired_by_values(case):
    found = case(in_time(), OTHER.nifti(), BODY.nifti())

    assert (verdict(found), found.is_fine) == ("equal", True)


def tilted():
    objects = slices(BODY)
    for k, each in enumerate(objects):
        each.ImagePositionPatient[1] += k * 1.0
    return objects


def test_a_tilt_that_the_reference_leaves_out_is_told(case):
    upright = BODY.nifti()

    found = case(tilted(), upright)

    assert verdict(found).startswith("equal, tilted: slices 0.000 µm from their stated positions")
    assert found.is_fine
    assert found.affine_mm == pytest.approx(1)


@pytest.mark.parametrize(("starts_right", "is_fine"), [(True, True), (False, False)])
def test_a_rounded_step_is_told_by_the_stated_positions(case, starts_right, is_fine):
    nifti = BODY.nifti()
    nifti.affine[2, 2] += 0.003
    nifti.affine[2, 3] += 0 if starts_right else 0.01

    found = case(slices(BODY), nib.Nifti1Image(nifti.dataobj, nifti.affine))

    assert found.is_fine == is_fine
    assert ("from their stated positions" in verdict(found)) == is_fine


def test_a_filled_gap_is_told_by_the_slices_that_are_there(case):
    body = thorax(shape=(12, 10, 20))
    whole = body.nifti()
    raw = nib.Nifti1Image(np.delete(whole.dataobj, 7, axis=2), whole.affine)
    resampled = nib.Nifti1Image(np.zeros((12, 10, 31)), whole.affine @ np.diag([1, 1, 0.6, 1]))
    objects = slices(body)

    found = case(objects[:7] + objects[8:], raw, resampled)

    assert verdict(found) == (
        "gaps: ours is on even steps; its 19 slices are equal; "
        "reference also has the slices on steps of its own"
    )
    assert found.is_fine


def test_what_is_no_volume_of_grey_values_is_told(case):
    flat = nib.Nifti1Image(np.zeros((12, 10, 1)), np.eye(4))
    colour = np.zeros((4, 5, 6), np.dtype([(name, "u1") for name in "RGB"]))

    found = case(
        slices(BODY),
        BODY.nifti(),
        flat,
        nib.Nifti1Image(colour, np.eye(4)),
        OTHER.nifti(),
        **{"3": {"Modality": "SEG"}},  # as dcm2niix writes beside 3.nii.gz
    )

    assert verdict(found) == (
        "equal; reference has a single slice, no volume; reference has a colour image; "
        "reference has a segmentation as an image"
    )
    assert found.is_fine


def test_masks_are_no_images_and_truth_wins(case):
    found = case(
        slices(BODY),
        changed(BODY.nifti(), offset=1),
        truth_image=BODY.nifti(),
        generated_mask_GTV=OTHER.nifti(),
        drawn=OTHER.nifti(),
        masks={"drawn.nii.gz": {"voxels": 3}},
    )

    assert (verdict(found), found.reference) == ("equal", 1)


def test_a_part_in_another_unit_is_told(case):
    nifti = BODY.nifti()
    part = nib.Nifti1Image(
        nifti.get_fdata()[2:9, 1:8, 3:7] * 0.5,
        nifti.affine @ nib.affines.from_matvec(np.eye(3), (2, 1, 3)),
    )

    found = case(slices(BODY, **MR), nifti, part)

    assert verdict(found) == "equal; reference also has a part, other scaling: x 0.5"
    assert found.is_fine


@pytest.mark.parametrize("is_equal", [True, False])
def test_the_manifest_stands_in_for_a_file(case, is_equal):
    canonical = nib.as_closest_canonical(BODY.nifti())
    values = np.ascontiguousarray(canonical.dataobj, "<i4") + (not is_equal)
    volume = {
        "file": "large.nii.gz",
        "canonical_ras_shape": canonical.shape,
        "canonical_ras_affine": canonical.affine.tolist(),
        "sha256_canonical_ras_values_int32_c_order": hashlib.sha256(values.tobytes()).hexdigest(),
        "min": float(values.min()),
        "max": float(values.max()),
        "mean": float(values.mean()),
    }

    found = case(slices(BODY), manifest={"volumes": [volume]})

    words = "equal (by hash)" if is_equal else "differs by its hash"
    assert (verdict(found), found.is_fine) == (words, is_equal)


def test_a_refusal_by_rule_is_on_purpose(case):
    objects = slices(BODY)
    objects[3].ImagePositionPatient = objects[2].ImagePositionPatient

    found = case(objects, BODY.nifti())

    assert (verdict(found), found.is_fine) == ("refused: same_position", True)


def test_a_broken_zip_is_not_refused_on_purpose(case):
    found = case(b"not a zip", BODY.nifti())

    assert (verdict(found), found.is_fine) == ("refused: not_a_zip", False)


def arguments(folder, **more):
    given = {"zips": folder / "zips", "references": folder / "references", "lenient": False}
    return argparse.Namespace(**(given | {"csv": None, "json": None} | more))


def test_one_bad_zip_does_not_stop_the_others(case, tmp_path, capsys):
    case(slices(BODY, PatientID="hush"), BODY.nifti())
    for name, content in (("aaa", b"PK"), ("zzz", zip_of(*slices(BODY)))):
        (tmp_path / "zips" / f"{name}.zip").write_bytes(content)
    damaged = tmp_path / "references" / "aaa"
    damaged.mkdir()
    (damaged / "hush.nii.gz").write_bytes(b"no gzip")
    files = {"csv": tmp_path / "table.csv", "json": tmp_path / "table.json"}

    code = compare.run(arguments(tmp_path, **files))

    assert code == 1
    rows = list(csv.DictReader(io.StringIO(files["csv"].read_text())))
    assert {row["case"]: row["verdict"] for row in rows} == {
        "aaa": "reference cannot be read (BadGzipFile)",
        "one": "equal",
        "zzz": "no reference of this name",
    }
    listed = json.loads(files["json"].read_text())["cases"]
    assert [each["findings"][0]["is_fine"] for each in listed] == [False, True, False]
    shown = capsys.readouterr()
    assert "1 of 3 cases are equal or differ on purpose" in shown.out
    for text in (shown.out, shown.err, files["csv"].read_text(), files["json"].read_text()):
        assert "hush" not in text


def test_one_zip_that_is_equal_ends_well(case, tmp_path, capsys):
    case(slices(BODY), BODY.nifti())

    assert compare.run(arguments(tmp_path, zips=tmp_path / "zips" / "one.zip")) == 0
    assert "equal" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"zips": "nowhere"}, "no such file or folder"),
        ({"references": "nowhere"}, "no such folder"),
        ({"zips": "references"}, "holds no zips"),
        ({"csv": "nowhere/table.csv"}, "does not exist"),
    ],
)
def test_a_wrong_call_ends_with_two(case, tmp_path, capsys, wrong, message):
    case(slices(BODY), BODY.nifti())
    paths = {name: tmp_path / path for name, path in wrong.items()}

    assert compare.run(arguments(tmp_path, **paths)) == 2
    assert message in capsys.readouterr().err


def test_no_real_case_differs_but_on_purpose(shared_data):
    zips = sorted((shared_data / "dicom").glob("*.zip"))

    cases = compare.compare(zips, shared_data / "reference", Console(quiet=True), options=Options())

    assert [each.name for each in cases] == [file.stem for file in zips]
    assert {each.name: verdict(each) for each in cases if not each.is_fine} == {}
    assert not any("differs" in verdict(each) for each in cases)
    assert as_csv(cases).count("\r\n") == len(zips) + 1
    assert len(json.loads(as_json(cases))["cases"]) == len(zips)
