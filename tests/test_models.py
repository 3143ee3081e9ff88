"""Versions of published models: staged, asked, served, rolled back, removed; on a real Triton."""

import shutil
import threading
import time
from collections import Counter
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from numpy.linalg import norm

from tools.client import ServiceError, infer
from tools.engine import unused
from tools.engine.ports import free_ports
from tools.engine.run import running
from tools.engine.settings import EngineSettings
from tools.engine.unused import Unused
from tools.locations import data_folder
from tools.models.configs import parameters_of
from tools.models.golden import OPTIONS, Golden
from tools.models.names import ModelsError, Version, checked_name
from tools.models.pair import DIGEST, Candidate
from tools.models.publishing import publish, remove, roll_back
from tools.models.service import live_at
from tools.models.store import Store
from tools.phantom import phantom_zip

REPOSITORY = data_folder("model_repository")
SHAPE = (16, 12, 8, 1)
PARAMETERS = {
    name: value
    for name, value in parameters_of(REPOSITORY / "ct3dcnn__v1_preprocess").items()
    if not name.startswith("window_")
}
PARAMETERS |= {"shape": "16,12,8", "feature_prefix": "means1"}
MR = {"window_MR": "0.5,99.5 percentile", "trained_modalities": "MR"}
STUDY = phantom_zip("MR")


def silent(_):
    """Say nothing of what is being done."""


class Means(tf.Module):
    """A network whose features are means over parts of the volume, times a weight."""

    def __init__(self, weight, parts):
        super().__init__()
        self.weight, self.parts = tf.Variable(np.float32(weight)), parts

    @tf.function(input_signature=[tf.TensorSpec((None, *SHAPE), tf.float32, name="volumes")])
    def features(self, volumes):
        parts = tf.split(volumes, self.parts, axis=1)
        means = tf.stack([tf.reduce_mean(part, [1, 2, 3, 4]) for part in parts], 1)
        return {"features": means * self.weight}


def candidate(number, *, name="means", weight=1.0, parts=4, judge=None, **parameters):
    network = Means(weight, parts)
    judge = judge or network
    return Candidate(
        version=Version(name, number),
        shape=SHAPE,
        save=lambda folder: tf.saved_model.save(network, folder, network.features),
        features=lambda volumes: judge.features(volumes)["features"].numpy(),
        parameters={**PARAMETERS, **(parameters or MR)},
        card={"summary": "means of four parts"},
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("store"), REPOSITORY)


@pytest.fixture(scope="module")
def process(store):
    """A running Triton with the models of that store."""
    http_port, grpc_port, metrics_port = free_ports(3)
    settings = EngineSettings(http_port, grpc_port, metrics_port, store=store.folder)
    with running(settings) as triton:
        yield triton


@pytest.fixture(scope="module")
def live(store, process):
    return live_at(process.settings.http_url, store)


@pytest.fixture
def published(store, live):
    """Publish a version of a model of its own; what was published is forgotten afterwards."""
    names = set()

    def publishing(**options):
        version = store.next_version(options.get("name", "means"))
        made = candidate(version.number, **options)
        names.add(made.version.name)
        publish(made, store, lambda: nullcontext(live), say=silent)
        return made.version

    yield publishing
    for name in names:
        store.forget(name)
        live.load(name) if (REPOSITORY / name).exists() else live.unload(name)
        for version in store.versions(name):
            if version != store.served(name):
                remove(version, store, live)


def rows_of(live, model):
    answer = infer(live.url, model, STUDY, OPTIONS)
    return answer.features, answer.rows[0]


def digest(store, version):
    return parameters_of(store.folder_of(version.preprocess))[DIGEST]


@pytest.mark.parametrize("name", ["", "Ct", "a__b", "a_", "../a", "1a", "dicom_to_nifti", "a" * 41])
def test_names_that_would_not_do_are_refused(name):
    with pytest.raises(ModelsError, match="is no name for a model"):
        checked_name(name)


def test_a_version_is_served_under_its_name_at_once(store, live, published):
    version = published()

    features, row = rows_of(live, "means")

    assert features.shape == (1, 4)
    assert row["weights_sha256"] == digest(store, version)
    assert store.served("means") == version
    golden = Golden.read(store.folder_of(version.extractor) / "1")
    assert norm(features - golden.features) <= 1e-5 * norm(golden.features)


def test_the_next_version_takes_the_place_and_the_one_before_comes_back(store, live, published):
    first, second = published(weight=1.0), published(weight=2.0, parts=2)

    assert (first.number, second.number) == (1, 2)
    assert rows_of(live, "means")[0].shape == (1, 2)
    assert roll_back("means", store, live, to=None, say=silent) == first
    features, row = rows_of(live, "means")
    assert features.shape == (1, 4)
    assert row["weights_sha256"] == digest(store, first)
    assert roll_back("means", store, live, to=2, say=silent) == second
    assert rows_of(live, "means")[0].shape == (1, 2)


def test_what_killed_publishings_left_is_gone_after_the_next(store, published):
    first = published()
    for number, parts in ((8, first.parts), (9, first.parts[:1])):  # the second one in between
        for part in parts:
            left = part.replace(f"__v{first.number}_", f"__v{number}_")
            shutil.copytree(store.folder / part, store.folder / left)

    second = published(weight=2.0)

    assert store.versions("means") == [first, second]
    assert len(list(store.folder.glob("means__v*"))) == 4


def test_two_models_are_chosen_by_their_names(live, published):
    published(name="one", parts=2)
    published(name="two", parts=8)

    assert rows_of(live, "one")[0].shape == (1, 2)
    assert rows_of(live, "two")[0].shape == (1, 8)
    assert rows_of(live, "ct3dcnn")[0].shape == (1, 256)


def test_a_version_comes_into_force_under_load_and_no_request_fails(store, live, published):
    first = published(weight=1.0)
    digests, codes, done = [], Counter(), threading.Event()

    def send():
        while not done.is_set():
            try:
                digests.append(rows_of(live, "means")[1]["weights_sha256"])
            except ServiceError as error:
                codes[error.code] += 1

    clients = [threading.Thread(target=send) for _ in range(3)]
    for client in clients:
        client.start()
    second = published(weight=2.0)
    switched = len(digests)
    time.sleep(1)
    done.set()
    for client in clients:
        client.join()

    assert not codes
    assert set(digests) == {digest(store, first), digest(store, second)}
    assert set(digests[switched + len(clients) :]) == {digest(store, second)}


def broken(folder: Path) -> None:
    folder.mkdir()
    (folder / "saved_model.pb").write_bytes(b"no graph")


BROKEN = {
    "no SavedModel": ({"save": broken}, "Triton cannot load"),
    "another network": (
        {"features": lambda volumes: np.ones((len(volumes), 4), np.float32)},
        "gives other features than its network",
    ),
    "not a number": (
        {"features": lambda volumes: np.full((len(volumes), 4), np.nan, np.float32)},
        "all features of the phantom are 0, or not numbers",
    ),
    "a missing parameter": (
        {"parameters": {"shape": "16,12,8"}},
        "the parameter antialias is missing",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_version_that_does_not_answer_rightly_is_not_served(store, live, published, case):
    served = published()
    changed, reason = BROKEN[case]
    made = candidate(2)
    wrong = Candidate(**{**vars(made), **changed})

    with pytest.raises(ModelsError, match=reason):
        publish(wrong, store, lambda: nullcontext(live), say=silent)

    assert store.versions("means") == [served]
    assert rows_of(live, "means")[1]["weights_sha256"] == digest(store, served)
    assert not list(live.folder.glob("means__v2*"))
    assert {model for model in live.control.loaded_models() if "means" in model} == {
        "means",
        *served.parts,
    }


def test_what_is_served_and_what_came_with_the_project_is_not_removed(store, live, published):
    version = published()

    with pytest.raises(ModelsError, match="means__v1 is served: roll back"):
        remove(version, store, live)
    with pytest.raises(ModelsError, match="means has no version 7: there are 1"):
        remove(Version("means", 7), store, live)
    with pytest.raises(ModelsError, match="ct3dcnn__v1 is served"):
        remove(Version("ct3dcnn", 1), store, live)
    with pytest.raises(ModelsError, match="means has no earlier version that was served"):
        roll_back("means", store, live, to=None, say=silent)
    with pytest.raises(ModelsError, match="means__v1 is served already"):
        roll_back("means", store, live, to=1, say=silent)


def test_two_commands_do_not_change_the_store_at_once(store):
    with store.locked(), pytest.raises(ModelsError, match="another command is changing"):
        store.locked().__enter__()


def test_a_project_s_model_gets_further_versions_and_back(store, live, published):
    version = published(name="ct3dcnn")

    assert version == Version("ct3dcnn", 2)
    assert rows_of(live, "ct3dcnn")[0].shape == (1, 4)
    assert roll_back("ct3dcnn", store, live, to=None, say=silent) == Version("ct3dcnn", 1)
    assert rows_of(live, "ct3dcnn")[0].shape == (1, 256)


@pytest.mark.parametrize(("modality", "window"), [("CT", "-1000,400 HU"), ("PT", "0,10 SUVbw")])
def test_models_are_tried_with_a_phantom_of_their_modality(live, published, modality, window):
    published(**{f"window_{modality}": window, "trained_modalities": modality})

    with pytest.raises(ServiceError, match="no_window"):
        rows_of(live, "means")
    answer = infer(live.url, "means", phantom_zip(modality), OPTIONS)
    assert answer.features.shape == (1, 4)


def test_a_version_that_is_served_no_more_is_unloaded_when_it_is_idle(
    process, live, published, monkeypatch
):
    first, second = published(), published(weight=2.0)
    monkeypatch.setattr(unused, "CALM_SECONDS", 1.0)
    monkeypatch.setattr(unused, "EVERY_SECONDS", 0.0)
    watched = Unused(live.folder, live.control)

    unloaded = set()
    deadline = time.monotonic() + 20
    while not unloaded >= set(first.parts) and time.monotonic() < deadline:
        unloaded |= watched.let_go(process.stubs(), time.monotonic())
        time.sleep(0.3)

    assert unloaded >= set(first.parts)
    assert set(second.parts) <= live.control.loaded_models()
    assert rows_of(live, "means")[0].shape == (1, 4)
    assert roll_back("means", live.store, live, to=None, say=silent) == first
