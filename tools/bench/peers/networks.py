"""The network alone, array in and array out: with our backend, and with each of its peers.

All get the same volume, a made CT as the network sees it, and use as many threads as they choose.
The peers get the network as published; ours is the SavedModel that is served.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.bench.peers.onnx_graph import read_weights
from tools.locations import data_folder

Array = NDArray[np.float32]
Features = list[float]


def tensorflow(model: str, volume: str) -> Callable[[], Features]:
    """Get ready to call the layers of the Keras example, with a SavedModel's weights."""
    infer, volumes = keras_network(model), np.load(volume)
    return lambda: _listed(infer(volumes))


def keras_network(model: str) -> Callable[[Array], Array]:
    """Return the layers as published, compiled by TensorFlow, as a function of arrays."""
    import tensorflow as tf

    from tools.ct3dcnn import SEED, build, without_classifier

    network = without_classifier(build(SEED))
    for variable, weights in zip(network.variables, read_weights(Path(model)), strict=True):
        variable.assign(weights)
    compiled = tf.function(lambda volumes: network(volumes, training=False))

    def infer(volumes: Array) -> Array:
        features: Array = compiled(tf.constant(volumes)).numpy()
        return features

    return infer


def onnx_runtime(model: str, volume: str) -> Callable[[], Features]:
    """Get ready to run an ONNX file with ONNX Runtime."""
    import onnxruntime

    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    volumes = np.load(volume)
    return lambda: _listed(session.run(["features"], {"volumes": volumes})[0])


def openvino(model: str, volume: str) -> Callable[[], Features]:
    """Get ready to run an ONNX file with OpenVINO: in float32, tuned for one request."""
    # openvino tells its makers over the network what it is used for, unless this is missing.
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    import openvino as ov

    volumes = np.load(volume)
    graph = ov.Core().read_model(model)
    graph.reshape(list(volumes.shape))
    hints = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    compiled = ov.Core().compile_model(graph, "CPU", hints)
    request = compiled.create_infer_request()
    return lambda: _listed(request.infer([volumes])[0])


def ours(config: str, version_directory: str, volume: str) -> Callable[[], Features]:
    """Get ready to ask our backend, without Triton around it.

    config: file with the model's configuration, in the JSON that Triton hands over.
    """
    sys.path.append(str(data_folder("backends") / "tensorflow"))
    from tf_service import load

    stated: dict[str, Any] = json.loads(Path(config).read_text())
    service = load(stated, Path(version_directory), wants_gpu=False, device="0")
    volumes = np.load(volume)

    def run() -> Features:
        [answer] = service.answers([{"volumes": volumes}])
        if isinstance(answer, Exception):
            raise answer
        return _listed(answer["features"])

    return run


def _listed(features: Array) -> Features:
    values: Features = features[0].tolist()
    return values
