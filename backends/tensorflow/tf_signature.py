"""What a SavedModel says of itself, read without TensorFlow: its signature, its graph."""

import mmap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import tf_wire as wire
from tf_errors import SavedModelError

Shape = tuple[int, ...]

TRITON_TYPES: Mapping[int, str] = {
    1: "TYPE_FP32",
    2: "TYPE_FP64",
    3: "TYPE_INT32",
    4: "TYPE_UINT8",
    5: "TYPE_INT16",
    6: "TYPE_INT8",
    7: "TYPE_STRING",
    9: "TYPE_INT64",
    10: "TYPE_BOOL",
    14: "TYPE_BF16",
    17: "TYPE_UINT16",
    19: "TYPE_FP16",
    22: "TYPE_UINT32",
    23: "TYPE_UINT64",
}
"""Triton's names of TensorFlow's DataType (types.proto), as far as both have the type."""


@dataclass(frozen=True)
class TensorSpec:
    """One input or output of a signature.

    data_type: as config.pbtxt names it, `TYPE_FP32`.
    shape: -1 where any size will do; None if even the number of dimensions may vary.
    """

    name: str
    data_type: str
    shape: Shape | None


@dataclass(frozen=True)
class Signature:
    """A function of a SavedModel, by the names under which clients know its tensors.

    tags: those of the graph that has it.
    """

    name: str
    tags: tuple[str, ...]
    inputs: Mapping[str, TensorSpec]
    outputs: Mapping[str, TensorSpec]

    @property
    def has_rows(self) -> bool:
        """Whether the first dimension of every tensor may have any size: that of a batch."""
        tensors = [*self.inputs.values(), *self.outputs.values()]
        return all(tensor.shape is None or tensor.shape[:1] == (-1,) for tensor in tensors)


@dataclass(frozen=True)
class MetaGraph:
    """A graph of a SavedModel, unparsed: the message MetaGraphDef (meta_graph.proto)."""

    message: memoryview
    tags: tuple[str, ...]


def read_signature(directory: Path, name: str, tags: tuple[str, ...]) -> Signature:
    """Return the signature called name; refuse a missing or broken file, and types Triton lacks."""
    graph = read_meta_graph(directory, tags)
    try:
        # MetaGraphDef: map<string, SignatureDef> signature_def = 5
        signatures = dict(wire.entries(graph.message, 5))
        if name not in signatures:
            public = sorted(each for each in signatures if not each.startswith("__"))
            raise SavedModelError(
                f"the SavedModel has no signature {name!r}; it has: {', '.join(public) or 'none'}"
            )
        # SignatureDef: map<string, TensorInfo> inputs = 1, outputs = 2
        inputs, outputs = (_tensors(signatures[name], number) for number in (1, 2))
    except wire.BrokenMessageError as error:
        raise _broken(directory, error) from error
    if not outputs:
        raise SavedModelError(f"the signature {name!r} of the SavedModel has no outputs")
    return Signature(name, graph.tags, inputs, outputs)


def read_meta_graph(directory: Path, tags: tuple[str, ...]) -> MetaGraph:
    """Return the graph with just these tags; without tags, the one for "serve" or the only one."""
    content = _content(directory)
    try:
        # SavedModel: repeated MetaGraphDef meta_graphs = 2
        graphs = [MetaGraph(message, _tags(message)) for message in wire.submessages(content, 2)]
    except wire.BrokenMessageError as error:
        raise _broken(directory, error) from error
    wanted = set(tags or ("serve",))
    for graph in graphs:
        if set(graph.tags) == wanted or (not tags and len(graphs) == 1):
            return graph
    found = " and ".join(f"[{', '.join(graph.tags)}]" for graph in graphs)
    raise SavedModelError(
        f"the SavedModel has no graph with the tags [{', '.join(sorted(wanted))}]; it has "
        f"{found or 'no graph at all'}"
    )


def _content(directory: Path) -> memoryview:
    file = directory / "saved_model.pb"
    try:
        with file.open("rb") as opened:
            return memoryview(mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ))
    except FileNotFoundError as error:
        beside = sorted(other.name for other in directory.glob("saved_model.*"))
        other = f"; {beside[0]} is a form that is not supported" if beside else ""
        raise SavedModelError(f"there is no {file}{other}") from error
    except (OSError, ValueError) as error:  # ValueError: an empty file cannot be mapped
        raise SavedModelError(f"{file} cannot be read: {error}") from error


def _broken(directory: Path, error: wire.BrokenMessageError) -> SavedModelError:
    return SavedModelError(f"{directory}/saved_model.pb is broken or incomplete: {error}")


def _tags(graph: memoryview) -> tuple[str, ...]:
    # MetaGraphDef: MetaInfoDef meta_info_def = 1; MetaInfoDef: repeated string tags = 4
    return tuple(wire.strings(wire.submessage(graph, 1), 4))


def _tensors(signature: memoryview, number: int) -> dict[str, TensorSpec]:
    # A map has no order on the wire: sorted, completed configurations are always the same.
    return {name: _tensor(name, info) for name, info in sorted(wire.entries(signature, number))}


def _tensor(name: str, info: memoryview) -> TensorSpec:
    # TensorInfo: DataType dtype = 2, TensorShapeProto tensor_shape = 3, coo_sparse = 4,
    # composite_tensor = 5
    if wire.has(info, 4) or wire.has(info, 5):
        raise SavedModelError(f"tensor {name!r} is sparse or ragged: Triton has dense tensors only")
    data_type = wire.integer(info, 2)
    if data_type not in TRITON_TYPES:
        raise SavedModelError(
            f"tensor {name!r} has TensorFlow's type number {data_type}, which Triton does not have"
        )
    return TensorSpec(name, TRITON_TYPES[data_type], _shape(wire.submessage(info, 3)))


def _shape(shape: memoryview) -> Shape | None:
    # TensorShapeProto: repeated Dim dim = 2, bool unknown_rank = 3; Dim: int64 size = 1
    if wire.integer(shape, 3):
        return None
    return tuple(wire.integer(dimension, 1) for dimension in wire.submessages(shape, 2))
