"""A network is fitted by the example's recipe, and a run that was killed goes on where it was."""

import csv
from dataclasses import replace

import keras
import numpy as np
import pytest
from scipy import ndimage

from tools.training.curve import draw_curve, write_history
from tools.training.errors import TrainingError
from tools.training.fitting import Data, Plan, fit, rotated, scored
from tools.training.normalisation import measure_normalisation
from tools.training.split import Split
from tools.training.state import BEST, Progress, remove_state

SHAPE = (16, 14, 8)


def network():
    """Small, with all kinds of layers that have a state."""
    inputs = keras.Input((*SHAPE, 1))
    initial = keras.initializers.GlorotUniform(seed=4)
    values = keras.layers.Conv3D(4, 3, activation="relu", kernel_initializer=initial)(inputs)
    values = keras.layers.BatchNormalization()(values)
    values = keras.layers.GlobalAveragePooling3D()(values)
    values = keras.layers.Dropout(0.3)(values)
    initial = keras.initializers.GlorotUniform(seed=5)
    outputs = keras.layers.Dense(1, activation="sigmoid", kernel_initializer=initial)(values)
    return keras.Model(inputs, outputs, name="small")


@pytest.fixture
def data():
    """Volumes with a brighter block in the positive ones."""
    random = np.random.default_rng(8)
    volumes = random.uniform(0, 0.5, (13, *SHAPE)).astype(np.float16)
    positive = np.arange(13) % 2 == 1
    volumes[positive, 4:10, 4:10, 2:6] += np.float16(0.4)
    return Data(volumes, positive, Split(tuple(range(9)), (9, 10, 11, 12)))


def fitted(data, folder, epochs, **changes):
    plan = Plan(**{"epochs": epochs, "seed": 3, "key": "of the test", "patience": 9} | changes)
    return list(fit(network(), data, plan, folder=folder))[-1]


def told(progress):
    return [{**entry, "seconds": 0, "peak_memory_bytes": 0} for entry in progress.history]


def test_a_run_that_was_killed_ends_as_one_that_was_not(data, tmp_path):
    once, twice = tmp_path / "once", tmp_path / "twice"
    once.mkdir()
    twice.mkdir()
    expected = fitted(data, once, 5)

    assert len(fitted(data, twice, 2).history) == 2
    found = fitted(data, twice, 5)

    assert told(found) == told(expected)
    assert found.best == expected.best
    for ours, theirs in zip(
        *(keras.models.load_model(each / BEST).get_weights() for each in (twice, once)), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_a_kill_between_two_files_leaves_the_epoch_before(data, tmp_path):
    expected = fitted(data, tmp_path, 2)
    (tmp_path / "state-0003.keras").write_bytes(b"cut short")
    (tmp_path / "state.part.json").write_text("{")

    found = fitted(data, tmp_path, 3)

    assert told(found)[:2] == told(expected)
    assert len(found.history) == 3


def test_what_is_kept_is_the_network_of_the_best_epoch(data, tmp_path):
    best = fitted(data, tmp_path, 6)

    kept = keras.models.load_model(tmp_path / BEST)
    scores = scored(kept, data.volumes, np.array(data.split.validation))

    right = np.where(data.positive[list(data.split.validation)], scores, 1 - scores)
    of_best = best.history[best.best - 1]["validation_loss"]
    assert -np.log(right).mean() == pytest.approx(of_best, abs=2e-6)
    assert not hasattr(kept, "optimizer")


def test_the_best_epoch_has_the_highest_auc_and_of_equal_ones_the_lowest_loss():
    told = [(0.5, 0.7), (0.9, 2.0), (0.9, 1.5), (0.9, 1.5), (0.8, 0.1)]
    history = tuple({"validation_auc": auc, "validation_loss": loss} for auc, loss in told)

    progress = Progress(history)

    assert (progress.best, progress.waited) == (3, 2)
    assert Progress().best == 0


def test_epochs_that_get_no_better_end_the_run(data, tmp_path):
    wrong = data.positive.copy()
    wrong[9:] = ~wrong[9:]  # what is learned makes validation worse
    progress = fitted(replace(data, positive=wrong), tmp_path, 60, patience=2)

    assert progress.waited == 2
    assert len(progress.history) < 60


def test_a_run_of_other_settings_is_not_gone_on_with(data, tmp_path):
    fitted(data, tmp_path, 1)

    with pytest.raises(TrainingError, match="holds a run with other studies or settings"):
        fitted(data, tmp_path, 2, key="other")


def test_the_loss_of_an_epoch_is_the_mean_over_its_studies(data, tmp_path, monkeypatch):
    model = network()
    monkeypatch.setattr(
        model, "train_on_batch", lambda volumes, _wanted: [0, 6.0, 1.5][len(volumes)]
    )

    progress = list(fit(model, data, Plan(epochs=1, seed=3, key=""), folder=tmp_path))[-1]

    assert progress.history[0]["loss"] == pytest.approx((8 * 1.5 + 6.0) / 9)  # four pairs and one


def test_a_volume_is_turned_in_the_axial_plane_and_stays_in_its_range():
    volume = (np.random.default_rng(2).random((20, 22, 3)) > 0.5).astype(np.float32)

    turned = rotated(volume, 20)

    plane = ndimage.rotate(volume[:, :, 1], 20, axes=(1, 0), reshape=False)
    np.testing.assert_allclose(turned[:, :, 1], plane.clip(0, 1), atol=1e-6)
    assert (turned.min(), turned.max()) == (0, 1)
    assert not turned[0, 0].any()  # a corner, where nothing was


def test_the_history_is_a_table_and_a_picture(data, tmp_path):
    pytest.importorskip("matplotlib", reason="the picture is an extra")
    progress = fitted(data, tmp_path, 2)

    write_history(progress, tmp_path / "history.csv")
    assert draw_curve(progress, tmp_path / "curve.png")

    with (tmp_path / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert float(rows[1]["validation_loss"]) == progress.history[1]["validation_loss"]
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib_there_is_no_picture(tmp_path, monkeypatch):
    monkeypatch.setattr("tools.training.curve.find_spec", lambda _name: None)

    assert not draw_curve(Progress(), tmp_path / "curve.png")


def test_a_finished_run_leaves_no_state(data, tmp_path):
    fitted(data, tmp_path, 1)

    remove_state(tmp_path)

    assert [each.name for each in tmp_path.iterdir()] == [BEST]


def test_the_normalisation_is_that_of_the_batches_for_the_weights_as_they_are():
    model = network()
    normalisation = model.layers[2]
    volumes = np.random.default_rng(5).random((3, 2, *SHAPE, 1)).astype(np.float32)

    measure_normalisation(model, volumes)

    before = keras.Model(model.input, model.layers[1].output)
    seen = np.array([before(batch).numpy() for batch in volumes])
    over = (1, 2, 3, 4)  # all but the batch and the channel
    np.testing.assert_allclose(normalisation.moving_mean, seen.mean(axis=over).mean(0), rtol=1e-4)
    np.testing.assert_allclose(
        normalisation.moving_variance, seen.var(axis=over).mean(0), rtol=1e-3
    )
    assert normalisation.momentum == keras.layers.BatchNormalization().momentum
