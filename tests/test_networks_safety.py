"""Files that would do more than arithmetic, or unpack to more than they should, are refused."""

import json
import zipfile

import h5py
import keras
import pytest
import savedmodels
import tensorflow as tf
from network_files import KERAS_2, functional, saved, small
from savedmodels import save, spec

from tools.networks import NetworkError, file_bounds, open_network
from tools.networks.operations import check_operations


@keras.saving.register_keras_serializable("elsewhere")
class Doubled(keras.layers.Layer):
    """A layer of somebody's own."""

    def call(self, values):
        return 2 * values


def refused(path, message, **options):
    with pytest.raises(NetworkError, match=message):
        open_network(path, **options)


@pytest.mark.parametrize(
    ("kind", "operation"),
    [
        ("python_call", "PyFunc"),
        ("file_reader", "ReadFile"),
        ("file_printer", "PrintV2"),
        ("checkpoint_writer", "SaveV2"),
        ("unknown_operation", "Batainc"),
        ("text", "InitializeTableFromTextFileV2"),
    ],
)
def test_a_savedmodel_that_does_more_than_arithmetic_is_refused(kind, operation, tmp_path):
    path = getattr(savedmodels, kind)(tmp_path / kind)

    refused(path, f"the SavedModel has .*{operation}.*: only operations on arrays .* --trust")


def test_a_function_that_nothing_calls_is_looked_at_too(tmp_path):
    module = tf.Module()
    given = tf.TensorSpec((None, 4, 4, 4, 1), tf.float32)
    module.serve = tf.function(lambda x: {"y": tf.reduce_sum(x, [1, 2, 3])}, [given])
    module.hidden = tf.function(tf.io.read_file, [tf.TensorSpec((), tf.string)])
    tf.saved_model.save(module, tmp_path, {"serving_default": module.serve})

    refused(tmp_path, "the SavedModel has ReadFile: ")


def test_python_in_a_savedmodel_is_taken_with_trust(tmp_path):
    @save(tmp_path / "python", spec(None, 4, 4, 4, 1, name="x"))
    def path(x):
        doubled = tf.py_function(lambda values: 2 * values, [x], tf.float32)
        return {"y": tf.reduce_sum(tf.ensure_shape(doubled, x.shape), [1, 2, 3])}

    refused(path, "the SavedModel has EagerPyFunc: ")
    assert open_network(path, trust=True).layers[0].name == "y"


@pytest.mark.parametrize("name", ["another", "function"])
def test_savedmodels_as_training_leaves_them_are_taken(name):
    check_operations(KERAS_2 / name, trust=False)


@pytest.mark.parametrize("file", ["network.keras", "network.h5"])
@pytest.mark.parametrize("trust", [False, True])
def test_python_code_in_a_file_is_refused_even_with_trust(file, trust, tmp_path):
    model = small(keras.layers.Lambda(lambda values: 2 * values, name="doubled"))

    refused(saved(model, tmp_path / file), "layer 'doubled' is a Lambda, Python code", trust=trust)


@pytest.mark.parametrize("file", ["network.keras", "network.h5"])
def test_a_class_of_somebodys_own_is_refused(file, tmp_path):
    path = saved(small(Doubled(name="twice")), tmp_path / file)

    refused(path, "layer 'twice' is .*Doubled, not among the classes of Keras .* --trust")


def test_a_class_of_somebodys_own_is_taken_with_trust_if_it_is_registered(tmp_path):
    path = saved(small(Doubled(name="twice")), tmp_path / "own.keras")

    network = open_network(path, trust=True)

    assert network.layers[-1].kind == "Doubled"
    assert network.layers[-1].shape == (2,)


def test_a_class_that_nobody_registered_is_refused_with_trust(tmp_path):
    path = saved(small(Doubled(name="twice")), tmp_path / "own.keras")
    _change_config(path, lambda text: text.replace("elsewhere>Doubled", "elsewhere>Tripled"))

    refused(path, "Keras 3.* cannot make the network of own.keras", trust=True)


def test_a_class_of_another_module_is_refused_whatever_its_name(tmp_path):
    path = saved(small(), tmp_path / "disguised.keras")
    _change_config(
        path,
        lambda text: text.replace(
            '"module": "keras.layers", "class_name": "Dense"',
            '"module": "subprocess", "class_name": "Dense"',
        ),
    )

    refused(path, "layer 'embedding' is subprocess.Dense, not among")


def test_a_function_for_a_layer_to_call_is_refused(tmp_path):
    path = saved(small(), tmp_path / "function.keras")
    called = {"module": "os", "class_name": "function", "config": "system"}
    _change_config(path, lambda text: text.replace('"linear"', json.dumps(called)))

    refused(path, "something in the file is os.function, not among")


def test_layers_of_keras_that_read_files_are_refused(tmp_path):
    model = functional(keras.layers.Flatten(), keras.layers.Discretization([0.5], name="bins"))

    refused(saved(model, tmp_path / "bins.keras"), "layer 'bins' is .*Discretization, not among")


def test_a_description_nested_without_end_is_refused(tmp_path):
    path = saved(small(), tmp_path / "deep.keras")
    _change_config(path, lambda _: "[" * 200_000)

    refused(path, "the description of the network in deep.keras is broken")


def test_a_description_that_is_too_long_is_refused(tmp_path):
    path = saved(small(), tmp_path / "long.keras")
    _change_config(path, lambda text: text + " " * 17_000_000)

    refused(path, "config.json in the file has 17 MB; 17 MB are allowed")


def test_a_zip_without_a_network_is_refused(tmp_path):
    path = tmp_path / "study.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("slice.dcm", b"")

    refused(path, "study.keras is a zip without config.json")


def test_a_zip_that_unpacks_to_much_more_is_refused(tmp_path):
    path = saved(small(), tmp_path / "bomb.keras")
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("more", bytes(80_000_000))

    refused(path, r"the file has 0.1 MB and would unpack to 80 MB; 67 MB are allowed")


def test_weights_that_are_declared_and_not_there_are_refused(tmp_path):
    path = _copy(tmp_path)
    with h5py.File(path, "r+") as file:
        file.create_dataset("model_weights/more", (1 << 40,), "f4", chunks=(1 << 20,))

    refused(path, "the file has 0.1 MB and would unpack to 4398047 MB; 67 MB are allowed")


def test_weights_in_another_file_are_refused(tmp_path):
    path = _copy(tmp_path)
    other = tmp_path / "secret"
    other.write_bytes(bytes(8))
    with h5py.File(path, "r+") as file:
        file.create_dataset("more", (2,), "f4", external=[(str(other), 0, 8)])

    refused(path, "/more in the file keeps its values in another file")


def test_weights_that_are_a_view_of_another_file_are_refused(tmp_path):
    path = _copy(tmp_path)
    layout = h5py.VirtualLayout((2,), "f4")
    layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "secret", (2,))
    with h5py.File(path, "r+") as file:
        file.create_virtual_dataset("more", layout)

    refused(path, "/more in the file keeps its values in another file")


@pytest.mark.parametrize(
    "link", [h5py.SoftLink("/model_weights"), h5py.ExternalLink("other.h5", "/secret")]
)
def test_links_are_refused(link, tmp_path):
    path = _copy(tmp_path)
    with h5py.File(path, "r+") as file:
        file["model_weights/link"] = link

    refused(path, "/model_weights/link in the file is a link")


def test_groups_in_a_circle_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(file_bounds, "MOST_ENTRIES", 1000)
    path = _copy(tmp_path)
    with h5py.File(path, "r+") as file:
        file["model_weights/conv3d/again"] = file["model_weights"]

    refused(path, "the file has 1001 entries or more; 1000 are allowed")


def test_weights_inside_a_keras_file_are_looked_at_too(tmp_path):
    path = saved(small(), tmp_path / "linked.keras")
    weights = tmp_path / "model.weights.h5"
    with zipfile.ZipFile(path) as archive:
        weights.write_bytes(archive.read(weights.name))
    with h5py.File(weights, "r+") as file:
        file["link"] = h5py.ExternalLink("other.h5", "/secret")
    _change(path, weights.name, lambda _: weights.read_bytes())

    refused(path, "/link in the file is a link")


def _copy(directory):
    path = directory / "network.h5"
    path.write_bytes((KERAS_2 / "example.h5").read_bytes())
    return path


def _change_config(path, change):
    _change(path, "config.json", lambda content: change(content.decode()).encode())


def _change(path, name, change):
    """Write a zip again with one member changed."""
    with zipfile.ZipFile(path) as archive:
        contents = {each: archive.read(each) for each in archive.namelist()}
    contents[name] = change(contents[name])
    with zipfile.ZipFile(path, "w") as archive:
        for each, content in contents.items():
            archive.writestr(each, content)
