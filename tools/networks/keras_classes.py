"""Which classes a Keras file may name: those that compute with arrays and nothing else.

Keras' own safe mode is on whenever a file is loaded. This list is stricter: it says so before
anything is made, in a sentence, and new classes of Keras are not on it until somebody looked.
"""

from collections.abc import Iterator
from typing import Any

from tools.networks.network import AS_SAVEDMODEL, NetworkError

MODELS = ("Functional", "Model", "Sequential")

LAYERS = (
    *("InputLayer", "Conv1D", "Conv2D", "Conv3D", "Conv3DTranspose", "DepthwiseConv2D"),
    *("SeparableConv2D", "Dense", "EinsumDense", "Embedding", "MaxPooling1D", "MaxPooling2D"),
    *("MaxPooling3D", "AveragePooling1D", "AveragePooling2D", "AveragePooling3D"),
    *("GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D"),
    *("GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D"),
    *("BatchNormalization", "LayerNormalization", "GroupNormalization", "UnitNormalization"),
    *("RMSNormalization", "SpectralNormalization", "Normalization", "Rescaling"),
    *("Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax", "ThresholdedReLU"),
    *("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot"),
    *("Flatten", "Reshape", "Permute", "RepeatVector", "Identity", "Masking"),
    *("Cropping1D", "Cropping2D", "Cropping3D", "ZeroPadding1D", "ZeroPadding2D"),
    *("ZeroPadding3D", "UpSampling1D", "UpSampling2D", "UpSampling3D"),
    *("Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"),
    *("AlphaDropout", "GaussianDropout", "GaussianNoise", "ActivityRegularization"),
    *("Attention", "AdditiveAttention", "MultiHeadAttention", "GroupQueryAttention"),
    *("TimeDistributed", "Bidirectional", "LSTM", "GRU", "SimpleRNN", "RNN", "LSTMCell"),
    *("GRUCell", "SimpleRNNCell", "StackedRNNCells", "ConvLSTM2D", "ConvLSTM3D"),
)

PARTS = (
    *("Zeros", "Ones", "Constant", "RandomNormal", "RandomUniform", "TruncatedNormal"),
    *("VarianceScaling", "Orthogonal", "OrthogonalInitializer", "Identity", "GlorotNormal"),
    *("GlorotUniform", "HeNormal", "HeUniform", "LecunNormal", "LecunUniform"),
    *("L1", "L2", "L1L2", "OrthogonalRegularizer"),
    *("MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm"),
    *("DTypePolicy", "Policy", "__tuple__", "__keras_tensor__", "__tensor__", "TensorShape"),
)
"""What layers are made with: initial values, penalties, constraints, types."""

ALLOWED = frozenset(MODELS + LAYERS + PARTS)


def check_classes(config: object) -> None:
    """Refuse the configuration of a network, as JSON gives it, if it names other classes."""
    check_lambdas(config)
    for name, stated in _classes(config):
        if name not in ALLOWED or not _is_keras_own(stated):
            raise NetworkError(
                f"{_called(stated)} is {_full_name(name, stated)}, not among the classes of Keras "
                f"that are taken: {AS_SAVEDMODEL}, or say --trust if its author is trusted and its "
                "class is registered with Keras"
            )


def check_lambdas(config: object) -> None:
    """Refuse a network with Python code in its file, whoever made it.

    It is byte code of one version of Python, and another one may crash over it.
    """
    for name, stated in _classes(config):
        if name in ("Lambda", "__lambda__"):
            raise NetworkError(
                f"{_called(stated)} is a Lambda, Python code in the file that would run here; as a "
                f"graph it is taken: {AS_SAVEDMODEL}, or replace the layer by one of Keras'"
            )


def _classes(config: object) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each object that is to be made: the name of its class, and all that is said of it."""
    waiting = [config]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if isinstance(value.get("class_name"), str):
                yield value["class_name"], value
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def _is_keras_own(stated: dict[str, Any]) -> bool:
    """Whether a class is Keras' own: registered ones of others are "package>name"."""
    module, registered = stated.get("module"), stated.get("registered_name")
    from_keras = module is None or module == "builtins" or str(module).split(".")[0] == "keras"
    return from_keras and ">" not in str(registered) and ">" not in stated["class_name"]


def _called(stated: dict[str, Any]) -> str:
    config = stated.get("config")
    name = config.get("name") if isinstance(config, dict) else None
    return f"layer {name!r}" if isinstance(name, str) else "something in the file"


def _full_name(name: str, stated: dict[str, Any]) -> str:
    registered, module = stated.get("registered_name"), stated.get("module")
    return str(registered or (f"{module}.{name}" if module else name))
