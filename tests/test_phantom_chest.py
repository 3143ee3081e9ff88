"""Synthetic chests: the class is told by where density lies, and by nothing simpler."""

import numpy as np
import pytest
from scipy import ndimage
from test_network_input import inputs_of

from tools.phantom_chest.anatomy import lungs_of, thorax, wall_of
from tools.phantom_chest.density import CLASSES, Added, add_density, order_of
from tools.phantom_chest.scan import acquisition, lattice, scanned
from tools.phantom_chest.study import phantom_study
from tools.phantom_chest.tubes import Tube, draw


def densities(label, added):
    """What one of the classes adds to the lungs of one body, [slice, row, column]."""
    random = np.random.default_rng(7)
    at, body = lattice(acquisition(random)), thorax(random)
    lungs = lungs_of(body, at)
    hu = np.zeros(at.shape, np.float32)
    order = order_of(label, body, at, lungs=lungs, random=random)
    add_density(hu, lungs, order, added=added)
    return hu, lungs


def test_both_classes_add_the_same_densities_to_the_same_number_of_lung_voxels():
    added = Added(share=0.1, dense=0.3, ground_hu=250.0, dense_hu=700.0)

    for label in CLASSES:
        hu, lungs = densities(label, added)

        total = round(0.1 * lungs.sum())
        assert np.count_nonzero(hu) == np.count_nonzero(hu[lungs]) == total
        assert np.count_nonzero(hu == 700.0) == pytest.approx(0.3 * total, abs=1)
        assert np.count_nonzero(hu == 250.0) == pytest.approx(0.7 * total, abs=1)


def test_foci_are_consolidated_inside_and_ground_glass_around():
    hu, _ = densities("lesions", Added(share=0.1, dense=0.3, ground_hu=250.0, dense_hu=700.0))

    depth = ndimage.distance_transform_edt(hu > 0)

    assert depth[hu == 700.0].mean() > 1.5 * depth[hu == 250.0].mean()


def test_a_seed_gives_the_same_study_and_another_gives_another():
    first, again, other = (
        inputs_of(phantom_study("lesions", seed)).labels[0] for seed in (3, 3, 4)
    )

    assert first["input_sha256"] == again["input_sha256"] != other["input_sha256"]
    assert first["study_uid"] == again["study_uid"] != other["study_uid"]
    assert first["patient_id"] == "chest-lesions-3"


@pytest.mark.parametrize("label", CLASSES)
def test_a_study_is_a_plausible_ct_of_a_chest(label):
    row = inputs_of(phantom_study(label, 11)).labels[0]

    codes = {each["code"] for each in row["quality"] if each["severity"] != "info"}
    assert codes <= {"THICK_SLICES"}
    assert all(2 < length < 4 for length in row["network_voxel_mm"][:2])
    assert row["shape"][2] * row["voxel_mm"][2] > 240


def test_the_scanner_blurs_shifts_and_adds_its_noise():
    random = np.random.default_rng(4)
    scan = acquisition(random)
    body = np.full((scan.slices, 40, 40), 50.0, np.float32)

    seen = scanned(body, scan, random)

    assert seen.dtype == np.int16
    assert seen.mean() == pytest.approx(50 + scan.offset_hu, abs=1)
    assert seen.std() == pytest.approx(scan.noise_hu, rel=0.05)


def test_the_spine_lies_at_the_back_and_the_diaphragm_below():
    random = np.random.default_rng(1)
    at, body = lattice(acquisition(random)), thorax(random)
    lungs, hu = lungs_of(body, at), wall_of(body, at)

    spine = np.argwhere(np.isclose(hu, body.bone_hu / 2)).mean(axis=0)
    assert spine[1] > hu.shape[1] / 2  # rows run to the back
    assert lungs[: len(lungs) // 8].sum() < lungs[len(lungs) // 2 :].sum() / 4  # slices to the head


def test_a_tube_has_its_volume():
    at = lattice(acquisition(np.random.default_rng(2)))
    hu = np.zeros(at.shape, np.float32)

    draw(hu, at, Tube((-60.0, 0.0, 0.0), (60.0, 0.0, 0.0), 9.0), value_hu=1.0)

    step_mm = [float(axis.ravel()[1] - axis.ravel()[0]) for axis in (at.z, at.y, at.x)]
    capsule_ml = np.pi * 9**2 * 120 + 4 / 3 * np.pi * 9**3
    assert hu.sum() * np.prod(step_mm) == pytest.approx(capsule_ml, rel=0.03)
