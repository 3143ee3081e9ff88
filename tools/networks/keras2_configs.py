"""What Keras 2 wrote of a network and Keras 3 understands otherwise, or not at all."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from tools.networks.network import AS_SAVEDMODEL, NetworkError

UNUSED: Mapping[str, Mapping[str, tuple[object, ...]]] = {
    "SpatialDropout1D": {"noise_shape": (None,), "trainable": (True, False)},
    "SpatialDropout2D": {"noise_shape": (None,), "trainable": (True, False)},
    "SpatialDropout3D": {"noise_shape": (None,), "trainable": (True, False)},
    "Conv3DTranspose": {"groups": (1,)},
    "ConvLSTM2D": {"time_major": (False,)},
    "LSTM": {"time_major": (False,)},
    "GRU": {"time_major": (False,)},
    "SimpleRNN": {"time_major": (False,)},
}
"""What Keras 2 wrote of some layers and Keras 3 refuses, with the values that have no effect."""

MOVED = {"Functional": "keras.src.models.functional", "Sequential": "keras.src.models.sequential"}
"""Where Keras 3 has classes that Keras 2 had elsewhere."""

OTHERWISE = "hard_sigmoid"
"""Keras 2: min(max(0.2 x + 0.5, 0), 1); Keras 3: min(max(x / 6 + 0.5, 0), 1)."""


def as_keras_3(config: dict[str, Any]) -> dict[str, Any]:
    """Return a network's configuration as Keras 3 takes it, with the same meaning.

    Raises NetworkError where Keras 3 would compute something else.
    """
    ours = copy.deepcopy(config)
    for layer in _objects(ours):
        _refuse_other_meaning(layer["config"])
        _translate(layer["class_name"], layer["config"])
        if "module" in layer:
            _translate_keras_file(layer)
    return ours


def _translate(kind: str, stated: dict[str, Any]) -> None:
    """Change what both kinds of files have: HDF5 and, of Keras 2.12 and later, `.keras`."""
    for name, values in UNUSED.get(kind, {}).items():
        if name in stated and stated[name] in values:
            del stated[name]
    if kind in ("Functional", "Model"):
        _count_uses_from_zero(stated)


def _translate_keras_file(layer: dict[str, Any]) -> None:
    """Change what Keras 3 translates itself in an HDF5 file, and not in a `.keras` file."""
    kind, stated = layer["class_name"], layer["config"]
    layer["module"] = MOVED.get(kind, layer["module"])
    if kind != "InputLayer":  # which a sequential network has, too: nothing is lost
        stated.pop("batch_input_shape", None)
    if kind == "BatchNormalization" and isinstance(stated.get("axis"), list):
        [stated["axis"]] = stated["axis"]


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """Yield all that has a class and a configuration, outer ones first."""
    if isinstance(value, dict):
        if isinstance(value.get("class_name"), str) and isinstance(value.get("config"), dict):
            yield value
        for each in value.values():
            yield from _objects(each)
    elif isinstance(value, list):
        for each in value:
            yield from _objects(each)


def _refuse_other_meaning(stated: dict[str, Any]) -> None:
    if OTHERWISE in (stated.get("activation"), stated.get("recurrent_activation")):
        raise NetworkError(
            f"layer {stated.get('name')!r} has the activation {OTHERWISE}, which Keras 3 computes "
            f"in another way than Keras 2: {AS_SAVEDMODEL}"
        )


def _count_uses_from_zero(network: dict[str, Any]) -> None:
    """Number the uses of sequential networks inside: Keras 2 counts their making as the first."""
    layers = network.get("layers", [])
    inside = {each["config"]["name"] for each in layers if each.get("class_name") == "Sequential"}
    references = [network.get("output_layers"), *(each.get("inbound_nodes") for each in layers)]
    for reference in _references(references):
        if reference[0] in inside:
            reference[1] -= 1


def _references(value: Any) -> Iterator[list[Any]]:
    """Yield each [layer, use, output, …], in lists of whatever depth."""
    if not isinstance(value, list):
        return
    if len(value) > 2 and isinstance(value[0], str) and isinstance(value[1], int):
        yield value
        return
    for each in value:
        yield from _references(each)
