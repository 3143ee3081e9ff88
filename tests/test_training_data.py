"""Labelled studies are found, split by patient, and measured with intervals."""

import io
import zipfile

import nibabel as nib
import numpy as np
import pytest
from phantoms import slices, thorax, zip_of
from rich.console import Console
from test_network_input import PARAMETERS, inputs_of

from imaging.recipe import Recipe
from tools.training.errors import TrainingError
from tools.training.inputs import inputs_of as training_inputs
from tools.training.metrics import auc_interval, measured, wilson_interval
from tools.training.split import split
from tools.training.studies import classes_of, studies_by_folder, studies_by_table

SMALL = thorax(shape=(10, 12, 6))
RECIPE = Recipe.from_parameters(PARAMETERS)


@pytest.fixture
def folder(tmp_path):
    """Two classes: a zip, DICOM files of two studies, and a NIfTI file below a folder."""
    sick, well = tmp_path / "data" / "sick", tmp_path / "data" / "well"
    for each in (sick / "loose", well / "deep"):
        each.mkdir(parents=True)
    (sick / "a.zip").write_bytes(zip_of(*slices(SMALL, PatientID="P1")))
    for number, study in enumerate("12"):
        objects = slices(SMALL, StudyInstanceUID=f"1.2.{study}", PatientID=f"P{study}")
        with zipfile.ZipFile(io.BytesIO(zip_of(*objects))) as unpacked:
            for name in unpacked.namelist():
                (sick / "loose" / f"{number}-{name}").write_bytes(unpacked.read(name))
    nib.save(SMALL.nifti(), well / "deep" / "b.nii.gz")
    return tmp_path / "data"


def made(studies, out, **changes):
    settings = {"skips_unreadable": False, "console": Console(quiet=True)} | changes
    return training_inputs(studies, RECIPE, folder=out, **settings)


def test_a_folder_is_a_class_of_zips_dicom_files_and_nifti_files(folder):
    studies = studies_by_folder(folder)

    assert [study.label for study in studies] == ["sick", "sick", "sick", "well"]
    assert [bool(study.nifti) for study in studies] == [False, False, False, True]


def test_a_table_says_file_label_and_group(folder):
    table = folder / "labels.csv"
    table.write_text("file,label,group\nsick/a.zip,1,X\nwell/deep/b.nii.gz,0,Y\n")

    studies = studies_by_table(table, folder)

    assert [(study.label, study.group) for study in studies] == [("1", "X"), ("0", "Y")]


@pytest.mark.parametrize(
    ("content", "pattern"),
    [
        ("name,label\nsick/a.zip,1\n", "has no file: a first line such as file,label,group"),
        ("file,label\nsick/c.zip,1\n", "line 2 of the table names .*c.zip, which does not exist"),
        ("file,label\nsick/loose,1\n", "holds 2 studies; one is needed"),
        ("file,label\nsick/a.zip,\n", "line 2 of the table has no label"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused(folder, content, pattern):
    table = folder / "labels.csv"
    table.write_text(content)

    with pytest.raises(TrainingError, match=pattern):
        studies_by_table(table, folder)


def test_a_folder_without_classes_is_refused(tmp_path):
    with pytest.raises(TrainingError, match="no folders with studies in them"):
        studies_by_folder(tmp_path)


def test_which_class_is_positive_is_asked_unless_it_is_1(folder):
    studies = studies_by_folder(folder)

    assert classes_of(studies, "sick") == ("well", "sick")
    with pytest.raises(TrainingError, match="the classes are sick and well: say by --positive"):
        classes_of(studies, "")


def test_a_third_class_is_refused(folder):
    (folder / "other").mkdir()
    (folder / "other" / "c.zip").write_bytes(b"")

    with pytest.raises(TrainingError, match=r"there are 3 classes \(other, sick, well\); two"):
        classes_of(studies_by_folder(folder), "sick")


def test_inputs_are_those_that_the_service_computes(folder, tmp_path):
    inputs = made(studies_by_folder(folder), tmp_path)

    expected = inputs_of((folder / "sick" / "a.zip").read_bytes())
    for volume in inputs.volumes:  # one phantom, as zip, files and NIfTI
        np.testing.assert_allclose(volume, expected.volumes[0][..., 0], atol=2.0**-11)
    assert [fact.group for fact in inputs.facts[:3]] == ["P1", "P1", "P2"]
    for fact in inputs.facts:
        assert fact.covered_mm == pytest.approx(6 * 4.0)
        assert fact.voxel_mm == pytest.approx(
            (1.75 * 11 / 127, 2.5 * 9 / 127, 4 * 5 / 63), abs=1e-5
        )


def test_inputs_are_made_once_and_anew_if_a_study_changed(folder, tmp_path):
    studies = studies_by_folder(folder)
    made(studies, tmp_path)
    before = (tmp_path / "inputs.npy").stat().st_mtime_ns
    made(studies, tmp_path)
    assert (tmp_path / "inputs.npy").stat().st_mtime_ns == before

    (folder / "sick" / "a.zip").write_bytes(zip_of(*slices(thorax(shape=(8, 9, 5)))))

    assert made(studies, tmp_path).facts[0].covered_mm == pytest.approx(5 * 4.0)


def test_a_study_that_cannot_be_read_stops_the_training_unless_it_may_be_left_out(folder, tmp_path):
    (folder / "well" / "bad.zip").write_bytes(b"nothing")
    studies = studies_by_folder(folder)

    with pytest.raises(TrainingError, match="1 of 5 studies cannot be read: .*--skip-unreadable"):
        made(studies, tmp_path)
    inputs = made(studies, tmp_path, skips_unreadable=True)
    assert (len(inputs.facts), len(inputs.volumes), inputs.left_out) == (4, 4, 1)


def test_a_patients_studies_are_on_one_side_and_a_third_of_each_class_is_held_back():
    labels = ["a"] * 40 + ["b"] * 20
    groups = [f"{label}{number // 2}" for number, label in enumerate(labels)]

    found = split(labels, groups, np.random.default_rng(3))

    assert not {groups[n] for n in found.training} & {groups[n] for n in found.validation}
    assert sorted(found.training + found.validation) == list(range(60))
    held_back = [labels[n] for n in found.validation]
    assert (held_back.count("a"), held_back.count("b")) == (12, 6)  # 30 % of 40 and of 20


def test_studies_of_one_patient_cannot_be_split():
    with pytest.raises(TrainingError, match="10 studies of 1 patients cannot be split"):
        split(["a", "b"] * 5, ["ANONYMOUS"] * 10, np.random.default_rng(3))


def test_proportions_have_wilsons_interval():
    # 8 of 10: (0.8 + 0.19207 ± 1.95996 √(0.016 + 0.0096036)) / 1.38415
    assert wilson_interval(8, 10) == pytest.approx((0.49016, 0.94332), abs=1e-5)
    assert wilson_interval(10, 10)[1] == pytest.approx(1.0)


def test_a_perfect_auc_of_few_studies_has_a_wide_interval():
    low, high = auc_interval(1.0, 6, 6)

    # By hand: with θ = low, (1 − θ)² = 3.84146 θ (1 − θ) (1 + 5 (1−θ)/(2−θ) + 5 θ/(1+θ)) / 36
    spread = low * (1 - low) * (1 + 5 * (1 - low) / (2 - low) + 5 * low / (1 + low)) / 36
    assert (1 - low) ** 2 == pytest.approx(3.84146 * spread, rel=1e-4)
    assert (0.6 < low < 0.8, high) == (True, 1.0)


def test_the_interval_of_the_auc_covers_the_truth_as_often_as_it_says():
    # Two normal distributions √2 · 0.8416 apart have the AUC Φ(0.8416) = 0.8.
    random = np.random.default_rng(11)
    positive = np.arange(50) < 25
    covered = 0
    for _ in range(400):
        scores = random.normal(size=50) + 1.1902 * positive
        found = measured(1 / (1 + np.exp(-scores)), positive)["auc"]
        covered += found["low"] <= 0.8 <= found["high"]

    assert 0.92 <= covered / 400 <= 0.98


def test_sensitivity_is_of_the_positives_and_specificity_of_the_others():
    scores = np.array([0.9, 0.5, 0.2, 0.1, 0.6, 0.3, 0.2])
    positive = np.array([True, True, True, False, False, False, False])

    found = measured(scores, positive)

    assert found["sensitivity"]["value"] == pytest.approx(2 / 3, abs=1e-4)
    assert found["specificity"]["value"] == pytest.approx(3 / 4)
    assert found["accuracy"]["value"] == pytest.approx(5 / 7, abs=1e-4)
    assert found["auc"]["value"] == pytest.approx((4 + 3 + 0.5 + 1) / 12, abs=1e-4)
