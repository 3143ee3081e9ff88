"""HDF5 files of Keras: whole networks, as Keras 2 saved them, and weights alone."""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
from numpy.typing import NDArray

from tools.networks.architectures import ARCHITECTURES
from tools.networks.file_bounds import open_checked_hdf5
from tools.networks.keras_files import (
    check_config,
    is_keras_2,
    loading,
    parsed,
    translated,
)
from tools.networks.keras_network import KerasNetwork
from tools.networks.network import NetworkError
from tools.weights_digest import file_sha256

KERAS_3_WEIGHTS = ".weights.h5"
"""Keras tells its two kinds of weights files apart by this end of their names."""


def open_hdf5(path: Path, *, architecture: str | None, trust: bool) -> KerasNetwork:
    """Return the network of an HDF5 file; raises NetworkError.

    architecture: needed where the file has weights alone, and refused where it has more.
    """
    with open_checked_hdf5(str(path), size_bytes=path.stat().st_size) as file:
        stated = _text(file.attrs.get("model_config"))
        if stated is None:
            return _with_weights(file, path, architecture)
        version = _text(file.attrs.get("keras_version")) or "2"
    if architecture is not None:
        raise NetworkError(
            f"{path.name} has its architecture in it: an architecture is stated for HDF5 files of "
            "weights alone"
        )
    config = parsed(stated, path)
    check_config(config, trust)
    if is_keras_2(version):
        model = _of_keras_2(path, config, version)
    else:
        with loading(path, version):
            model = keras.saving.load_model(path, compile=False, safe_mode=True)
    return KerasNetwork(
        model, form=f"Keras {version.partition('.')[0]} HDF5", source_sha256=file_sha256(path)
    )


def _of_keras_2(path: Path, config: Any, version: str) -> keras.Model:
    """Return the network of a file whose configuration Keras 3 may not take as it is."""
    ours = translated(config, path)
    with tempfile.TemporaryDirectory() as folder, loading(path, version):
        copied = Path(folder, "network.h5")
        shutil.copyfile(path, copied)
        with h5py.File(copied, "r+") as file:
            file.attrs["model_config"] = json.dumps(ours)
        return keras.saving.load_model(copied, compile=False, safe_mode=True)


def _with_weights(file: h5py.File, path: Path, architecture: str | None) -> KerasNetwork:
    if architecture is None or architecture not in ARCHITECTURES:
        came = "none is stated" if architecture is None else f"{architecture!r} is stated"
        raise NetworkError(
            f"{path.name} has weights without an architecture, and {came}: one of "
            f"{', '.join(ARCHITECTURES)} is needed, or a file of the whole network"
        )
    model = ARCHITECTURES[architecture]()
    if "layer_names" in file.attrs:
        _set_weights(model, _weights_by_layer(file), architecture)
        form = "Keras 2 HDF5, weights"
    else:
        _load_keras_3_weights(model, path)
        form = "Keras 3 HDF5, weights"
    return KerasNetwork(model, form=form, source_sha256=file_sha256(path))


def _weights_by_layer(file: h5py.File) -> list[tuple[str, list[NDArray[np.float32]]]]:
    """Return the names of all layers that have weights, with them, as Keras 2 ordered both."""
    found = []
    for name in map(_text, file.attrs["layer_names"]):
        group = file[name]
        weights = [np.asarray(group[_text(each)]) for each in group.attrs["weight_names"]]
        if weights:
            found.append((str(name), weights))
    return found


def _set_weights(
    model: keras.Model, found: list[tuple[str, list[NDArray[np.float32]]]], architecture: str
) -> None:
    """Give each layer the weights that the file has at its place; refuse other shapes."""
    layers = [layer for layer in model.layers if layer.weights]
    if len(found) != len(layers):
        raise NetworkError(
            f"the file has weights of {len(found)} layers, and {architecture} has {len(layers)} "
            "with weights: it is another network's"
        )
    for layer, (name, weights) in zip(layers, found, strict=True):
        came, needed = ([tuple(each.shape) for each in list_] for list_ in (weights, layer.weights))
        if came != needed:
            raise NetworkError(
                f"layer {name!r} of the file has weights of {came}, and layer {layer.name!r} of "
                f"{architecture} needs {needed}: it is another network's"
            )
        layer.set_weights(weights)


def _load_keras_3_weights(model: keras.Model, path: Path) -> None:
    if not path.name.endswith(KERAS_3_WEIGHTS):
        raise NetworkError(
            f"{path.name} is no weights file of Keras 2; one of Keras 3 must be called "
            f"…{KERAS_3_WEIGHTS}: rename it if it is one"
        )
    with loading(path, "3"):
        model.load_weights(path)


def _text(value: str | bytes | None) -> str | None:
    return value.decode() if isinstance(value, bytes) else value
