"""How steady features are: statistics, perturbations, and one run on the real service."""

import csv
import io
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from phantoms import CORONAL, slices, thorax, zip_of
from scipy import stats
from test_network_input import PARAMETERS
from test_region_rows import PHANTOM, TUMOUR, box, study_with
from test_regions_objects import rtstruct

from imaging.archive import Limits
from imaging.geometry import grid_of
from imaging.options import Options
from imaging.preprocess import feature_inputs
from imaging.recipe import Recipe
from imaging.report import Report
from imaging.study_volumes import read_study, stacks_in
from imaging.windows import Window
from tools.client import infer
from tools.locations import data_folder
from tools.models.configs import parameters_of
from tools.stability.agreement import agreement, concordance, within_sd
from tools.stability.lattice import Lattice
from tools.stability.lines import lines_of, retest_lines
from tools.stability.measuring import Measured, Network, measure
from tools.stability.noise import noise_sd
from tools.stability.pairs import CallError, read_pairs
from tools.stability.perturbations import (
    Image,
    Perturbation,
    perturbations,
    rotation_about,
    translation,
)
from tools.stability.subjects import Subject, subjects_in
from tools.verification.differences import relative_l2

SHROUT_AND_FLEISS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float
)
"""Table 2 of their paper of 1979: six targets, four judges."""

HU = Window(-1000.0, 400.0, "HU")
NUMBERS = np.random.default_rng(1).normal(size=(9, 4))


def measured_once(values):
    return agreement(np.asarray(values, float)[..., np.newaxis])


def test_the_icc_of_shrout_and_fleiss_is_as_in_their_paper():
    """Table 4: ICC(1,1) 0.17, from mean squares of 11.24 between and 6.26 within targets."""
    found = measured_once(SHROUT_AND_FLEISS)

    assert found.icc == pytest.approx(0.17, abs=5e-3)
    assert found.within_sd**2 == pytest.approx(6.26, abs=5e-3)
    assert found.between_sd**2 * 4 == pytest.approx(11.24, abs=5e-3)
    assert found.sd_ratio == pytest.approx(np.sqrt(6.26 / (11.24 / 4)), abs=1e-3)


def test_the_interval_of_the_icc_is_that_of_the_f_test():
    """ICC is above a bound when F = MSB / MSW by (1 + k b / (1 - b)) is above its quantile."""
    found = measured_once(SHROUT_AND_FLEISS)
    ratio = 11.2417 / 6.2639

    for bound, level in ((found.lower[0], 0.975), (found.upper[0], 0.025)):
        scaled = ratio / (1 + 4 * bound / (1 - bound))
        assert stats.f.cdf(scaled, 5, 18) == pytest.approx(level, abs=1e-4)


def test_the_interval_covers_the_icc_as_often_as_it_says():
    """Subjects of SD 2, measurements of SD 1: the ICC is 4 / (4 + 1)."""
    rng = np.random.default_rng(7)
    subjects = 2 * rng.normal(size=(10, 1, 4000))

    found = agreement(subjects + rng.normal(size=(10, 3, 4000)))

    assert np.mean((found.lower < 0.8) & (found.upper > 0.8)) == pytest.approx(0.95, abs=0.015)
    assert np.median(found.icc) == pytest.approx(0.8, abs=0.03)


def test_the_concordance_of_a_shift_by_one_is_four_sevenths():
    """Variances and covariance 2/3, means 1 apart: 2 (2/3) / (2/3 + 2/3 + 1)."""
    first = np.array([[1.0], [2.0], [3.0]])

    assert concordance(first, first + 1) == pytest.approx(4 / 7)


def test_the_ccc_of_several_measurements_is_the_mean_with_the_first():
    pairs = []
    for other in NUMBERS.T[1:]:
        covariance = np.cov(NUMBERS[:, 0], other, bias=True)
        apart = (NUMBERS[:, 0].mean() - other.mean()) ** 2
        pairs.append(2 * covariance[0, 1] / (covariance[0, 0] + covariance[1, 1] + apart))

    assert measured_once(NUMBERS).ccc == pytest.approx(np.mean(pairs))


def test_the_sd_within_subjects_is_pooled_over_them():
    pooled = np.sqrt(NUMBERS.var(axis=1, ddof=1).mean())

    assert within_sd(NUMBERS[..., np.newaxis]) == pytest.approx(pooled)


def test_a_feature_that_only_subjects_differ_in_has_an_icc_of_one_and_a_constant_one_none():
    steady = np.repeat([[0.1], [0.2], [0.7]], 3, axis=1)
    found = agreement(np.stack([steady, np.full((3, 3), 0.1)], axis=2))

    assert [found.icc[0], found.lower[0], found.upper[0], found.ccc[0]] == [1, 1, 1, 1]
    assert found.sd_ratio[0] == 0
    assert np.isnan([found.icc[1], found.lower[1], found.ccc[1], found.sd_ratio[1]]).all()


def grid_with(shape, spacing_mm):
    """The grid of an axial phantom, read from its objects."""
    study = zip_of(*slices(thorax(shape=shape, spacing_mm=spacing_mm)))
    report = Report()
    read = read_study(memoryview(study), Options(), Limits(), report)
    (stack,) = stacks_in(read, Options(), report)
    return grid_of(stack.slices)


def every_voxel(shape, *, padded=False):
    return Lattice(np.eye(4), shape, padded)


CUBE = grid_with((9, 9, 5), (2.0, 2.0, 3.0))
VALUES = np.random.default_rng(2).random((9, 9, 5), np.float32)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_shift_by_a_whole_voxel_is_a_step_of_the_index(axis):
    motion = translation(CUBE.affine[:3, axis])

    shifted = every_voxel(VALUES.shape, padded=True).moved(CUBE, motion).sample(VALUES)

    expected = np.zeros_like(VALUES)
    there, from_here = [slice(None)] * 3, [slice(None)] * 3
    there[axis], from_here[axis] = slice(None, -1), slice(1, None)
    expected[tuple(there)] = VALUES[tuple(from_here)]
    np.testing.assert_allclose(shifted, expected, atol=1e-6)


def test_a_shift_by_half_a_voxel_is_the_mean_of_neighbours_and_the_border_is_repeated():
    motion = translation(0.5 * CUBE.affine[:3, 0])

    shifted = every_voxel(VALUES.shape).moved(CUBE, motion).sample(VALUES)

    np.testing.assert_allclose(shifted[:-1], (VALUES[:-1] + VALUES[1:]) / 2, atol=1e-6)
    np.testing.assert_allclose(shifted[-1], VALUES[-1], atol=1e-6)


def test_a_rotation_by_zero_is_the_identity():
    lattice = every_voxel(VALUES.shape, padded=True)
    motion = rotation_about(lattice.middle_ras_mm(CUBE), 0.0)

    np.testing.assert_allclose(lattice.moved(CUBE, motion).sample(VALUES), VALUES, atol=1e-6)


def test_a_rotation_by_ninety_degrees_turns_slices_about_the_body_axis():
    """A point at (x, y) from the middle goes to (-y, x); here x runs against i, and y against j."""
    lattice = every_voxel(VALUES.shape, padded=True)
    motion = rotation_about(lattice.middle_ras_mm(CUBE), 90.0)

    turned = lattice.moved(CUBE, motion).sample(VALUES)

    i, j = 1, 2
    assert turned[i, j, 3] == pytest.approx(VALUES[8 - j, i, 3], abs=1e-6)
    np.testing.assert_allclose(turned, np.rot90(VALUES, -1), atol=1e-6)


def test_drawn_motions_are_as_large_as_they_are_said_to_be():
    image, lattice = Image(CUBE, VALUES, HU, 1.0), every_voxel(VALUES.shape)
    rng = np.random.default_rng(3)
    motions = {}
    for each in perturbations(50):
        if each.motion:
            motions.setdefault(each.kind, []).append(each.motion(image, lattice, rng))

    degrees = [np.degrees(np.arctan2(each[1, 0], each[0, 0])) for each in motions["rotation"]]
    lengths_mm = [np.linalg.norm(each[:3, 3]) for each in motions["centre jitter"]]
    assert 2 <= min(np.abs(degrees)) < 3
    assert 7 < max(np.abs(degrees)) <= 8
    assert min(degrees) < 0 < max(degrees)
    assert 1 <= min(lengths_mm) < 1.2
    assert 2.8 < max(lengths_mm) <= 3
    steps_mm = [np.linalg.norm(each[:3, 3]) for each in motions["shift"]]
    np.testing.assert_allclose(steps_mm, [0.5, 1, 0.5, 1, 0.75, 1.5])


def changed(kind, image):
    changes = [each.voxels for each in perturbations(1) if each.kind == kind]
    return [change(image, np.random.default_rng(4)) for change in changes]


def test_thick_slices_are_means_of_neighbours():
    two, three = changed("thick slices", Image(CUBE, VALUES, HU, 1.0))

    before, here, after = VALUES[..., 1], VALUES[..., 2], VALUES[..., 3]
    np.testing.assert_allclose(three[..., 2], (before + here + after) / 3, atol=1e-6)
    between = ((before + here) / 2 + (here + after) / 2) / 2
    np.testing.assert_allclose(two[..., 2], between, atol=1e-6)


def test_noise_that_is_added_is_as_strong_as_the_image_s():
    image = Image(CUBE, np.zeros((60, 60, 40), np.float32), HU, 12.5)

    (noisy,) = changed("noise", image)

    assert noisy.std() == pytest.approx(12.5, rel=0.01)
    noise, *_ = [each for each in perturbations(1) if each.kind == "noise"]
    assert noise.applies(image, to_region=False)
    assert not noise.applies(Image(CUBE, VALUES, HU, 0.0), to_region=True)


def test_noise_is_estimated_beside_edges_and_without_padding():
    rng = np.random.default_rng(5)
    ramp = np.linspace(-200, 300, 96)[:, np.newaxis, np.newaxis] * np.ones((96, 80, 50))
    ramp[30:50, 20:60] = -800  # a lung
    values = ramp + rng.normal(scale=17.0, size=ramp.shape)
    values[:, 70:] = -2000  # padding

    assert noise_sd(values.astype(np.float32), HU) == pytest.approx(17.0, rel=0.04)
    assert noise_sd(ramp.astype(np.float32), HU) == pytest.approx(0.0, abs=1e-4)
    assert noise_sd(np.full((9, 9, 5), -2000.0, np.float32), HU) == 0.0


@pytest.mark.parametrize(
    "parameters",
    [
        pytest.param({}, id="stretched"),
        pytest.param({"spatial_mode": "spacing", "spacing_mm": "2,2.5,3"}, id="at a spacing"),
        pytest.param({"region_mode": "bbox", "region_components": "each"}, id="parts"),
        pytest.param({"region_mask": "fill_outside", "region_mask_dilation_mm": "4"}, id="filled"),
        pytest.param({"spatial_mode": "region", "orientation": "LPS"}, id="regions alone"),
    ],
)
@pytest.mark.parametrize("orientation", [((1, 0, 0), (0, 1, 0)), CORONAL])
def test_unperturbed_inputs_are_those_of_the_service(parameters, orientation):
    image = slices(PHANTOM, orientation, Modality="CT")
    parts = box("node", (40.5, 8.5), (50.5, 14.5), range(3, 8))
    study = zip_of(*image, rtstruct(image, [TUMOUR, parts]))
    recipe = Recipe.from_parameters(PARAMETERS | {"shape": "32,40,16"} | parameters)

    ((volume, subjects),) = subjects_in(study, recipe=recipe, options=Options())

    served = feature_inputs(memoryview(study), recipe=recipe, options=Options(), limits=Limits())
    scaled = volume.window.scale(volume.values)
    assert [one.label["roi"] for one in subjects] == [label["roi"] for label in served.labels]
    for subject, expected in zip(subjects, served.volumes, strict=True):
        seen = subject.input_of(scaled, subject.lattice, volume.grid.shape)
        np.testing.assert_allclose(seen, expected, atol=2e-5)


def row_of(study_uid, features, perturbed=(), **label):
    known = {"modality": "CT", "stack_index": 0, "roi": "", "component": "union"}
    label = {"study_uid": study_uid, "roi_number": None} | known | label
    subject = Subject(label, every_voxel((2, 2, 2)))
    vectors = [np.float32(each) for each in perturbed]
    return Measured(subject, 1.0, np.float32(features), {"shift": vectors} if vectors else {})


def test_rows_of_one_study_have_no_agreement_but_say_how_far_they_move():
    (line,) = lines_of([row_of("1.2", [3, 4], [[3, 4.5], [3, 4.5]])])

    assert line.agreement is None
    assert line.summary()["median_relative_l2"] == pytest.approx(0.1)
    assert line.features(["a", "b"])[1]["within_sd"] == pytest.approx(np.std([4, 4.5, 4.5], ddof=1))
    assert line.features(["a", "b"])[1]["icc"] is None


def test_regions_are_not_compared_with_whole_volumes():
    rows = [
        row_of(uid, [number, 2], [[number, 2.5]], roi=roi, roi_number=number if roi else None)
        for number, (uid, roi) in enumerate(
            [("1.2", ""), ("1.2", "GTV"), ("1.3", ""), ("1.3", "GTV")], start=1
        )
    ]

    assert [(line.group, line.summary()["subjects"]) for line in lines_of(rows)] == [
        ("CT, region of interest", 2),
        ("CT, whole volume", 2),
    ]


def test_a_retest_is_paired_by_what_rows_show_and_never_by_a_doubtful_name():
    first = [row_of("1.2", [1, 2]), row_of("1.2", [5, 6], roi="GTV", roi_number=1)]
    second = [row_of("1.3", [1, 3]), row_of("1.3", [5, 7], roi="GTV", roi_number=4)]
    doubtful = [*second, row_of("1.3", [5, 8], roi="GTV", roi_number=5)]

    region, whole = retest_lines([(first, second), (first, doubtful)])

    np.testing.assert_array_equal(whole.measured, [[[1, 2], [1, 3]]] * 2)
    np.testing.assert_array_equal(region.measured, [[[5, 6], [5, 7]]])
    assert (whole.studies, region.studies) == (2, 1)


def test_pairs_are_read_beside_their_csv(tmp_path):
    for name in ("a.zip", "b.zip"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "pairs.csv").write_text("patient,zip_a,zip_b\n1,a.zip,b.zip\n")

    ((first, second),) = read_pairs(tmp_path / "pairs.csv")

    assert (first.files, second.files) == ((tmp_path / "a.zip",), (tmp_path / "b.zip",))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("zip_a,zip\na.zip,b.zip\n", "has no column zip_b"),
        ("zip_a,zip_b\na.zip,c.zip\n", "line 2 of .*: no such file or folder: a.zip"),
        ("zip_a,zip_b\n,\n", r"line 2 of .*: no such file or folder: \(empty\)"),
        ("zip_a,zip_b\n.,.\n", r"line 2 of .*: \. holds 0 studies, not one"),
    ],
)
def test_pairs_that_cannot_be_measured_are_refused(tmp_path, text, sentence):
    (tmp_path / "pairs.csv").write_text(text)

    with pytest.raises(CallError, match=sentence):
        read_pairs(tmp_path / "pairs.csv")


def call(*words):
    command = [sys.executable, "-m", "tools.cli", "stability", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_wrong_call_exits_with_2():
    for words, sentence in (
        ((), "no study: name zips or folders"),
        (("nowhere.zip",), "no such file or folder: nowhere.zip"),
        ((data_folder("sample"), "--model", "none"), "there is no model none on this machine"),
        ((data_folder("sample"), "--out", __file__), "--out takes a folder"),
    ):
        refused = call(*words)
        assert (refused.returncode, sentence in refused.stderr) == (2, True)


@pytest.fixture
def network(server):
    parameters = parameters_of(data_folder("model_repository") / "ct3dcnn__v1_preprocess")
    return Network(server.http_url, "ct3dcnn__v1_extractor", Recipe.from_parameters(parameters))


def test_the_network_of_the_service_gives_the_features_of_the_model(server, network):
    study, nothing = study_with(TUMOUR), [Perturbation("nothing")]

    measured = measure(study, network, nothing, options=Options(), seed=[0])

    expected = infer(server.http_url, "ct3dcnn", study).features
    assert len(measured) == len(expected) == 2
    for one, features in zip(measured, expected, strict=True):
        assert relative_l2(features, one.unperturbed)[0] < 1e-5
        np.testing.assert_array_equal(one.perturbed["nothing"], [one.unperturbed])


def test_chance_is_drawn_from_the_seed(network):
    noisy = thorax(shape=(40, 44, 12), spacing_mm=(4.0, 4.0, 8.0))
    noisy.voxels[:] += np.random.default_rng(6).integers(-40, 40, noisy.voxels.shape, np.int16)
    plan = [each for each in perturbations(1) if each.kind in ("rotation", "noise")]

    first, again, other = (
        measure(zip_of(*slices(noisy)), network, plan, options=Options(), seed=seed)[0].perturbed
        for seed in ([1, 0], [1, 0], [2, 0])
    )

    for kind in ("rotation", "noise"):
        assert relative_l2(first[kind][0], again[kind][0])[0] < 1e-6
        assert relative_l2(first[kind][0], other[kind][0])[0] > 1e-6


def test_the_picture_has_a_panel_for_each_group(tmp_path):
    pytest.importorskip("matplotlib", reason="the extra bench is not installed")
    from tools.stability.plot import draw

    rows = [
        row_of(f"1.{n}", [n, n], [[n, n + 0.5]], modality=kind) for n in (1, 2) for kind in "AB"
    ]
    draw(lines_of(rows), tmp_path / "plot.png")

    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_a_region_that_no_study_has_is_said_to_be_missing(server):
    done = call(data_folder("sample"), "--roi", "GTV", "--url", server.http_url)

    assert done.returncode == 1
    assert "nothing was measured: no study has rows as asked for" in done.stderr
    assert not done.stdout


def test_stability_of_the_sample_and_a_phantom_is_told_and_written(server, tmp_path):
    shutil.copy(data_folder("sample") / "ct-chest-lidc-16.zip", tmp_path / "sample.zip")
    (tmp_path / "phantom.zip").write_bytes(study_with(TUMOUR))
    (tmp_path / "pairs.csv").write_text("zip_a,zip_b\nsample.zip,sample.zip\n")
    studies = (tmp_path / "sample.zip", tmp_path / "phantom.zip")
    out = tmp_path / "out"
    words = ("--pairs", tmp_path / "pairs.csv", "--repeats", 1, "--seed", 5, "--out", out)

    done = call(*studies, *words, "--url", server.http_url)

    assert done.returncode == 0, done.stderr
    assert "CT, whole volume: 2 studies" in done.stdout
    assert "rows of one study alone (CT, region of interest" in done.stderr
    document = json.loads((out / "stability.json").read_text())
    assert (document["seed"], document["repeats"]) == (5, 1)
    summary = {(one["group"], one["perturbation"]): one for one in document["summary"]}
    shift = summary["CT, whole volume", "shift"]
    assert (shift["subjects"], shift["measurements"], shift["features"]) == (2, 7, 256)
    assert 0 < shift["median_relative_l2"] < 0.1
    assert 0.5 < shift["median_icc"] <= 1
    assert ("CT, region of interest", "centre jitter") in summary
    assert summary["CT, whole volume", "test-retest"]["median_relative_l2"] == 0
    lines = list(csv.DictReader(io.StringIO((out / "agreement.csv").read_text())))
    assert len(lines) == 256 * len(summary)
    assert float(lines[-1]["within_sd"]) == 0
    printed = call(*studies[:1], "--repeats", 0, "--csv", "--url", server.http_url).stdout
    assert printed.startswith("group,perturbation,feature,icc,icc_lower,icc_upper,ccc,within_sd,")
    assert len(printed.splitlines()) == 1 + 2 * 256
