# Run once under Python 3.10.13 with tensorflow-cpu 2.11.1 (Keras 2.11.0) and numpy 1.23.5, and for
# the .keras files, which came later, once more with tensorflow-cpu 2.15.1 (Keras 2.15.0) and numpy
# 1.26.4. It writes into the folder keras2/ beside itself; what is in it is not remade, since no
# TensorFlow of today writes these kinds of files.
"""Small networks as Keras 2 and TensorFlow 2.11 wrote them, with features that they gave then."""

from pathlib import Path

import numpy as np
import tensorflow as tf

FOLDER = Path(__file__).with_name("keras2")
STEPS = 255
SHAPE, FILTERS = (46, 48, 47, 1), (4, 4, 4, 6)
SMALL = (9, 10, 11, 1)


def example():
    """The 17 layers of the Keras example, narrow, with normalisations that do something."""
    layers = tf.keras.layers
    inputs = values = tf.keras.Input(SHAPE)
    for filters in FILTERS:
        values = layers.Conv3D(filters, 3, activation="relu", bias_initializer="normal")(values)
        values = layers.MaxPool3D(2)(values)
        values = layers.BatchNormalization()(values)
    values = layers.GlobalAveragePooling3D()(values)
    values = layers.Dense(16, activation="relu")(values)
    values = layers.Dropout(0.3)(values)
    outputs = layers.Dense(1, activation="sigmoid")(values)
    return with_statistics(tf.keras.Model(inputs, outputs, name="3dcnn"))


def another():
    """A network that is no chain of blocks: padding, a branch, normalisation before ReLU."""
    layers = tf.keras.layers
    inputs = tf.keras.Input(SMALL, name="ct")
    values = layers.Conv3D(3, 3, strides=2, padding="same", use_bias=False, name="stem")(inputs)
    values = layers.BatchNormalization(name="norm")(values)
    values = layers.ReLU(name="relu")(values)
    branch = layers.Conv3D(3, 3, padding="same", activation="elu", name="branch")(values)
    values = layers.Add(name="sum")([values, branch])
    values = layers.Flatten(name="flat")(values)
    values = layers.Dense(5, activation="tanh", name="embedding")(values)
    values = layers.Dropout(0.5, name="dropout")(values)
    outputs = layers.Dense(2, activation="softmax", name="classes")(values)
    return with_statistics(tf.keras.Model(inputs, outputs, name="another"))


def nested():
    """A sequential network inside another one, with layers that Keras 3 describes otherwise."""
    layers = tf.keras.layers
    inside = [
        tf.keras.Input(SMALL),
        layers.Conv3D(3, 3, activation="relu"),
        layers.SpatialDropout3D(0.2),
        layers.Conv3DTranspose(2, 3, activation="tanh"),
    ]
    inputs = tf.keras.Input(SMALL)
    values = tf.keras.Sequential(inside, name="inside")(inputs)
    values = layers.GlobalMaxPooling3D(name="maximum")(values)
    outputs = layers.Dense(1, activation="hard_sigmoid", name="classes")(values)
    return tf.keras.Model(inputs, outputs)


def sequential():
    """Layers in a row, of which the first one says what comes in."""
    layers = tf.keras.layers
    return with_statistics(
        tf.keras.Sequential(
            [
                layers.Conv3D(3, 3, padding="same", activation="relu", input_shape=SMALL),
                layers.BatchNormalization(),
                layers.SpatialDropout3D(0.2),
                layers.GlobalMaxPooling3D(name="maximum"),
                layers.Dense(1),
            ]
        )
    )


def with_statistics(model):
    """Give normalisations statistics as training would, so that they change what comes."""
    random = np.random.default_rng(5)
    for layer in model.layers:
        if isinstance(layer, tf.keras.layers.BatchNormalization):
            scale, offset, mean = random.normal(size=(3, layer.gamma.shape[0]))
            layer.set_weights([scale, offset, mean, random.uniform(0.1, 1, mean.shape)])
    return model


def smooth_volumes(shape):
    """Two volumes in 0..1 in steps of 1/255, which compress well: blobs, and a slope."""
    x, y, z, _ = np.ix_(*(np.linspace(-1, 1, length) for length in shape))
    blob = np.exp(-3 * ((x - 0.2) ** 2 + 2 * y**2 + (z + 0.3) ** 2))
    slope = (x + 0.5 * y - 0.3 * z + 2) / 4
    return np.round(np.stack([blob, slope]) * STEPS).astype(np.uint8)


def write_features(name, model, layer):
    """Store volumes, and what the layer makes of them."""
    stored = smooth_volumes(model.input_shape[1:])
    cut = tf.keras.Model(model.input, model.get_layer(layer).output)
    features = cut(stored.astype(np.float32) / STEPS, training=False).numpy()
    np.savez_compressed(FOLDER / f"{name}.npz", volumes=stored, features=features, layer=layer)


def save_small(model, folder):
    """Save without the functions for training, which are three quarters of such a small file."""
    volumes = tf.TensorSpec((None, *SHAPE), tf.float32, name="input_1")
    serve = tf.function(lambda given: {"dense_1": model(given, training=False)}, [volumes])
    model.save(folder, save_traces=False, signatures=serve)


def write_function():
    """A SavedModel without Keras."""
    module = tf.Module()
    random = np.random.default_rng(6)
    module.kernel = tf.Variable(random.normal(size=(3, 3, 3, 1, 4)), dtype=tf.float32)

    @tf.function(input_signature=[tf.TensorSpec((None, *SMALL), tf.float32, name="scan")])
    def serve(scan):
        maps = tf.nn.relu(tf.nn.conv3d(scan, module.kernel, [1] * 5, "VALID"))
        return {"maps": maps, "embedding": tf.reduce_max(maps, [1, 2, 3])}

    tf.saved_model.save(module, str(FOLDER / "function"), {"serving_default": serve})
    stored = smooth_volumes(SMALL)
    features = serve(stored.astype(np.float32) / STEPS)["embedding"].numpy()
    np.savez_compressed(
        FOLDER / "function.npz", volumes=stored, features=features, layer="embedding"
    )


def write_keras_files():
    """Write what Keras 2.12 and later wrote."""
    for name, model, layer in (
        ("functional_2_15", example(), "global_average_pooling3d"),
        ("sequential_2_15", sequential(), "maximum"),
    ):
        model.compile("sgd", "binary_crossentropy")
        model.save(FOLDER / f"{name}.keras")
        write_features(name, model, layer)


def main():
    """Write all that this version of Keras wrote."""
    tf.keras.utils.set_random_seed(4)
    FOLDER.mkdir(exist_ok=True)
    if tf.__version__.startswith("2.15"):
        write_keras_files()
        return
    model = example()
    pooling = model.layers[-4].name
    model.compile("sgd", "binary_crossentropy")
    model.save(FOLDER / "example.h5")
    model.save_weights(FOLDER / "example_weights.h5")
    save_small(model, FOLDER / "example")
    write_features("example", model, pooling)
    model = another()
    model.compile("sgd", "categorical_crossentropy")
    model.save(FOLDER / "another")
    write_features("another", model, "embedding")
    model = nested()
    cut = tf.keras.Model(model.input, model.get_layer("maximum").output)
    cut.save(FOLDER / "nested.h5")
    model.save(FOLDER / "hard_sigmoid.h5")
    write_features("nested", model, "maximum")
    write_function()


if __name__ == "__main__":
    main()
