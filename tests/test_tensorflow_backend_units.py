"""The TensorFlow backend without a server: what it reads, refuses, completes, splits and joins."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import savedmodels
import tensorflow as tf
from savedmodels import BACKEND
from tensorflow.core.protobuf import saved_model_pb2
from tf_batching import BatchedModel
from tf_errors import InputError, SavedModelError
from tf_graph_safety import read_operations
from tf_model_config import check, complete
from tf_quiet import CHATTER, stderr_without
from tf_savedmodel import SavedModel, failed_node, is_registered
from tf_service import completion
from tf_settings import Settings
from tf_signature import TRITON_TYPES, Signature, TensorSpec, read_meta_graph, read_signature
from tf_warm_up import warm_up

SERVED = ["image", "text", "two", "dynamic", "named", "types", "fixed", "from_version_1"]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Return a SavedModel by the name of its kind; each is built once."""
    directory, done = tmp_path_factory.mktemp("savedmodels"), {}

    def build(kind):
        if kind not in done:
            done[kind] = getattr(savedmodels, kind)(directory / kind / "model.savedmodel")
        return done[kind]

    return build


def signature_of(directory, name="serving_default", tags=()):
    return read_signature(directory, name, tags)


def signature(inputs, outputs):
    """A signature of FP32 tensors, from their shapes."""
    described = (
        {name: TensorSpec(name, "TYPE_FP32", shape) for name, shape in tensors.items()}
        for tensors in (inputs, outputs)
    )
    return Signature("serving_default", ("serve",), *described)


def config(inputs=(), outputs=(), **fields):
    """A model configuration as Triton hands it over; tensors are (name, type, dims)."""
    described = (
        [dict(zip(("name", "data_type", "dims"), tensor, strict=True)) for tensor in tensors]
        for tensors in (inputs, outputs)
    )
    return {"max_batch_size": 0, **dict(zip(("input", "output"), described, strict=True))} | fields


# What is read


@pytest.mark.parametrize("kind", SERVED)
def test_the_signature_is_the_one_that_tensorflow_loads(built, kind):
    loaded = tf.saved_model.load(built(kind)).signatures["serving_default"]
    inputs = loaded.structured_input_signature[1]

    read = signature_of(built(kind))

    for tensors, expected in ((read.inputs, inputs), (read.outputs, loaded.structured_outputs)):
        assert {name: (tensor.data_type, tensor.shape) for name, tensor in tensors.items()} == {
            name: (
                TRITON_TYPES[tensor.dtype.as_datatype_enum],
                tuple(-1 if size is None else size for size in tensor.shape),
            )
            for name, tensor in expected.items()
        }


def test_a_signature_is_chosen_by_its_name(built):
    assert list(signature_of(built("named"), "triple").outputs) == ["z"]


def test_a_name_that_is_none_is_answered_with_those_that_are(built):
    with pytest.raises(SavedModelError, match="no signature 'tripel'; it has: serving_default, tr"):
        signature_of(built("named"), "tripel")


def test_a_graph_is_chosen_by_its_tags(built):
    with pytest.raises(SavedModelError, match=r"the tags \[gpu, serve\]; it has \[serve\]"):
        signature_of(built("image"), tags=("serve", "gpu"))


def test_a_shape_without_a_rank_is_told_from_one_without_dimensions(tmp_path):
    module = tf.Module()
    module.same = tf.function(lambda x: {"y": x}, input_signature=[tf.TensorSpec(None, name="x")])
    tf.saved_model.save(module, tmp_path, {"serving_default": module.same})

    assert signature_of(tmp_path).inputs["x"].shape is None


def test_a_missing_savedmodel_is_said_to_be_missing(tmp_path):
    with pytest.raises(SavedModelError, match="there is no .*/saved_model.pb$"):
        signature_of(tmp_path)


def test_a_savedmodel_in_text_form_is_said_to_be_one(tmp_path):
    (tmp_path / "saved_model.pbtxt").write_text("saved_model_schema_version: 1")

    with pytest.raises(SavedModelError, match="saved_model.pbtxt is a form that is not supported"):
        signature_of(tmp_path)


def test_any_beginning_of_a_file_is_refused(built, tmp_path):
    whole = (built("text") / "saved_model.pb").read_bytes()

    for length in [0, 1, 2, 3, 4, *range(5, len(whole), 101), len(whole) - 1]:
        (tmp_path / "saved_model.pb").write_bytes(whole[:length])
        with pytest.raises(SavedModelError):
            signature_of(tmp_path)


def test_a_damaged_byte_is_refused_or_harmless_but_no_other_error(built, tmp_path):
    whole = (built("named") / "saved_model.pb").read_bytes()
    random = np.random.default_rng(3)

    for position in random.integers(len(whole), size=200):
        damaged = bytearray(whole)
        damaged[position] ^= 1 << random.integers(8)
        (tmp_path / "saved_model.pb").write_bytes(damaged)
        try:
            signature_of(tmp_path)
            read_operations(read_meta_graph(tmp_path, ()))
        except SavedModelError:
            pass


def test_reading_and_completing_import_no_tensorflow(built):
    program = (
        "import sys; sys.path.append(sys.argv[1])\n"
        "from pathlib import Path; from tf_service import completion\n"
        "completion({'max_batch_size': 0, 'input': [], 'output': []}, Path(sys.argv[2]))\n"
        "assert 'tensorflow' not in sys.modules"
    )

    subprocess.run([sys.executable, "-c", program, BACKEND, built("image").parent], check=True)


# What is refused before it could run


@pytest.mark.parametrize("kind", SERVED)
def test_models_with_weights_vocabularies_and_savers_are_safe(built, kind):
    read_operations(read_meta_graph(built(kind), ())).refuse_unsafe()


@pytest.mark.parametrize(
    ("kind", "operation"),
    [
        ("python_call", "PyFunc"),
        ("file_reader", "ReadFile"),
        ("file_printer", "PrintV2"),
        ("checkpoint_writer", "SaveV2"),
    ],
)
def test_python_and_files_are_refused_by_name(built, kind, operation):
    operations = read_operations(read_meta_graph(built(kind), ()))

    with pytest.raises(SavedModelError, match=f"would run {operation}: .* the parameter trust"):
        operations.refuse_unsafe()


def test_the_saver_is_refused_if_the_signature_reaches_it(built, tmp_path):
    content = saved_model_pb2.SavedModel.FromString(
        (built("image") / "saved_model.pb").read_bytes()
    )
    functions = content.meta_graphs[0].graph_def.library.function
    (saver,) = (f.signature.name for f in functions if "traced_save" in f.signature.name)
    (served,) = (f for f in functions if "signature_wrapper" in f.signature.name)
    (call,) = (node for node in served.node_def if node.op == "StatefulPartitionedCall")
    call.attr["f"].func.name = saver
    (tmp_path / "saved_model.pb").write_bytes(content.SerializeToString())

    with pytest.raises(SavedModelError, match="would run MergeV2Checkpoints, SaveV2"):
        read_operations(read_meta_graph(tmp_path, ())).refuse_unsafe()


def test_an_operation_that_tensorflow_lacks_is_named(built):
    operations = read_operations(read_meta_graph(built("unknown_operation"), ()))

    with pytest.raises(SavedModelError, match="needs Batainc: this TensorFlow has no such"):
        operations.refuse_unknown(is_registered)


# What TensorFlow loads


def test_a_savedmodel_without_its_weights_is_refused_in_a_sentence(built):
    directory = built("without_variables")

    with pytest.raises(SavedModelError, match="^TensorFlow 2.* cannot load .*model.savedmodel: "):
        SavedModel(directory, signature_of(directory))


def test_a_file_that_describes_a_signature_twice_and_not_alike_is_refused(tmp_path):
    directory = savedmodels.named(tmp_path / "model.savedmodel")
    content = saved_model_pb2.SavedModel.FromString((directory / "saved_model.pb").read_bytes())
    described = content.meta_graphs[0].signature_def["serving_default"]
    described.inputs["another"].CopyFrom(described.inputs.pop("x"))
    (directory / "saved_model.pb").write_bytes(content.SerializeToString())

    with pytest.raises(SavedModelError, match="contradicts itself: .* 'serving_default'"):
        SavedModel(directory, signature_of(directory))


def test_of_an_error_only_the_node_is_told():
    with pytest.raises(tf.errors.InvalidArgumentError) as raised:
        tf.function(lambda x: tf.debugging.check_numerics(x, "Doe^Jane", name="found"))(np.nan)

    assert failed_node(raised.value) == "found"
    assert failed_node(ValueError("{{node Doe}}")) == ""


# Settings


def test_settings_are_read_from_strings():
    stated = {"signature": "triple", "tags": "serve, gpu", "rows_at_once": "8", "trust": "true"}

    settings = Settings.from_parameters(stated | {"weights_sha256": "of somebody else"})

    assert settings == Settings("triple", ("serve", "gpu"), rows_at_once=8, trust=True)


def test_nvidias_names_are_understood():
    stated = {"TF_SIGNATURE_DEF": "triple", "TF_NUM_INTRA_THREADS": "2"}

    assert Settings.from_parameters(stated) == Settings("triple", intra_op_threads=2)


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"rows_at_once": "-1"}, "rows_at_once is '-1': a number, 0 or more"),
        ({"inter_op_threads": "two"}, "inter_op_threads is 'two'"),
        ({"trust": "yes"}, 'trust is \'yes\': "true" or "false"'),
        ({"TF_INIT_OPS_FILE": "init.json"}, "TF_INIT_OPS_FILE is not supported"),
        ({"TF_SIGNATURE_DEF": "a", "signature": "b"}, r"signature \('b'\) and TF_SIGNATURE_DEF"),
    ],
)
def test_a_setting_that_is_none_is_refused(stated, message):
    with pytest.raises(SavedModelError, match=message):
        Settings.from_parameters(stated)


# Configurations completed


def test_a_model_with_rows_is_completed_as_one_that_batches(built):
    found = completion(config(), built("two").parent)

    assert found.max_batch_size == 256
    assert found.inputs == [
        {"name": "chosen", "data_type": "TYPE_INT32", "dims": [2]},
        {"name": "values", "data_type": "TYPE_FP32", "dims": [3]},
    ]


def test_a_model_without_rows_is_completed_as_one_that_does_not_batch(built):
    found = completion(config(), built("fixed").parent)

    assert found.max_batch_size == 0
    assert [tensor["dims"] for tensor in found.inputs + found.outputs] == [[1], [3], [3], [1]]


def test_one_value_a_row_is_completed_as_one_dimension(built):
    found = completion(config(), built("text").parent)

    assert [tensor["dims"] for tensor in found.inputs + found.outputs] == [[1], [1]]


def test_what_is_stated_stays_and_the_rest_is_added():
    stated = config([("a", "TYPE_INVALID", [5])], [("z", "TYPE_INVALID", [])], max_batch_size=4)

    found = complete(stated, signature({"a": (-1, -1), "b": (-1, 2)}, {"y": (-1,), "z": (-1, 6)}))

    assert found.max_batch_size == 4
    assert [tensor["dims"] for tensor in found.inputs] == [[5], [2]]
    assert found.outputs == [{"name": "z", "data_type": "TYPE_FP32", "dims": [6]}]


def test_dims_that_include_the_rows_say_that_triton_does_not_batch():
    stated = config([("a", "TYPE_FP32", [-1, 5])])

    assert complete(stated, signature({"a": (-1, 5)}, {"y": (-1, 2)})).max_batch_size == 0


def test_a_tensor_of_any_rank_cannot_be_completed():
    with pytest.raises(SavedModelError, match="dimensions of 'a' open: state its dims"):
        complete(config(), signature({"a": None}, {"y": None}))


# Configurations checked


def test_a_configuration_that_agrees_is_accepted():
    stated = config([("a", "TYPE_FP32", [-1, 7])], [("y", "TYPE_FP32", [1])], max_batch_size=4)

    check(stated, signature({"a": (-1, -1, 7)}, {"y": (-1,), "z": (-1, 3)}), limits_rows=True)


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        pytest.param(
            config([("a", "TYPE_FP32", [8])], max_batch_size=4),
            r"input 'a': config.pbtxt says TYPE_FP32 \[-1, 8\] with the rows, the signature "
            r"'serving_default' says TYPE_FP32 \[-1, 7\]",
            id="another size",
        ),
        pytest.param(
            config([("a", "TYPE_FP32", [-1])], max_batch_size=4),
            r"says TYPE_FP32 \[-1, -1\] with the rows, .* says TYPE_FP32 \[-1, 7\]",
            id="any size where the model wants one",
        ),
        pytest.param(
            config([("a", "TYPE_INT64", [7])], max_batch_size=4),
            r"says TYPE_INT64 \[-1, 7\] with the rows, .* says TYPE_FP32",
            id="another type",
        ),
        pytest.param(
            config([("a", "TYPE_FP32", [7])]),
            r"says TYPE_FP32 \[7\], .* says TYPE_FP32 \[-1, 7\]",
            id="without rows",
        ),
        pytest.param(
            config(max_batch_size=4), "input 'a' is not in config.pbtxt", id="an input is missing"
        ),
        pytest.param(
            config([("a", "TYPE_FP32", [7])], [("x", "TYPE_FP32", [2])], max_batch_size=4),
            "has an output 'x', and the signature 'serving_default' has only: y",
            id="an output that is none",
        ),
        pytest.param(config(sequence_batching={"x": 1}), "sequence_batching", id="sequences"),
    ],
)
def test_a_configuration_that_differs_is_refused_with_both_sides(stated, message):
    with pytest.raises(SavedModelError, match=message):
        check(stated, signature({"a": (-1, 7)}, {"y": (-1, 2)}), limits_rows=False)


def test_rows_of_a_model_without_rows_are_refused():
    whole = signature({"a": (7,)}, {"y": (-1, 2)})

    with pytest.raises(SavedModelError, match=r"max_batch_size 4, .* 'a' TYPE_FP32 \[7\]"):
        check(config(max_batch_size=4), whole, limits_rows=False)
    with pytest.raises(SavedModelError, match=r"rows_at_once needs .* 'a' TYPE_FP32 \[7\]"):
        check(config([("a", "TYPE_FP32", [7])]), whole, limits_rows=True)


# Requests as batches


SUMS = signature({"a": (-1, -1), "b": (-1, 2)}, {"y": (-1, 1)})


class Sums:
    """A model of SUMS that remembers how many rows it was given, and refuses negative ones."""

    def __init__(self):
        self.rows = []

    def __call__(self, inputs):
        self.rows.append(len(inputs["a"]))
        if (inputs["a"] < 0).any():
            raise ArithmeticError("negative")
        return {"y": inputs["a"].sum(1, keepdims=True) * inputs["b"].sum(1, keepdims=True)}


def request(rows, *, columns=3, seed=0):
    random = np.random.default_rng(seed)
    return {"a": random.random((rows, columns)), "b": random.random((rows, 2))}


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 6, 7])
@pytest.mark.parametrize("rows_at_once", [1, 2, 3, 7, 8])
def test_a_request_in_parts_is_the_request_as_a_whole(rows, rows_at_once):
    compute = Sums()
    one = request(rows)

    (answer,) = BatchedModel(compute, SUMS, True, rows_at_once).answers([one])

    np.testing.assert_array_equal(answer["y"], Sums()(one)["y"])
    assert max(compute.rows) <= rows_at_once
    assert sum(compute.rows) == rows


@pytest.mark.parametrize("rows_at_once", [0, 1, 4])
def test_requests_in_one_batch_get_their_own_rows(rows_at_once):
    compute = Sums()
    requests = [request(rows, seed=rows) for rows in (3, 1, 0, 5, 2)]

    answers = BatchedModel(compute, SUMS, True, rows_at_once).answers(requests)

    for one, answer in zip(requests, answers, strict=True):
        np.testing.assert_array_equal(answer["y"], Sums()(one)["y"])
    assert compute.rows == {0: [11], 1: [1] * 11, 4: [4, 4, 3]}[rows_at_once]


def test_a_bad_request_does_not_harm_those_beside_it():
    bad, short = request(2), {"a": np.ones((2, 3))}
    bad["a"][1] = -1
    requests = [request(2), bad, short, request(1, columns=5), request(3)]

    answers = BatchedModel(Sums(), SUMS, True, 2).answers(requests)

    for index in (0, 3, 4):
        np.testing.assert_array_equal(answers[index]["y"], Sums()(requests[index])["y"])
    assert isinstance(answers[1], ArithmeticError)
    assert isinstance(answers[2], InputError)
    assert str(answers[2]) == "the input 'b' is missing"


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"a": np.ones((2, 3)), "b": np.ones((2, 9))}, r"'b' has shape \[2, 9\]; \[-1, 2\] is"),
        ({"a": np.ones((2, 3)), "b": np.ones((1, 2))}, "different numbers of rows: .*2.*1"),
    ],
)
def test_inputs_that_do_not_fit_are_the_senders_fault(inputs, message):
    (answer,) = BatchedModel(Sums(), SUMS, True, 0).answers([inputs])

    with pytest.raises(InputError, match=message):
        raise answer


def test_warming_up_computes_every_size_that_occurs():
    compute = Sums()

    line = warm_up(compute, signature({"a": (-1, 3), "b": (-1, 2)}, {"y": (-1, 1)}), rows_at_once=4)

    assert sorted(compute.rows) == [1, 1, 2, 2, 3, 3, 4, 4]
    assert line == "warmed up with batches of 1, 2, 3, 4"


# Devices


@pytest.mark.skipif(Path("/dev/nvidiactl").exists(), reason="what is said where there is no GPU")
@pytest.mark.parametrize("wants_gpu", [False, True])
def test_without_a_gpu_the_cpu_computes_and_says_so_if_one_was_wanted(wants_gpu):
    program = (
        "import sys; sys.path.append(sys.argv[1])\n"
        "from tf_runtime import start; from tf_settings import Settings\n"
        "settings = Settings(intra_op_threads=1)\n"
        "started = start(settings, wants_gpu=sys.argv[2] == 'True', device='0')\n"
        "print(started.description, *started.warnings, sep='\\n')"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, BACKEND, str(wants_gpu)],
        capture_output=True,
        check=True,
        text=True,
    )

    description, *warnings = done.stdout.splitlines()
    assert description == (
        f"TensorFlow {tf.__version__} on the CPU, TF32 off, "
        "threads: 1 within an operation, automatic across"
    )
    assert warnings == ["TensorFlow finds no GPU 0: the CPU computes"] * wants_gpu
    assert ("failed call to cuInit" in done.stderr) == wants_gpu
    assert "oneDNN" not in done.stderr


# Chatter


def test_chatter_is_left_out_and_everything_else_is_not(capfd):
    with stderr_without(CHATTER):
        os.write(2, b"I0000 00:00:1.2 7 port.cc:153] oneDNN custom operations are on. You may\n")
        os.write(2, b"E0000 00:00:1.2 7 port.cc:153] something else\n")
    os.write(2, b"afterwards\n")

    assert capfd.readouterr().err == ("E0000 00:00:1.2 7 port.cc:153] something else\nafterwards\n")


def test_the_last_words_of_a_crash_come_through():
    program = (
        "import os, sys; sys.path.append(sys.argv[1])\n"
        "from tf_quiet import stderr_without\n"
        "with stderr_without(['chatter']):\n"
        "    os.write(2, b'chatter\\nthe processor lacks AVX\\n'); os.abort()"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, BACKEND], capture_output=True, check=False, text=True
    )

    assert done.stderr == "the processor lacks AVX\n"
