"""The backend's engines: which computes, that both give the same, that a wrong one is noticed."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import savedmodels
import tf_cores
import tf_service
import tf_verdict
from savedmodels import BACKEND
from test_cores import QUOTAS, make_cgroups
from test_preprocess import PARAMETERS
from tf_errors import SavedModelError
from tf_graph_safety import read_operations
from tf_parity import TOLERANCE, largest_difference, samples
from tf_savedmodel import SavedModel
from tf_settings import Settings
from tf_signature import read_meta_graph, read_signature
from tf_verdict import Candidate, Verdict, choose

from imaging.archive import Limits
from imaging.options import Options
from imaging.preprocess import feature_inputs
from imaging.recipe import Recipe
from tools.locations import data_folder

VERSION = data_folder("model_repository") / "ct3dcnn__v1_extractor" / "1"
SHARED_CT = [
    "ct-chest-lidc-16",
    "ct-chest-rtstruct-lung1",
    "ct-head-tilt-variable-ge",
    "ct-liver-seg-3slice",
    "ct-orientation-phantom",
    "ct-tilt-nodeclared-4slice",
]
ONE_BY_ONE = Settings(engine="auto", rows_at_once=1)

with_openvino = pytest.mark.usefixtures("tf_openvino")


@pytest.fixture(autouse=True)
def _no_trial_is_remembered(monkeypatch):
    monkeypatch.delenv(tf_verdict.FOLDER, raising=False)


@pytest.fixture
def tf_openvino():
    """The module, where OpenVINO is installed."""
    pytest.importorskip("openvino", reason="OpenVINO is not installed: the extra `openvino`")
    import tf_openvino

    return tf_openvino


@cache
def tensorflow():
    """The shipped network in TensorFlow."""
    return SavedModel(VERSION / "model.savedmodel", signature_of(VERSION))


def signature_of(version, settings=ONE_BY_ONE):
    return read_signature(version / "model.savedmodel", settings.signature, settings.tags)


def candidate(version, settings=ONE_BY_ONE):
    directory = version / "model.savedmodel"
    operations = read_operations(read_meta_graph(directory, settings.tags))
    return Candidate(directory, version, signature_of(version, settings), operations, settings)


@pytest.fixture
def built(tmp_path):
    """Return a function that builds a version folder with a SavedModel of a kind."""

    def build(kind, **options):
        getattr(savedmodels, kind)(tmp_path / "model.savedmodel", **options)
        return tmp_path

    return build


# How many cores


@pytest.mark.parametrize(("membership", "files", "expected"), QUOTAS)
def test_threads_are_those_that_a_quota_lets_run(
    tmp_path, monkeypatch, membership, files, expected
):
    make_cgroups(tmp_path, membership, files)
    monkeypatch.setattr(tf_cores, "MEMBERSHIP", tmp_path / "membership")
    monkeypatch.setattr(tf_cores, "CGROUPS", tmp_path / "fs")
    monkeypatch.setattr(tf_cores.os, "sched_getaffinity", lambda _: set(range(8)))

    assert Settings().threads == expected
    assert Settings(intra_op_threads=5).threads == 5


def test_a_gpu_may_compute_more_rows_together():
    both = Settings(rows_at_once=1, rows_at_once_gpu=4)

    assert (both.rows_on(gpu=False), both.rows_on(gpu=True)) == (1, 4)
    assert Settings(rows_at_once=2).rows_on(gpu=True) == 2


# What OpenVINO computes


def test_openvino_gives_tensorflows_features_on_the_inputs_beside_the_model(tf_openvino):
    signature = signature_of(VERSION)
    other = tf_openvino.OpenVinoModel(VERSION / "model.savedmodel", signature, threads=2)
    inputs = samples(VERSION, signature)

    assert len(inputs) == 3  # the sample study, the phantom, noise
    assert largest_difference(tensorflow(), other, inputs) < TOLERANCE / 5


@pytest.mark.parametrize("name", SHARED_CT)
def test_openvino_gives_tensorflows_features_on_real_images(tf_openvino, shared_data, name):
    other = tf_openvino.OpenVinoModel(
        VERSION / "model.savedmodel", signature_of(VERSION), threads=2
    )
    rows = feature_inputs(
        memoryview((shared_data / "dicom" / f"{name}.zip").read_bytes()),
        recipe=Recipe.from_parameters(PARAMETERS),
        options=Options(every_series=True, regions="whole", preview=False),
        limits=Limits(),
    ).volumes

    assert rows
    inputs = [{"volumes": row[np.newaxis]} for row in rows]
    assert largest_difference(tensorflow(), other, inputs) < TOLERANCE / 5


def test_the_comparison_sees_bfloat16(tf_openvino, monkeypatch):
    capabilities = tf_openvino.openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if "BF16" not in capabilities:
        pytest.skip("this processor does not compute in bfloat16")
    monkeypatch.setattr(tf_openvino, "PRECISION", "bf16")
    signature = signature_of(VERSION)
    rounded = tf_openvino.OpenVinoModel(VERSION / "model.savedmodel", signature, threads=2)

    assert largest_difference(tensorflow(), rounded, samples(VERSION, signature)) > 50 * TOLERANCE


def test_the_comparison_sees_a_volume_that_is_turned():
    def turned(inputs):
        return tensorflow()({"volumes": np.ascontiguousarray(inputs["volumes"].swapaxes(1, 2))})

    inputs = samples(VERSION, signature_of(VERSION))

    assert largest_difference(tensorflow(), turned, inputs) > 50 * TOLERANCE


def test_the_comparison_sees_a_weight_that_is_off(built, tmp_path):
    version = built("image")
    shifted = savedmodels.image(tmp_path / "shifted", shift=3e-4)
    signature = signature_of(version)

    difference = largest_difference(
        SavedModel(version / "model.savedmodel", signature),
        SavedModel(shifted, signature),
        samples(version, signature),
    )

    assert TOLERANCE < difference < 1e-3


@pytest.mark.parametrize("rows", [1, 3])
def test_openvino_answers_any_number_of_rows(tf_openvino, built, rows):
    version = built("image")
    signature = signature_of(version)
    inputs = {"pixels": np.random.default_rng(rows).random((rows, 8, 8, 3), np.float32)}

    model = tf_openvino.OpenVinoModel(version / "model.savedmodel", signature, threads=1)

    expected = SavedModel(version / "model.savedmodel", signature)(inputs)
    found, none = model(inputs), model({"pixels": inputs["pixels"][:0]})

    assert found["features"].dtype == np.float32
    assert none["features"].shape == (0, 4)
    np.testing.assert_allclose(found["features"], expected["features"], rtol=1e-5)


# On what they are compared


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": np.zeros((1, 8, 8, 3))}, r"has no 'pixels' of shape \[-1, 8, 8, 3\]"),
        ({"pixels": np.zeros((1, 8, 8))}, r"has no 'pixels' of shape \[-1, 8, 8, 3\]"),
        ({"pixels": np.zeros((0, 8, 8, 3))}, r"has \[0\] rows"),
        ({"pixels": np.array([{}])}, "cannot be read: ValueError"),
        (None, "cannot be read: "),
    ],
)
def test_a_file_of_inputs_that_does_not_fit_is_refused(built, arrays, message):
    version = built("image")
    if arrays is None:
        (version / "parity.npz").write_bytes(b"PK\x03\x04 and no more")
    else:
        np.savez(version / "parity.npz", **arrays)

    with pytest.raises(SavedModelError, match=f"parity.npz {message}"):
        samples(version, signature_of(version))


@pytest.mark.parametrize(
    ("expected", "found", "difference"),
    [
        ([3.0, -4.0], [3.0, -4.00004], 1e-5),
        ([0.0, 0.0], [0.0, 0.0], 0),
        ([0.0, 0.0], [0.0, 1e-30], np.inf),
        ([1.0, np.nan], [1.0, np.nan], 0),
        ([1.0, 2.0], [1.0, np.nan], np.inf),
        ([1, 2], [1, 3], np.inf),
        ([1, 2], [1, 2], 0),
        ([1, 2], [1.0, 2.0], np.inf),
        ([1.0, 2.0], [[1.0, 2.0]], np.inf),
    ],
)
def test_differences_are_relative_to_the_largest_value(expected, found, difference):
    one, other = (lambda _, values=values: {"y": np.array(values)} for values in (expected, found))

    assert largest_difference(one, other, [{}]) == pytest.approx(difference)


# Which engine


def trial(*, tensorflow=(0.2, 0.4), openvino=(0.1, 0.2), difference=3e-7):
    return {
        "samples": 3,
        "difference": difference,
        "tensorflow": list(tensorflow),
        "openvino": list(openvino),
    }


@with_openvino
@pytest.mark.parametrize(
    ("found", "openvino", "reason"),
    [
        pytest.param(trial(), True, "TensorFlow 0.2000 s .* OpenVINO 0.1000 s", id="faster"),
        pytest.param(trial(openvino=(0.196, 0.39)), False, "OpenVINO 0.1960 s", id="hardly faster"),
        pytest.param(trial(openvino=(0.3, 0.3)), False, "OpenVINO 0.3000 s", id="slower"),
        pytest.param(trial(openvino=(0.1, 0.5)), False, "0.5000 s; their", id="takes more cores"),
        pytest.param(trial(difference=2e-3), False, "differ .* 2.0e-03 .* 1e-05 is", id="differs"),
        pytest.param(trial(difference=np.inf), False, "differ .* by inf", id="something else"),
        pytest.param({"problem": "it cannot"}, False, "^it cannot$", id="not converted"),
    ],
)
def test_openvino_computes_where_it_gives_the_same_and_is_faster(
    built, monkeypatch, found, openvino, reason
):
    monkeypatch.setattr(tf_verdict, "_run", lambda _: found)

    verdict = choose(candidate(built("image")), wants_gpu=False)

    assert verdict.openvino == openvino
    assert re.search(reason, verdict.reason)


@with_openvino
def test_asked_for_openvino_may_be_slower_but_not_other(built, monkeypatch):
    asked = candidate(built("image"), replace(ONE_BY_ONE, engine="openvino"))

    monkeypatch.setattr(tf_verdict, "_run", lambda _: trial(openvino=(0.9, 0.9)))
    assert choose(asked, wants_gpu=False).openvino

    monkeypatch.setattr(tf_verdict, "_run", lambda _: trial(difference=2e-3))
    with pytest.raises(SavedModelError, match='engine is "openvino", but OpenVINO\'s outputs diff'):
        choose(asked, wants_gpu=False)


@with_openvino
@pytest.mark.parametrize(
    ("kind", "settings", "reason"),
    [
        ("image", {"rows_at_once": 0}, "rows one by one, which rows_at_once must allow"),
        ("fixed", {}, "rows one by one"),
        ("named", {"signature": "triple"}, "the default signature alone"),
        ("dynamic", {}, "the size of a row and numbers in it"),
        ("types", {}, "the size of a row and numbers in it"),
        ("two", {}, "OpenVINO leaves out Assert"),
    ],
)
def test_what_openvino_cannot_do_is_not_tried(built, monkeypatch, kind, settings, reason):
    monkeypatch.setattr(tf_verdict, "_run", lambda _: pytest.fail("it was tried"))
    asked = candidate(built(kind), replace(ONE_BY_ONE, **settings))

    verdict = choose(asked, wants_gpu=False)

    assert not verdict.openvino
    assert reason in verdict.reason


@with_openvino
def test_a_gpu_is_not_left_idle_for_openvino(built):
    verdict = choose(candidate(built("image")), wants_gpu=True)

    assert verdict == Verdict(False, "OpenVINO computes on CPUs, and this instance has a GPU")


def test_without_openvino_tensorflow_computes_unless_openvino_was_asked_for(built, monkeypatch):
    version = built("image")
    monkeypatch.setattr(tf_verdict, "find_spec", lambda _: None)

    assert choose(candidate(version), wants_gpu=False) == Verdict(
        False, "OpenVINO is not installed"
    )
    with pytest.raises(SavedModelError, match='"openvino", but OpenVINO is not installed'):
        choose(candidate(version, replace(ONE_BY_ONE, engine="openvino")), wants_gpu=False)


def test_tensorflow_alone_is_the_default(built, monkeypatch):
    monkeypatch.setattr(tf_verdict, "_run", lambda _: pytest.fail("it was tried"))

    assert choose(candidate(built("image"), Settings()), wants_gpu=False) == Verdict(False, "")


@with_openvino
def test_what_a_trial_found_is_kept_in_the_folder_until_the_model_is_another(tmp_path, monkeypatch):
    folder, asked = tmp_path / "kept", []
    folder.mkdir()
    monkeypatch.setenv(tf_verdict.FOLDER, str(folder))
    monkeypatch.setattr(tf_verdict, "_run", lambda question: asked.append(question) or trial())
    (tmp_path / "1").mkdir()
    version = tmp_path / "1"
    savedmodels.image(version / "model.savedmodel")

    verdicts = {choose(candidate(version), wants_gpu=False) for _ in range(3)}
    assert (len(verdicts), len(asked), len(list(folder.iterdir()))) == (1, 1, 1)

    choose(candidate(version, replace(ONE_BY_ONE, intra_op_threads=7)), wants_gpu=False)
    np.savez(version / "parity.npz", pixels=np.zeros((1, 8, 8, 3)))
    choose(candidate(version), wants_gpu=False)
    assert len(asked) == 3


# Loaded for real: a trial in a process of its own, then one engine


LOAD = """
import json, socket, sys
sys.path.append(sys.argv[1])
from pathlib import Path
import numpy as np
import tf_service
socket.getaddrinfo = socket.socket.connect = lambda *_: sys.exit("it used the network")
tensors = {"input": [{"name": "pixels", "data_type": "TYPE_FP32", "dims": [8, 8, 3]}],
           "output": [{"name": "features", "data_type": "TYPE_FP32", "dims": [4]}]}
parameters = {name: {"string_value": value} for name, value in json.loads(sys.argv[3]).items()}
config = {"max_batch_size": 8, **tensors, "parameters": parameters}
try:
    service = tf_service.load(config, Path(sys.argv[2]), wants_gpu=False, device="0")
except tf_service.SavedModelError as error:
    sys.exit(str(error))
(answer,) = service.answers([{"pixels": np.ones((5, 8, 8, 3), np.float32)}])
print(json.dumps({
    "description": service.description,
    "features": answer["features"].tolist(),
    "imported": sorted({"tensorflow", "openvino"} & set(sys.modules)),
    "reports": sys.modules.get("openvino_telemetry") is not None,
}))
"""


def load(version, **parameters):
    """What a process that loads a model says of it: JSON, or why it refuses."""
    command = [sys.executable, "-c", LOAD, BACKEND, version, json.dumps(parameters)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr.splitlines()[-1]


@with_openvino
def test_the_process_that_serves_has_one_engine_and_reports_to_nobody(built):
    version = built("image")

    found = load(version, engine="openvino", rows_at_once="2")

    assert found["imported"] == ["openvino"]
    assert not found["reports"]
    assert "OpenVINO 2026" in found["description"]
    expected = SavedModel(version / "model.savedmodel", signature_of(version))(
        {"pixels": np.ones((5, 8, 8, 3), np.float32)}
    )
    np.testing.assert_allclose(found["features"], expected["features"], rtol=1e-5)


@with_openvino
def test_tried_or_not_tensorflow_computes_to_the_last_bit(built):
    version = built("image")
    np.savez(version / "parity.npz", images=np.zeros((1, 8, 8, 3)))  # for another model

    found = load(version, engine="auto", rows_at_once="2")

    assert found["imported"] == ["tensorflow"]
    assert "(parity.npz has no 'pixels' of shape [-1, 8, 8, 3])" in found["description"]
    expected = SavedModel(version / "model.savedmodel", signature_of(version))(
        {"pixels": np.ones((2, 8, 8, 3), np.float32)}
    )
    assert found["features"][:2] == expected["features"].tolist()


@with_openvino
@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("unknown_operation", "needs Batainc: this TensorFlow has no such operations"),
        ("without_variables", 'the parameter engine is "openvino", but '),
    ],
)
def test_what_tensorflow_would_not_load_openvino_does_not_either(built, kind, message):
    asked = candidate(built(kind), replace(ONE_BY_ONE, engine="openvino"))

    with pytest.raises(SavedModelError, match=message):
        choose(asked, wants_gpu=False)


@with_openvino
def test_a_trial_that_dies_is_no_reason_not_to_serve(built, monkeypatch):
    monkeypatch.setattr(tf_verdict, "_python", lambda: "false")  # true(1)'s opposite

    verdict = choose(candidate(built("image")), wants_gpu=False)

    assert verdict == Verdict(False, "the trial of OpenVINO came to nothing: JSONDecodeError")


def test_what_reaches_files_is_refused_before_any_engine_runs_it(built, monkeypatch):
    monkeypatch.setattr(tf_verdict, "_run", lambda _: pytest.fail("it was tried"))
    version = built("file_reader")
    config = {
        "max_batch_size": 8,
        "input": [{"name": "path", "data_type": "TYPE_STRING", "dims": [1]}],
        "output": [],
        "parameters": {
            "engine": {"string_value": "openvino"},
            "rows_at_once": {"string_value": "1"},
        },
    }

    with pytest.raises(SavedModelError, match="would run ReadFile"):
        tf_service.load(config, version, wants_gpu=False, device="0")
