"""Small SavedModels of several kinds, built where a test needs them."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

from tools.locations import data_folder

BACKEND = data_folder("backends") / "tensorflow"
sys.path.append(str(BACKEND))  # as Triton does: the backend's modules are no package

ALL_TYPES = {
    "TYPE_BOOL": tf.bool,
    "TYPE_UINT8": tf.uint8,
    "TYPE_UINT16": tf.uint16,
    "TYPE_UINT32": tf.uint32,
    "TYPE_UINT64": tf.uint64,
    "TYPE_INT8": tf.int8,
    "TYPE_INT16": tf.int16,
    "TYPE_INT32": tf.int32,
    "TYPE_INT64": tf.int64,
    "TYPE_FP16": tf.float16,
    "TYPE_FP32": tf.float32,
    "TYPE_FP64": tf.float64,
    "TYPE_BF16": tf.bfloat16,
    "TYPE_STRING": tf.string,
}
WIDE = 2**22
"""Float32 values a row of the model `wide`: 16 MB."""


def spec(*shape: int | None, name: str, dtype: tf.DType = tf.float32) -> tf.TensorSpec:
    return tf.TensorSpec(shape, dtype, name)


def save(
    directory: Path, *specs: tf.TensorSpec, module: tf.Module | None = None
) -> Callable[..., Path]:
    """Return a decorator that saves a function of tensors as serving_default."""

    def decorate(function: Callable[..., Mapping[str, tf.Tensor]]) -> Path:
        owner = module or tf.Module()
        owner.serve = tf.function(function, input_signature=specs)
        tf.saved_model.save(owner, directory, {"serving_default": owner.serve})
        return directory

    return decorate


def image(directory: Path, shift: float = 0.0) -> Path:
    """A convolution with weights: [-1, 8, 8, 3] to 4 features a row; one weight may be shifted."""
    module = tf.Module()
    random = np.random.default_rng(7)
    kernel = random.normal(size=(3, 3, 3, 4))
    kernel[1, 1, 1] += shift
    module.kernel = tf.Variable(kernel, dtype=tf.float32)

    @save(directory, spec(None, 8, 8, 3, name="pixels"), module=module)
    def saved(pixels):
        return {"features": tf.reduce_max(tf.nn.conv2d(pixels, module.kernel, 1, "SAME"), (1, 2))}

    return saved


def text(directory: Path) -> Path:
    """Words to their number in a vocabulary, which is a file of the SavedModel: [-1] to [-1]."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    vocabulary = directory.parent / "words.txt"
    vocabulary.write_text("liver\nlung\nspleen\n")
    module = tf.Module()
    module.file = tf.saved_model.Asset(str(vocabulary))
    words = tf.lookup.TextFileInitializer(
        module.file,
        tf.string,
        tf.lookup.TextFileIndex.WHOLE_LINE,
        tf.int64,
        tf.lookup.TextFileIndex.LINE_NUMBER,
    )
    module.table = tf.lookup.StaticHashTable(words, -1)

    @save(directory, spec(None, name="words", dtype=tf.string), module=module)
    def saved(words):
        return {"numbers": module.table.lookup(words)}

    return saved


def two(directory: Path) -> Path:
    """Two inputs, two outputs of different types; rows where `chosen` is negative are refused."""

    @save(directory, spec(None, 3, name="values"), spec(None, 2, name="chosen", dtype=tf.int32))
    def saved(values, chosen):
        with tf.control_dependencies([tf.debugging.assert_non_negative(chosen)]):
            total = tf.gather(values, chosen, axis=1, batch_dims=1)
        return {"sums": tf.reduce_sum(total, 1, keepdims=True), "twice": 2 * chosen}

    return saved


def dynamic(directory: Path) -> Path:
    """Rows of any length: their running sums, one mean a row, and text that is no UTF-8."""

    @save(directory, spec(None, None, name="series"))
    def saved(series):
        sums = tf.cumsum(series, axis=1)
        written = tf.strings.as_string(sums, precision=1)
        text = tf.strings.join([tf.constant(b"\xff\x00"), written])
        return {"sums": sums, "mean": tf.reduce_mean(series, axis=1), "text": text}

    return saved


def named(directory: Path, factor: int = 3) -> Path:
    """Two signatures: `serving_default` doubles, `triple` triples (or whatever the factor does)."""
    module = tf.Module()
    specs = [spec(None, 2, name="x")]
    module.double = tf.function(lambda x: {"y": 2 * x}, input_signature=specs)
    module.triple = tf.function(lambda x: {"z": factor * x}, input_signature=specs)
    signatures = {"serving_default": module.double, "triple": module.triple}
    tf.saved_model.save(module, directory, signatures)
    return directory


def types(directory: Path) -> Path:
    """Every type as it came."""

    @save(directory, *(spec(None, 2, name=name, dtype=dtype) for name, dtype in ALL_TYPES.items()))
    def saved(*values):
        return {
            f"{name}_out": tf.identity(value) for name, value in zip(ALL_TYPES, values, strict=True)
        }

    return saved


def fixed(directory: Path) -> Path:
    """No rows: one vector, one number; their product and its sum."""

    @save(directory, spec(3, name="vector"), spec(name="factor"))
    def saved(vector, factor):
        return {"product": factor * vector, "sum": factor * tf.reduce_sum(vector)}

    return saved


def wide(directory: Path) -> Path:
    """Small rows, large activations: several times 16 MB a row."""

    @save(directory, spec(None, 1, name="x"))
    def saved(x):
        wide = tf.sin(x + tf.range(WIDE, dtype=tf.float32))
        sorted_rows = tf.cumsum(wide, axis=1)  # cumsum is not fused: both are in memory at once
        return {"y": tf.reduce_mean(sorted_rows * wide, axis=1, keepdims=True)}

    return saved


def from_version_1(directory: Path) -> Path:
    """Written by TensorFlow 1's API, with a variable and its saver in the graph."""
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, (None, 2), "x")
        weight = v1.get_variable("weight", initializer=tf.constant([2.0, 3.0]), use_resource=True)
        y = x * weight
        session.run(v1.global_variables_initializer())
        signature = v1.saved_model.predict_signature_def({"x": x}, {"y": y})
        builder = v1.saved_model.Builder(str(directory))
        builder.add_meta_graph_and_variables(session, ["serve"], {"serving_default": signature})
        builder.save()
    return directory


def python_call(directory: Path) -> Path:
    """Calls Python: what a SavedModel from elsewhere must not do."""

    @save(directory, spec(None, 1, name="x"))
    def saved(x):
        y = tf.numpy_function(lambda values: values, [x], tf.float32)
        return {"y": tf.ensure_shape(y, (None, 1))}

    return saved


def file_reader(directory: Path) -> Path:
    """Returns a file of the server, whose name is the client's choice."""

    @save(directory, spec(None, 1, name="path", dtype=tf.string))
    def saved(path):
        return {"content": tf.map_fn(lambda row: tf.io.read_file(row[0])[None], path)}

    return saved


def file_printer(directory: Path) -> Path:
    """Writes what it is given to a file of the server."""

    @save(directory, spec(None, 1, name="x"))
    def saved(x):
        with tf.control_dependencies([tf.print(x, output_stream="file:///never-written")]):
            return {"y": tf.identity(x)}

    return saved


def checkpoint_writer(directory: Path) -> Path:
    """Writes a file with the operation that savers use, from its signature."""

    @save(directory, spec(None, 1, name="x"))
    def saved(x):
        write = tf.raw_ops.SaveV2(
            prefix="never-written", tensor_names=["x"], shape_and_slices=[""], tensors=[x]
        )
        with tf.control_dependencies([write]):
            return {"y": tf.identity(x)}

    return saved


def unknown_operation(directory: Path) -> Path:
    """Needs an operation that no TensorFlow has."""

    @save(directory, spec(None, 1, name="x"))
    def saved(x):
        return {"y": tf.raw_ops.Betainc(a=x, b=x, x=x)}

    return _with_bytes_replaced(saved, b"Betainc", b"Batainc")


def truncated(directory: Path) -> Path:
    """Half of a saved_model.pb."""
    file = image(directory) / "saved_model.pb"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    return directory


def without_variables(directory: Path) -> Path:
    """The graph without its weights."""
    for file in (image(directory) / "variables").iterdir():
        file.unlink()
    return directory


def _with_bytes_replaced(directory: Path, old: bytes, new: bytes) -> Path:
    file = directory / "saved_model.pb"
    file.write_bytes(file.read_bytes().replace(old, new))
    return directory
