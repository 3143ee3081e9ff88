"""The layers that a SavedModel of Keras 2 tells of, in its file keras_metadata.pb.

TensorFlow up to 2.15 wrote it: SavedMetadata (saved_metadata.proto of Keras), a message with one
object a layer, whose description is JSON. Nothing of it is made or run.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.networks.network import NetworkError

FILE = "keras_metadata.pb"


@dataclass(frozen=True)
class KerasDescription:
    """A network as Keras 2 described it.

    name: under which its layers are in the graph.
    layers: names and classes, in the order in which they are computed.
    """

    name: str
    layers: tuple[tuple[str, str], ...]


def read_description(directory: Path) -> KerasDescription | None:
    """Return what a SavedModel tells of its layers; None if it was not written by Keras 2.

    Networks of a class of their own, not functional or sequential, tell nothing. Raises
    NetworkError over a broken file. To be called after check_operations, which finds tf_wire.
    """
    import tf_wire as wire

    path = directory / FILE
    if not path.exists():
        return None
    try:
        # SavedMetadata: repeated SavedObject nodes = 1; SavedObject: string node_path = 3,
        # string metadata = 5
        objects = wire.submessages(memoryview(path.read_bytes()), 1)
        metadata = {wire.string(each, 3): wire.string(each, 5) for each in objects}
        root = json.loads(metadata.get("root", "{}"))
        return _description(root)
    except (wire.BrokenMessageError, ValueError, RecursionError, KeyError, TypeError) as error:
        raise NetworkError(
            f"{FILE} in the SavedModel is broken: delete it to take the SavedModel's outputs"
        ) from error


def _description(root: dict[str, Any]) -> KerasDescription | None:
    config = root.get("config") or {}
    if not config.get("layers"):
        return None
    layers = tuple(
        (str(layer["config"]["name"]), str(layer["class_name"])) for layer in config["layers"]
    )
    return KerasDescription(str(root["name"]), layers)
