"""The TensorFlow backend in the real Triton: one server, with SavedModels of several kinds."""

import socket
import subprocess
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
import savedmodels
import tensorflow as tf
import tritonclient.http as http
from tritonclient.utils import InferenceServerException

from tools.engine.installation import Installation, find_installation

READY_SECONDS = 120
PEAK_BYTES = 1_000_000_000
"""What a stub with small weights may take at most, TensorFlow's own 500 MB included."""

GROWTH_BYTES = 4 * 4 * savedmodels.WIDE
"""Four activations of one row of the model `wide`; forty rows at once have more than a hundred."""

BACKEND_ONLY = 'backend: "tensorflow"\ninstance_group [ { kind: KIND_CPU count: 1 } ]\n'
NVIDIAS = 'platform: "tensorflow_savedmodel"\ninstance_group [ { kind: KIND_AUTO count: 1 } ]\n'
TWO = """
backend: "tensorflow"
max_batch_size: 64
input [
  { name: "values" data_type: TYPE_FP32 dims: [ 3 ] },
  { name: "chosen" data_type: TYPE_INT32 dims: [ 2 ] optional: true }
]
output [
  { name: "twice" data_type: TYPE_INT32 dims: [ 2 ] },
  { name: "sums" data_type: TYPE_FP32 dims: [ 1 ] }
]
instance_group [ { kind: KIND_CPU count: 1 } ]
dynamic_batching { max_queue_delay_microseconds: 200000 }
model_warmup [ {
  name: "zeros" batch_size: 2
  inputs { key: "values" value { data_type: TYPE_FP32 dims: [ 3 ] zero_data: true } }
  inputs { key: "chosen" value { data_type: TYPE_INT32 dims: [ 2 ] zero_data: true } }
} ]
parameters [
  { key: "rows_at_once" value: { string_value: "3" } },
  { key: "intra_op_threads" value: { string_value: "1" } },
  { key: "inter_op_threads" value: { string_value: "1" } }
]
"""


def parameter(name, value):
    return f'parameters [ {{ key: "{name}" value: {{ string_value: "{value}" }} }} ]\n'


BY_OPENVINO = (
    BACKEND_ONLY
    + """
parameters [
  { key: "engine" value: { string_value: "openvino" } },
  { key: "rows_at_once" value: { string_value: "1" } }
]
"""
)

SERVED = {
    "image": None,
    "text": NVIDIAS,
    "two": TWO,
    "dynamic": BACKEND_ONLY,
    "named": BACKEND_ONLY + "version_policy { all {} }\n" + parameter("signature", "triple"),
    "types": BACKEND_ONLY,
    "fixed": BACKEND_ONLY,
    "wide": BACKEND_ONLY + parameter("rows_at_once", "1"),
}
"""config.pbtxt of each model that is loaded at the start; `image` has none."""

KINDS = {"misfit": "two", "misspelt": "two", "image_by_openvino": "image"}
"""What a model's SavedModel is, unless it is called as the model is."""

REFUSED = {
    "python_call": BACKEND_ONLY,
    "truncated": BACKEND_ONLY,
    "misfit": TWO.replace("dims: [ 3 ]", "dims: [ 4 ]"),
    "misspelt": BACKEND_ONLY + parameter("signature", "serving_defualt"),
}


@dataclass(frozen=True)
class Served:
    """The running server: how to ask it, where it logs, what it serves."""

    client: http.InferenceServerClient
    process: subprocess.Popen
    repository: Path
    log: Path

    def ask(self, model, inputs, **options):
        return self.client.infer(model, tensors(inputs), **options)

    def savedmodel(self, model, version=1):
        return self.repository / model / str(version) / "model.savedmodel"

    def peak_bytes(self, instance):
        """The most memory that the process of a model's instance has had so far."""
        (stub,) = (
            folder
            for folder in Path("/proc").glob("[0-9]*")
            if is_child(folder, self.process.pid)
            and instance in (folder / "cmdline").read_text().split("\0")
        )
        (line,) = (each for each in (stub / "status").read_text().split("\n") if "VmHWM" in each)
        return 1024 * int(line.split()[1])


def is_child(folder, parent):
    try:
        return (folder / "stat").read_text().rpartition(")")[2].split()[1] == str(parent)
    except (FileNotFoundError, ProcessLookupError):
        return False  # ended meanwhile


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    repository = tmp_path_factory.mktemp("model_repository")
    for name, config in (SERVED | REFUSED).items():
        add_model(repository, name, config)
    savedmodels.named(repository / "named" / "2" / "model.savedmodel", factor=30)
    triton = find_installation()
    backends = tmp_path_factory.mktemp("backends")
    triton.make_backend_directory(backends)
    port, log = free_port(), backends / "log"
    with ExitStack() as stack:
        stack.callback(remove_regions, port)
        output = stack.enter_context(log.open("wb"))
        process = subprocess.Popen(
            command(triton, repository, backends, port),
            env=triton.environment(),
            stdout=subprocess.DEVNULL,
            stderr=output,
        )
        stack.callback(stop, process)
        client = stack.enter_context(
            http.InferenceServerClient(f"127.0.0.1:{port}", concurrency=16, network_timeout=60)
        )
        wait_until_ready(client, process, log)
        yield Served(client, process, repository, log)


def command(triton: Installation, repository, backends, port):
    """Triton with the least: configurations are completed, and only the good models loaded."""
    return [
        triton.binary,
        f"--model-repository={repository}",
        f"--backend-directory={backends}",
        f"--backend-config=python,shm-region-prefix-name={region_prefix(port)}",
        "--model-control-mode=explicit",
        *(f"--load-model={name}" for name in SERVED),
        "--http-address=127.0.0.1",
        f"--http-port={port}",
        "--allow-grpc=false",
        "--allow-metrics=false",
        "--log-info=true",
    ]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def region_prefix(port):
    return f"tensorflow-backend-test-{port}-"


def add_model(repository, name, config):
    kind = KINDS.get(name, name)
    getattr(savedmodels, kind)(repository / name / "1" / "model.savedmodel")
    if config is not None:
        (repository / name / "config.pbtxt").write_text(config)


def wait_until_ready(client, process, log):
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if client.is_server_ready():
                return
        except OSError:
            pass
        time.sleep(0.1)
    pytest.fail(f"Triton is not ready:\n{log.read_text()}")


def stop(process):
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def remove_regions(port):
    for region in Path("/dev/shm").glob(f"{region_prefix(port)}*"):  # noqa: S108  (shm_overview(7))
        region.unlink(missing_ok=True)


def tensors(inputs):
    made = []
    for name, values in inputs.items():
        data_type = http_type(values)
        made.append(http.InferInput(name, list(values.shape), data_type))
        made[-1].set_data_from_numpy(values)
    return made


def http_type(values):
    if values.dtype == ml_dtypes.bfloat16:
        return "BF16"
    return {"O": "BYTES", "f": "FP", "i": "INT", "u": "UINT", "b": "BOOL"}[values.dtype.kind] + (
        str(8 * values.dtype.itemsize) if values.dtype.kind in "fiu" else ""
    )


def expected(directory, inputs, name="serving_default"):
    """What TensorFlow itself makes of the inputs."""
    loaded = tf.saved_model.load(directory)
    outputs = loaded.signatures[name](**{key: tf.constant(value) for key, value in inputs.items()})
    return {key: value.numpy() for key, value in outputs.items()}


def assert_same(answer, outputs):
    for name, values in outputs.items():
        found = answer.as_numpy(name)
        assert found.dtype == values.dtype
        np.testing.assert_array_equal(found.reshape(values.shape), values)


def pixels(rows):
    return np.random.default_rng(rows).normal(size=(rows, 8, 8, 3)).astype(np.float32)


def pair(rows, seed=0):
    random = np.random.default_rng(seed)
    return {
        "values": random.normal(size=(rows, 3)).astype(np.float32),
        "chosen": random.integers(3, size=(rows, 2), dtype=np.int32),
    }


# What is answered


def test_features_are_those_of_tensorflow_to_the_last_bit(served):
    inputs = {"pixels": pixels(5)}

    assert_same(served.ask("image", inputs), expected(served.savedmodel("image"), inputs))


def test_words_go_in_one_a_row(served):
    words = np.array([b"lung", b"\xff\x00 no word", b"liver"], object)

    answer = served.ask("text", {"words": words.reshape(3, 1)})

    assert answer.as_numpy("numbers").tolist() == [[1], [-1], [0]]
    assert_same(answer, expected(served.savedmodel("text"), {"words": words}))


def test_text_comes_out_as_the_bytes_that_it_is(served):
    answer = served.ask("dynamic", {"series": np.array([[1.0, -2.5]], np.float32)})

    assert answer.as_numpy("text").tolist() == [[b"\xff\x001.0", b"\xff\x00-1.5"]]


def test_rows_may_have_any_length_where_the_signature_says_so(served):
    for length in (1, 4):
        inputs = {"series": np.arange(3 * length, dtype=np.float32).reshape(3, length)}

        answer = served.ask("dynamic", inputs)

        assert answer.as_numpy("mean").shape == (3, 1)
        assert_same(answer, expected(served.savedmodel("dynamic"), inputs))


def test_tensors_without_rows_and_without_dimensions(served):
    inputs = {"vector": np.array([1, 2, 4], np.float32), "factor": np.array([3], np.float32)}

    answer = served.ask("fixed", inputs)

    assert answer.as_numpy("product").tolist() == [3, 6, 12]
    assert answer.as_numpy("sum").tolist() == [21]


def test_every_type_that_both_have_comes_back_as_it_went(served):
    inputs = {
        name: np.array([[0, 1], [1, 1], [0, 0]]).astype(dtype.as_numpy_dtype)
        for name, dtype in savedmodels.ALL_TYPES.items()
    }
    inputs["TYPE_STRING"] = np.array([[b"", b"a"], [b"\x00", b"\xe9"], [b"b", b"c"]], object)

    answer = served.ask("types", inputs)

    assert_same(answer, {f"{name}_out": values for name, values in inputs.items()})


def test_versions_and_a_signature_by_its_name(served):
    inputs = {"x": np.array([[1, 2]], np.float32)}

    for version, factor in (("1", 3), ("2", 30)):
        answer = served.ask("named", inputs, model_version=version)
        assert answer.as_numpy("z").tolist() == [[factor, 2 * factor]]


def test_only_the_outputs_asked_for_are_sent(served):
    answer = served.ask("two", pair(2), outputs=[http.InferRequestedOutput("sums")])

    assert [output["name"] for output in answer.get_response()["outputs"]] == ["sums"]


def test_openvino_computes_where_it_is_asked_for(served):
    pytest.importorskip("openvino", reason="OpenVINO is not installed: the extra `openvino`")
    add_model(served.repository, "image_by_openvino", BY_OPENVINO)
    inputs = {"pixels": pixels(3)}

    served.client.load_model("image_by_openvino")

    answer = served.ask("image_by_openvino", inputs).as_numpy("features")
    values = expected(served.savedmodel("image_by_openvino"), inputs)["features"]
    np.testing.assert_allclose(answer, values, rtol=1e-5)
    assert "OpenVINO 2026" in served.log.read_text()


# What is completed


def test_a_model_without_config_is_completed_from_its_signature(served):
    found = served.client.get_model_config("image")

    assert found["max_batch_size"] == 256
    assert "dynamic_batching" not in found
    described = [(each["name"], each["data_type"], each["dims"]) for each in found["input"]]
    assert described == [("pixels", "TYPE_FP32", [8, 8, 3])]
    described = [(each["name"], each["data_type"], each["dims"]) for each in found["output"]]
    assert described == [("features", "TYPE_FP32", [4])]


def test_what_config_pbtxt_states_is_left_as_it_is(served):
    found = served.client.get_model_config("two")

    assert found["max_batch_size"] == 64
    assert [each["name"] for each in found["output"]] == ["twice", "sums"]
    assert served.client.get_model_config("fixed")["max_batch_size"] == 0


# Batches


def test_requests_in_one_batch_get_their_own_answers_and_a_bad_one_its_own_error(served):
    inputs = [pair(rows=1 + index % 4, seed=index) for index in range(12)]
    inputs[5]["chosen"][0, 0] = -7
    before = executions(served)

    waiting = [served.client.async_infer("two", tensors(each)) for each in inputs]

    for index, (each, answer) in enumerate(zip(inputs, waiting, strict=True)):
        if index == 5:
            with pytest.raises(InferenceServerException, match="internal error: the model failed"):
                answer.get_result()
        else:
            assert_same(answer.get_result(), expected(served.savedmodel("two"), each))
    assert executions(served) - before < len(inputs), "Triton has not put any together"
    assert "-7" not in served.log.read_text().partition("failed: InvalidArgumentError")[2]


def executions(served):
    (statistics,) = served.client.get_inference_statistics("two")["model_stats"]
    return statistics["execution_count"]


def test_forty_rows_take_no_more_memory_than_one(served):
    x = np.linspace(0, 1, 40, dtype=np.float32).reshape(40, 1)
    after_one = served.peak_bytes("wide_0_0")

    answer = served.ask("wide", {"x": x})

    assert answer.as_numpy("y").shape == (40, 1)
    waiting = [served.client.async_infer("wide", tensors({"x": x[:5]})) for _ in range(8)]
    for each in waiting:
        np.testing.assert_array_equal(each.get_result().as_numpy("y"), answer.as_numpy("y")[:5])
    peak = served.peak_bytes("wide_0_0")
    assert peak < PEAK_BYTES
    assert peak - after_one < GROWTH_BYTES


# What is refused


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"values": np.ones((1, 3), np.float32)}, "the input 'chosen' is missing"),
        (pair(1) | {"values": np.ones((1, 4), np.float32)}, r"unexpected shape for input 'values'"),
        (pair(1) | {"values": np.ones((1, 3))}, "data-type is 'FP64', but .* expects 'FP32'"),
    ],
)
def test_what_the_sender_did_wrong_is_status_400_with_the_reason(served, inputs, message):
    with pytest.raises(InferenceServerException, match=message) as raised:
        served.ask("two", inputs)
    assert raised.value.status() == "400"


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            "misfit",
            r"input 'values': config.pbtxt says TYPE_FP32 \[-1, 4\] with the rows, the signature "
            r"'serving_default' says TYPE_FP32 \[-1, 3\]",
        ),
        ("misspelt", "no signature 'serving_defualt'; it has: serving_default"),
        ("truncated", "saved_model.pb is broken or incomplete: field 2 should have"),
        ("python_call", "the SavedModel would run PyFunc: "),
    ],
)
def test_a_model_that_cannot_be_served_is_not_loaded_and_why_is_said(served, model, message):
    with pytest.raises(InferenceServerException, match=message):
        served.client.load_model(model)
    assert served.client.is_server_live()


# The log


def test_the_log_says_how_each_model_is_computed_and_tensorflow_says_nothing(served):
    text = served.log.read_text()

    assert (
        "two_0_0, version 1: signature 'serving_default', TensorFlow 2.21.0 on the CPU, TF32 off, "
        "threads: 1 within an operation, 1 across, rows at once: 3; warmed up with batches of 1, "
        "2, 3"
    ) in text.replace("\\'", "'")
    for chatter in ("oneDNN custom", "cuInit", "InitializeLog", "cudart", "rebuild TensorFlow"):
        assert chatter not in text
