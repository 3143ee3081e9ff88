"""Files that are no network that can be published, and cuts that give no features."""

import shutil

import h5py
import keras
import numpy as np
import pytest
import savedmodels
import tensorflow as tf
from network_files import KERAS_2, functional, miniature, saved, small, volumes
from savedmodels import save, spec

from tools.networks import NetworkError, open_network
from tools.networks.architectures import ARCHITECTURES


def refused(path, message, **options):
    with pytest.raises(NetworkError, match=message):
        open_network(path, **options)


def test_a_file_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "network.pt"
    path.write_bytes(b"\x80\x02}q\x00.")

    refused(path, "network.pt is neither a Keras file .* SavedModel, the one that has saved_model")


def test_a_file_that_is_missing_is_refused(tmp_path):
    refused(tmp_path / "missing.h5", "missing.h5 cannot be read: No such file")


def test_a_folder_without_a_savedmodel_is_refused(tmp_path):
    refused(tmp_path, "is no SavedModel that can be read: there is no .*/saved_model.pb")


def test_half_a_savedmodel_is_refused(tmp_path):
    refused(savedmodels.truncated(tmp_path / "half"), "half is no SavedModel that can be read")


def test_a_savedmodel_without_its_weights_is_refused(tmp_path):
    path = savedmodels.without_variables(tmp_path / "hollow")

    refused(path, "TensorFlow 2.* cannot load hollow")


def test_half_a_keras_file_is_refused(tmp_path):
    path = saved(small(), tmp_path / "half.keras")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    refused(path, "half.keras is a broken or incomplete zip")


def test_half_an_hdf5_file_is_refused(tmp_path):
    path = tmp_path / "half.h5"
    path.write_bytes((KERAS_2 / "example.h5").read_bytes()[:20_000])

    refused(path, "the HDF5 file is broken or incomplete")


def test_broken_metadata_of_keras_2_is_refused(tmp_path):
    shutil.copytree(KERAS_2 / "another", tmp_path, dirs_exist_ok=True)
    metadata = tmp_path / "keras_metadata.pb"
    metadata.write_bytes(metadata.read_bytes()[:1000])

    refused(tmp_path, "keras_metadata.pb in the SavedModel is broken: delete it")


def test_an_activation_that_keras_3_computes_otherwise_is_refused():
    refused(
        KERAS_2 / "hard_sigmoid.h5",
        "layer 'classes' has the activation hard_sigmoid, which Keras 3 computes in another way",
    )


def test_a_layer_that_keras_3_cannot_make_is_refused(tmp_path):
    path = tmp_path / "changed.h5"
    shutil.copyfile(KERAS_2 / "example.h5", path)
    with h5py.File(path, "r+") as file:
        stated = file.attrs["model_config"]
        file.attrs["model_config"] = stated.replace('"use_bias"', '"use_skew"')

    refused(
        path, r"Keras 3\.\S+ cannot make .* which Keras 2.11.0 wrote .*: save it as a SavedModel"
    )


def test_a_description_without_layers_is_refused(tmp_path):
    path = tmp_path / "changed.h5"
    shutil.copyfile(KERAS_2 / "example.h5", path)
    with h5py.File(path, "r+") as file:
        file.attrs["model_config"] = '{"class_name": "Functional", "config": {"layers": [7]}}'

    refused(path, "the description of the network in changed.h5 is broken")


def test_weights_alone_need_an_architecture():
    refused(
        KERAS_2 / "example_weights.h5", "without an architecture, and none is stated: one of ct3"
    )


def test_an_architecture_that_is_not_known_is_refused():
    refused(
        KERAS_2 / "example_weights.h5",
        "'resnet' is stated: one of ct3dcnn is needed",
        architecture="resnet",
    )


@pytest.mark.parametrize("name", ["example.h5", "another"])
def test_an_architecture_beside_a_whole_network_is_refused(name):
    refused(KERAS_2 / name, "has its architecture in it", architecture="ct3dcnn")


def test_weights_of_another_width_are_refused():
    refused(
        KERAS_2 / "example_weights.h5",
        r"'conv3d' of the file has weights of \[\(3, 3, 3, 1, 4\), \(4,\)\], and layer 'conv3d' of "
        r"ct3dcnn needs \[\(3, 3, 3, 1, 64\), \(64,\)\]",
        architecture="ct3dcnn",
    )


def test_weights_of_fewer_layers_are_refused(monkeypatch):
    monkeypatch.setitem(ARCHITECTURES, "small", small)

    refused(
        KERAS_2 / "example_weights.h5",
        "has weights of 10 layers, and small has 2 with weights",
        architecture="small",
    )


def test_a_weights_file_of_keras_3_under_another_name_is_refused(tmp_path, monkeypatch):
    monkeypatch.setitem(ARCHITECTURES, "miniature", miniature)
    path = tmp_path / "only.weights.h5"
    miniature().save_weights(path)

    refused(
        path.rename(tmp_path / "best.h5"), "must be called ….weights.h5", architecture="miniature"
    )


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        pytest.param((9, 10, 1), r"input is \[any, 9, 10, 1\]: \[rows, x, y, z, 1\]", id="flat"),
        pytest.param((9, 10, 11, 3), r"input is \[any, 9, 10, 11, 3\]", id="three channels"),
        pytest.param((1, 9, 10, 11), r"input is \[any, 1, 9, 10, 11\]", id="channels first"),
        pytest.param((9, None, 11, 1), "all lengths but the first must be fixed", id="any length"),
    ],
)
def test_an_input_that_is_no_volume_is_refused(shape, message, tmp_path):
    model = functional(keras.layers.Activation("relu"), shape=shape)

    refused(saved(model, tmp_path / "other.keras"), message)


def test_a_network_for_one_volume_at_a_time_is_refused(tmp_path):
    model = functional(keras.layers.Flatten(), batch_size=1)

    refused(saved(model, tmp_path / "one.keras"), "takes 1 volumes at once: save it for any number")


def test_two_inputs_are_refused(tmp_path):
    scan, mask = keras.Input((4, 4, 4, 1)), keras.Input((4, 4, 4, 1))
    model = keras.Model([scan, mask], keras.layers.Add()([scan, mask]))

    refused(saved(model, tmp_path / "two.keras"), "has 2 inputs: one, of volumes, is needed")


def test_a_savedmodel_of_flat_images_is_refused(tmp_path):
    refused(savedmodels.image(tmp_path / "image"), r"input is \[any, 8, 8, 3\]")


def test_a_savedmodel_of_volumes_of_whole_numbers_is_refused(tmp_path):
    @save(tmp_path / "whole", spec(None, 4, 4, 4, 1, name="x", dtype=tf.int32))
    def path(x):
        return {"y": tf.reduce_sum(tf.cast(x, tf.float32), [1, 2, 3])}

    refused(path, "input is int32: float32 is needed")


def test_a_savedmodel_without_the_usual_signature_is_refused(tmp_path):
    module = tf.Module()
    given = tf.TensorSpec((None, 4, 4, 4, 1), tf.float32)
    module.encode = tf.function(lambda x: {"y": tf.reduce_sum(x, [1, 2, 3])}, [given])
    tf.saved_model.save(module, tmp_path, {"encode": module.encode})

    refused(tmp_path, "no signature serving_default; it has encode")


def cut_refused(network, layer, message, directory):
    with pytest.raises(NetworkError, match=message):
        network.save(layer, directory)
    with pytest.raises(NetworkError, match=message):
        network.features(layer, volumes(network.input_shape))
    assert not any(directory.iterdir())


@pytest.mark.parametrize(
    ("file", "asked", "meant"),
    [
        ("example.h5", "global_avg_pooling3d", "global_average_pooling3d"),
        ("another", "embeding", "embedding"),
        ("function", "embeddings", "embedding"),
    ],
)
def test_a_layer_that_is_missing_is_refused_with_the_nearest(file, asked, meant, tmp_path):
    message = f"there is no layer '{asked}': did you mean {meant}"

    cut_refused(open_network(KERAS_2 / file), asked, message, tmp_path)


@pytest.mark.parametrize(
    ("file", "layer", "came"),
    [
        ("example.h5", "max_pooling3d_1", r"\[rows, 10, 10, 10, 4\]"),
        ("another", "sum", r"\[rows, 5, 5, 6, 3\]"),
        ("function", "maps", r"\[rows, 7, 8, 9, 4\]"),
    ],
)
def test_a_layer_with_axes_of_space_is_refused(file, layer, came, tmp_path):
    message = f"'{layer}' puts out {came}, .* choose a layer of pooling"

    cut_refused(open_network(KERAS_2 / file), layer, message, tmp_path)


def test_a_layer_that_is_used_twice_is_refused(tmp_path):
    shared = keras.layers.Dense(2, name="shared")
    inputs = keras.Input((4, 4, 4, 1))
    model = keras.Model(
        inputs, shared(shared(keras.layers.Dense(2)(keras.layers.Flatten()(inputs))))
    )
    network = open_network(saved(model, tmp_path / "shared.keras"))
    directory = tmp_path / "saved"
    directory.mkdir()

    cut_refused(network, "shared", "'shared' has several outputs, or is used more", directory)


def test_the_input_of_a_savedmodel_is_no_layer_to_cut_at(tmp_path):
    cut_refused(open_network(KERAS_2 / "another"), "ct", "no output of its own", tmp_path)


@pytest.mark.parametrize("count", [-1, 17])
def test_more_layers_than_there_are_cannot_be_dropped(count):
    with pytest.raises(NetworkError, match=f"{count} layers .* has 17: a number from 0 to 16"):
        open_network(KERAS_2 / "example.h5").dropping(count)


def save_refused(path, layer, message, directory):
    with pytest.raises(NetworkError, match=message):
        open_network(path).save(layer, directory / "saved")
    assert not (directory / "saved").exists()


def test_weights_that_are_not_finite_are_refused(tmp_path):
    model = small()
    kernel, _ = model.get_layer("embedding").get_weights()
    model.get_layer("embedding").set_weights([kernel, np.asarray([np.nan, 0])])
    path = saved(model, tmp_path / "damaged.keras")

    save_refused(path, "embedding", "1 of 2 features of a volume of zeros are not finite", tmp_path)


def test_a_network_that_divides_by_the_volume_is_refused(tmp_path):
    @save(tmp_path / "divides", spec(None, 4, 4, 4, 1, name="x"))
    def path(x):
        return {"y": 1 / tf.reduce_sum(x, [1, 2, 3]), "z": tf.reduce_sum(x, [1, 2, 3])}

    save_refused(path, "y", "1 of 1 features of a volume of zeros are not finite", tmp_path)


def test_a_network_that_fails_over_a_volume_is_refused(tmp_path):
    @save(tmp_path / "fails", spec(None, 4, 4, 4, 1, name="x"))
    def path(x):
        return {"y": tf.reshape(x, (-1, 10))}

    message = r"fails over 1 × \(4, 4, 4, 1\) values: Input to reshape is .* 64 values"
    save_refused(path, "y", message, tmp_path)


def test_features_that_vary_are_refused(tmp_path):
    @save(tmp_path / "random", spec(None, 4, 4, 4, 1, name="x"))
    def path(x):
        total = tf.reduce_sum(x, [1, 2, 3])
        return {"y": total + tf.random.uniform(tf.shape(total))}

    save_refused(path, "y", "two runs of the SavedModel differ by .*: they are random", tmp_path)


def test_features_that_depend_on_the_volume_beside_are_refused(tmp_path):
    @save(tmp_path / "centred", spec(None, 4, 4, 4, 1, name="x"))
    def path(x):
        total = tf.reduce_sum(x, [1, 2, 3])
        return {"y": total - tf.reduce_mean(total, 0)}

    message = "the features of a volume are others when a second one is computed with it"
    save_refused(path, "y", message, tmp_path)


def test_features_whose_number_depends_on_the_volume_are_refused(tmp_path):
    @save(tmp_path / "counts", spec(None, 4, 4, 4, 1, name="x"))
    def path(x):
        return {"y": tf.boolean_mask(tf.reshape(x, (-1,)), tf.reshape(x, (-1,)) > 0)[None]}

    save_refused(path, "y", r"one volume gives features of \(1, 0\) or \(1, .*one F", tmp_path)


def test_a_vector_over_all_volumes_is_refused(tmp_path):
    @save(tmp_path / "mixes", spec(None, 4, 4, 4, 1, name="x"))
    def path(x):
        return {"y": tf.reshape(tf.reduce_sum(x, [2, 3, 4]), (-1,))}

    save_refused(path, "y", r"'y' puts out \[rows\], and features are a vector a row", tmp_path)
