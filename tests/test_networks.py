"""Networks of all kinds of files give, once cut and saved, the features that they gave before."""

import hashlib
import logging
import shutil
import subprocess
import sys

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
from network_files import KERAS_2, SHAPE, functional, miniature, saved, small, stored, volumes
from numpy.linalg import norm
from rich.console import Console
from savedmodels import save, spec
from tf_graph_safety import read_operations
from tf_signature import read_meta_graph, read_signature

from tools.networks import lean, open_network
from tools.networks.architectures import ARCHITECTURES
from tools.networks.lean import blocks_in
from tools.networks.listing import layers_table
from tools.networks.saving import probes
from tools.weights_digest import weights_sha256

PARITY = 1e-5
FILES = [
    pytest.param("example.h5", "example", None, id="Keras 2 HDF5"),
    pytest.param("example_weights.h5", "example", "miniature", id="weights of Keras 2"),
    pytest.param("example", "example", None, id="SavedModel of Keras 2"),
    pytest.param("functional_2_15.keras", "functional_2_15", None, id="Keras 2.15"),
    pytest.param("sequential_2_15.keras", "sequential_2_15", None, id="Keras 2.15, sequential"),
    pytest.param("nested.h5", "nested", None, id="Keras 2 HDF5 of nested networks"),
    pytest.param("another", "another", None, id="SavedModel of other layers"),
    pytest.param("function", "function", None, id="SavedModel without Keras"),
]


@pytest.fixture(autouse=True)
def _miniature_is_an_architecture(monkeypatch):
    monkeypatch.setitem(ARCHITECTURES, "miniature", miniature)


def features_of(directory, given):
    """Return what the saved network gives."""
    serve = tf.saved_model.load(directory).signatures["serving_default"]
    return serve(volumes=tf.constant(given))["features"].numpy()


def saved_features(network, layer, given, directory):
    network.save(layer, directory)
    return features_of(directory, given)


@pytest.mark.parametrize(("file", "name", "architecture"), FILES)
def test_a_saved_network_gives_the_features_that_it_gave_when_it_was_trained(
    file, name, architecture, tmp_path
):
    given, expected, layer = stored(name)
    network = open_network(KERAS_2 / file, architecture=architecture)

    found = saved_features(network, layer, given, tmp_path)

    assert norm(found - expected) <= PARITY * norm(expected)


@pytest.mark.parametrize(("file", "name", "architecture"), FILES)
def test_the_network_itself_gives_the_features_that_it_gave_when_it_was_trained(
    file, name, architecture
):
    given, expected, layer = stored(name)
    network = open_network(KERAS_2 / file, architecture=architecture)

    found = network.features(layer, given)

    assert norm(found - expected) <= PARITY * norm(expected)


@pytest.mark.parametrize("layer", ["flat", "dropout", "classes"])
def test_a_savedmodel_of_keras_is_cut_at_any_flat_layer(layer, tmp_path):
    network = open_network(KERAS_2 / "another")
    given = volumes()

    found = saved_features(network, layer, given, tmp_path)

    expected = network.features(layer, given)
    assert found.shape == (2, {"flat": 450, "dropout": 5, "classes": 2}[layer])
    assert norm(found - expected) <= PARITY * norm(expected)


def test_a_savedmodel_without_keras_is_cut_at_a_node(tmp_path):
    network = open_network(KERAS_2 / "function")
    given, expected, _ = stored("function")

    found = saved_features(network, "StatefulPartitionedCall/Max", given, tmp_path)

    assert norm(found - expected) <= PARITY * norm(expected)


@pytest.mark.parametrize(
    ("file", "architecture"),
    [("whole.keras", None), ("whole.h5", None), ("only.weights.h5", "miniature")],
)
def test_files_of_keras_3_give_the_features_of_their_layers(file, architecture, tmp_path):
    model, path = miniature(seed=7), tmp_path / file
    model.save_weights(path) if architecture else model.save(path)
    network = open_network(path, architecture=architecture)
    given = volumes(model.input_shape[1:])
    expected = keras.Model(model.input, model.layers[-4].output)(given, training=False).numpy()

    found = saved_features(network, network.default_layer(), given, tmp_path / "saved")

    assert norm(found - expected) <= PARITY * norm(expected)


def test_a_savedmodel_that_keras_3_exported_gives_its_output(tmp_path):
    model = small()
    model.export(tmp_path / "exported", verbose=False)
    network = open_network(tmp_path / "exported")
    given = volumes()
    [output] = network.layers

    found = saved_features(network, output.name, given, tmp_path / "saved")

    np.testing.assert_allclose(found, model(given).numpy(), rtol=1e-5, atol=1e-6)


def test_a_sequential_network_with_one_inside_is_cut_after_it(tmp_path):
    inside = keras.Sequential(
        [keras.Input(SHAPE), keras.layers.Conv3D(3, 3, padding="same", activation="relu")]
    )
    pooling = keras.layers.GlobalAveragePooling3D(name="mean")
    model = keras.Sequential([keras.Input(SHAPE), inside, pooling, keras.layers.Dense(1)])
    network = open_network(saved(model, tmp_path / "nested.keras"))
    given = volumes()

    found = saved_features(network, "mean", given, tmp_path / "saved")

    expected = pooling(inside(given)).numpy()
    assert [layer.kind for layer in network.layers] == [
        "Sequential",
        "GlobalAveragePooling3D",
        "Dense",
    ]
    assert network.layers[0].shape == (9, 10, 11, 3)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_half_precision_gives_features_in_float32(tmp_path):
    policy = keras.DTypePolicy("mixed_float16")
    model = functional(
        keras.layers.Conv3D(4, 3, dtype=policy), keras.layers.Flatten(name="flat", dtype=policy)
    )
    network = open_network(saved(model, tmp_path / "half.keras"))

    found = saved_features(network, "flat", volumes(), tmp_path / "saved")

    assert found.dtype == network.features("flat", volumes()).dtype == np.float32


def test_what_is_saved_takes_volumes_and_gives_features(tmp_path):
    open_network(KERAS_2 / "another").save("embedding", tmp_path)

    signature = read_signature(tmp_path, "serving_default", ())

    [(given, volume)], [(put_out, row)] = signature.inputs.items(), signature.outputs.items()
    assert (given, volume.shape, volume.data_type) == ("volumes", (-1, 9, 10, 11, 1), "TYPE_FP32")
    assert (put_out, row.shape, row.data_type) == ("features", (-1, 5), "TYPE_FP32")


@pytest.mark.parametrize(("file", "name", "architecture"), FILES)
def test_what_is_saved_is_safe_to_serve(file, name, architecture, tmp_path):
    network = open_network(KERAS_2 / file, architecture=architecture)
    network.save(stored(name)[2], tmp_path)

    operations = read_operations(read_meta_graph(tmp_path, ()))

    assert operations.unsafe == set()


def test_tensorflow_waits_until_a_network_is_opened():
    script = (
        "import sys, tools.networks, tools.networks.listing\n"
        "sys.exit(bool({'keras', 'tensorflow', 'h5py'} & set(sys.modules)))"
    )

    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_what_comes_after_the_cut_is_not_saved(tmp_path):
    network = open_network(KERAS_2 / "another")
    network.save("embedding", tmp_path / "cut")
    network.save("classes", tmp_path / "whole")

    cut, whole = (
        read_operations(read_meta_graph(tmp_path / name, ())).all for name in ("cut", "whole")
    )

    assert whole - cut == {"Softmax"}


def test_weights_are_stored_once(tmp_path):
    model = functional(keras.layers.Flatten(), keras.layers.Dense(100, name="embedding"))
    open_network(saved(model, tmp_path / "large.keras")).save("embedding", tmp_path / "saved")

    size_bytes = sum(path.stat().st_size for path in (tmp_path / "saved").rglob("*.*"))

    weights_bytes = 4 * (9 * 10 * 11 * 100 + 100)
    assert weights_bytes < size_bytes < 1.1 * weights_bytes


def test_the_architecture_of_the_example_is_computed_in_blocks():
    model = miniature()

    cut = keras.Model(model.input, model.layers[-4].output)

    assert len(blocks_in(cut)) == 4


@pytest.mark.parametrize(
    "convolution",
    [
        {"padding": "same"},
        {"strides": 2},
        {"dilation_rate": 2},
        {"activation": "elu"},
        {"use_bias": False},
        {"kernel_size": 5},
        {"groups": 2},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_other_convolutions_are_computed_by_their_layers(convolution):
    chosen = {"filters": 4, "kernel_size": 3, "activation": "relu"} | convolution
    model = functional(
        keras.layers.Conv3D(**chosen),
        keras.layers.MaxPool3D(2),
        keras.layers.BatchNormalization(),
        keras.layers.GlobalAveragePooling3D(),
        shape=(9, 10, 11, 2),
    )

    assert blocks_in(model) == []


def test_a_savedmodel_of_the_example_is_computed_in_blocks(tmp_path):
    network = open_network(KERAS_2 / "example")

    network.save(network.default_layer(), tmp_path)

    # A block's normalisation is part of the next block's kernel.
    operations = read_operations(read_meta_graph(tmp_path, ())).all
    assert "FusedBatchNormV3" not in operations


def test_a_savedmodel_much_like_the_example_gives_its_own_features(tmp_path):
    path = tmp_path / "like"
    shutil.copytree(KERAS_2 / "example", path)
    graph = path / "saved_model.pb"
    graph.write_bytes(graph.read_bytes().replace(b"Relu", b"Selu"))
    given, others, layer = stored("example")
    network = open_network(path)

    found = saved_features(network, layer, given, tmp_path / "saved")

    expected = network.features(layer, given)
    assert norm(found - expected) <= PARITY * norm(expected)
    assert norm(found - others) > 0.1 * norm(others)


def test_blocks_that_go_wrong_are_not_used(tmp_path, monkeypatch, caplog):
    def slightly_wrong(*arguments):
        return blocks(*arguments) * 1.0001

    blocks = lean.mean_of_blocks
    monkeypatch.setattr(lean, "mean_of_blocks", slightly_wrong)
    network = open_network(KERAS_2 / "example.h5")
    given, expected, layer = stored("example")

    with caplog.at_level(logging.WARNING):
        found = saved_features(network, layer, given, tmp_path)

    assert norm(found - expected) <= PARITY * norm(expected)
    assert "features differ from the layers' by 1.0e-04 of them" in caplog.text


def test_layers_are_listed_as_keras_2_described_them():
    network = open_network(KERAS_2 / "another")

    assert [(layer.name, layer.kind) for layer in network.layers] == [
        ("ct", "InputLayer"),
        ("stem", "Conv3D"),
        ("norm", "BatchNormalization"),
        ("relu", "ReLU"),
        ("branch", "Conv3D"),
        ("sum", "Add"),
        ("flat", "Flatten"),
        ("embedding", "Dense"),
        ("dropout", "Dropout"),
        ("classes", "Dense"),
    ]
    shapes = {layer.name: layer.shape for layer in network.layers}
    assert (shapes["ct"], shapes["stem"]) == ((9, 10, 11, 1), (5, 5, 6, 3))
    assert (shapes["flat"], shapes["embedding"]) == ((450,), (5,))
    parameters = {layer.name: layer.parameters for layer in network.layers}
    assert (parameters["stem"], parameters["norm"], parameters["sum"]) == (81, 12, 0)
    assert parameters["embedding"] == 450 * 5 + 5


def test_outputs_are_the_layers_of_a_savedmodel_without_keras():
    network = open_network(KERAS_2 / "function")

    assert [(layer.name, layer.kind, layer.shape) for layer in network.layers] == [
        ("embedding", "output", (4,)),
        ("maps", "output", (7, 8, 9, 4)),
    ]


@pytest.mark.parametrize(
    ("file", "form"),
    [
        ("example.h5", "Keras 2 HDF5"),
        ("functional_2_15.keras", "Keras 2 (.keras)"),
        ("another", "SavedModel, Keras 2"),
        ("function", "SavedModel"),
    ],
)
def test_the_kind_of_file_is_told(file, form):
    assert open_network(KERAS_2 / file).format == form


@pytest.mark.parametrize("file", ["example.h5", "example"])
def test_the_layer_before_the_classifying_ones_is_taken_by_default(file):
    network = open_network(KERAS_2 / file)

    assert network.default_layer() == "global_average_pooling3d"
    assert network.dropping(3) == "global_average_pooling3d"
    assert network.dropping(0) == "dense_1"


@pytest.mark.parametrize("file", ["another", "function"])
def test_no_layer_is_taken_by_default_of_another_architecture(file):
    assert open_network(KERAS_2 / file).default_layer() is None


def test_the_digest_is_that_of_the_file_or_of_the_folder():
    file, folder = KERAS_2 / "example.h5", KERAS_2 / "another"

    assert open_network(file).source_sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert open_network(folder).source_sha256 == weights_sha256(folder)


def test_layers_are_shown_in_a_table():
    console = Console(width=100, record=True)

    console.print(layers_table(open_network(KERAS_2 / "example.h5")))

    text = console.export_text()
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines[0] == "Keras 2 HDF5, volumes of 46×48×47×1"
    assert "conv3d_1 Conv3D 20×21×20×4 436" in lines
    assert "global_average_pooling3d GlobalAveragePooling3D 6 0 default" in lines
    assert "dense Dense 16 112 yes" in lines


def test_a_layer_without_an_array_of_its_own_is_listed_without_a_shape(tmp_path):
    shared = keras.layers.Dense(2, name="shared")
    inputs = keras.Input(SHAPE)
    mean = keras.layers.GlobalAveragePooling3D()(keras.layers.Conv3D(2, 3)(inputs))
    model = keras.Model(inputs, shared(shared(mean)))
    network = open_network(saved(model, tmp_path / "shared.keras"))
    console = Console(width=100, record=True)

    console.print(layers_table(network))

    assert network.layers[-1].shape is None
    assert "unknown" in console.export_text()


def test_the_probes_are_nothing_and_a_body_from_0_to_1():
    nothing, body = probes((20, 22, 24, 1))

    assert not nothing.any()
    assert 0 <= body.min() < body.max() <= 1
    assert body[0, 0, 0] == 0 < body[10, 11, 12]


def test_weights_of_keras_2_are_put_into_layers_by_their_order(tmp_path):
    path = tmp_path / "renamed.h5"
    path.write_bytes((KERAS_2 / "example_weights.h5").read_bytes())
    with h5py.File(path, "r+") as file:
        names = list(file.attrs["layer_names"])
        file.move("conv3d", "first")
        file.attrs["layer_names"] = ["first" if name == "conv3d" else name for name in names]
    given, expected, layer = stored("example")
    network = open_network(path, architecture="miniature")

    found = network.features(network.default_layer(), given)

    assert layer.startswith("global_average_pooling3d")
    assert norm(found - expected) <= PARITY * norm(expected)


def test_a_network_that_branches_by_a_condition_is_saved(tmp_path):
    @save(tmp_path / "branches", spec(None, 4, 4, 4, 1, name="x"))
    def path(x):
        total = tf.reduce_sum(x, [1, 2, 3])
        return {"y": tf.cond(tf.reduce_max(total) > 1, lambda: total * 2, lambda: total)}

    given = volumes((4, 4, 4, 1))

    found = saved_features(open_network(path), "y", given, tmp_path / "saved")

    np.testing.assert_allclose(found, 2 * given.sum((1, 2, 3)), rtol=1e-6)


def test_a_network_with_a_gradient_of_its_own_is_saved(tmp_path):
    @save(tmp_path / "swish", spec(None, 4, 4, 4, 1, name="x"))
    def path(x):
        return {"y": tf.reduce_sum(tf.nn.silu(x), [1, 2, 3])}

    given = volumes((4, 4, 4, 1))

    found = saved_features(open_network(path), "y", given, tmp_path / "saved")

    np.testing.assert_allclose(found, (given / (1 + np.exp(-given))).sum((1, 2, 3)), rtol=1e-5)
