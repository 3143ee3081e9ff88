"""Which operations a SavedModel would run, and which of them must not: read from its graph.

Nothing is run to find out, and TensorFlow is not imported. A SavedModel is a program: it may read
and write files, call Python and the network. What its saver does with files is left aside, since
nobody calls the saver of a model that is served; but only where nothing else leads to it.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import tf_wire as wire
from tf_errors import SavedModelError
from tf_signature import MetaGraph

PYTHON = ("PyFunc", "PyFuncStateless", "EagerPyFunc")
SAVER = ("Save", "SaveSlices", "Restore", "RestoreSlice", "MergeV2Checkpoints")
FILES = (
    *("ReadFile", "WriteFile", "MatchingFiles", "MatchingFilesDataset", "ImmutableConst"),
    *("LoadAndRemapMatrix", "GenerateVocabRemapping", "DistributedSave", "DTensorRestore"),
    *("WholeFileReader", "TextLineReader", "FixedLengthRecordReader", "TFRecordReader"),
    *("LMDBReader", "RecordInput", "Skipgram", "FixedUnigramCandidateSampler"),
    *("TextLineDataset", "TFRecordDataset", "FixedLengthRecordDataset", "CSVDataset"),
    *("LMDBDataset", "SqlDataset", "CacheDataset", "SaveDataset", "LoadDataset"),
    *("SnapshotDataset", "SnapshotDatasetReader", "SnapshotChunkDataset"),
    *("ListSnapshotChunksDataset", "DatasetToTFRecord", "CreateSummaryFileWriter"),
    *("CreateSummaryDbWriter", "DumpTensor", "CalibrationStatisticsSaver"),
    *("FileSystemSetConfiguration", "DebugIdentity", "DebugNanCount", "DebugNumericSummary"),
)
NETWORK = (
    *("RpcServer", "RpcClient", "RpcCall", "RemoteCall", "DataServiceDataset", "RegisterDataset"),
)
UNSAFE = frozenset(PYTHON + SAVER + FILES + NETWORK)
"""InitializeTableFromTextFile is not among them: it reads the vocabulary of a text model."""

_VERSION = re.compile(r"^Experimental|V\d+$")
"""What operations of one kind differ in: `ExperimentalCSVDataset`, `CSVDatasetV2`."""


@dataclass(frozen=True)
class _Node:
    """One operation of a graph or function.

    inputs: names of nodes; functions: names that occur where a function could be called.
    """

    name: str
    operation: str
    inputs: tuple[str, ...]
    functions: frozenset[str]
    prints_to_file: bool


@dataclass(frozen=True)
class Operations:
    """The names of what a graph and its functions have: all of it, and what must not be run."""

    all: frozenset[str]
    unsafe: frozenset[str]

    def refuse_unsafe(self) -> None:
        """Refuse a SavedModel that would run an unsafe operation."""
        if self.unsafe:
            raise SavedModelError(
                f"the SavedModel would run {', '.join(sorted(self.unsafe))}: operations that reach "
                'files, the network or Python are refused; the parameter trust "true" allows them'
            )

    def refuse_unknown(self, is_registered: Callable[[str], bool]) -> None:
        """Refuse a SavedModel with operations for which is_registered says no."""
        unknown = sorted(name for name in self.all if not is_registered(name))
        if unknown:
            raise SavedModelError(
                f"the SavedModel needs {', '.join(unknown)}: this TensorFlow has no such operations"
            )


def read_operations(meta_graph: MetaGraph) -> Operations:
    """Return the operations of a graph; refuse a broken one."""
    try:
        return _operations(meta_graph.message)
    except wire.BrokenMessageError as error:
        raise SavedModelError(f"the graph of the SavedModel is broken: {error}") from error


def _operations(meta_graph: memoryview) -> Operations:
    # MetaGraphDef: GraphDef graph_def = 2; GraphDef: repeated NodeDef node = 1,
    # FunctionDefLibrary library = 2; FunctionDefLibrary: repeated FunctionDef function = 1
    graph = wire.submessage(meta_graph, 2)
    nodes = {node.name: node for node in _nodes(graph, 1)}
    definitions = list(wire.submessages(wire.submessage(graph, 2), 1))
    functions = {_function_name(each): tuple(_nodes(each, 3)) for each in definitions}
    everything = [*nodes.values(), *(node for body in functions.values() for node in body)]
    called = _called_at_will(meta_graph, definitions)
    executed = _executed(nodes, functions, called=called, meta_graph=meta_graph)
    unsafe = {node.operation for node in everything if _kind(node) in UNSAFE.difference(SAVER)}
    unsafe |= {node.operation for node in executed if _kind(node) in SAVER}
    names = {node.operation for node in everything}
    return Operations(frozenset(names - functions.keys()), frozenset(unsafe))


def _executed(
    nodes: Mapping[str, _Node],
    functions: Mapping[str, Sequence[_Node]],
    *,
    called: set[str],
    meta_graph: memoryview,
) -> list[_Node]:
    """Return all that loading and serving may run: everything but what only the saver needs.

    called: names of functions that something else than a node may call.
    """
    saver = _with_inputs(_saver_nodes(meta_graph), nodes)
    saver -= _with_inputs(_served_nodes(meta_graph), nodes)
    executed = [node for name, node in nodes.items() if name not in saver]
    called = called.union(*(node.functions for node in executed))
    called |= functions.keys() - _with_calls([nodes[name] for name in saver], functions)
    bodies = [node for name in called & functions.keys() for node in functions[name]]
    return [
        *executed,
        *bodies,
        *(node for name in _with_calls(bodies, functions) for node in functions[name]),
    ]


def _with_calls(nodes: Sequence[_Node], functions: Mapping[str, Sequence[_Node]]) -> set[str]:
    """Return the names of all functions that the nodes call, directly or not."""
    waiting = functions.keys() & {name for node in nodes for name in node.functions}
    done = set[str]()
    while waiting:
        name = waiting.pop()
        done.add(name)
        for node in functions[name]:
            waiting |= (node.functions & functions.keys()) - done
    return done


def _with_inputs(names: set[str], nodes: Mapping[str, _Node]) -> set[str]:
    """Return the names of nodes and of all that they are computed from."""
    waiting, done = names & nodes.keys(), set[str]()
    while waiting:
        name = waiting.pop()
        done.add(name)
        waiting.update(each for each in nodes[name].inputs if each in nodes and each not in done)
    return done


def _saver_nodes(meta_graph: memoryview) -> set[str]:
    # MetaGraphDef: SaverDef saver_def = 3;
    # SaverDef: string save_tensor_name = 2, string restore_op_name = 3
    saver = wire.submessage(meta_graph, 3)
    return {_node_name(wire.string(saver, number)) for number in (2, 3)}


def _served_nodes(meta_graph: memoryview) -> set[str]:
    """Return the nodes that give the outputs of all signatures, and those that initialise."""
    # MetaGraphDef: map<string, CollectionDef> collection_def = 4, map<string, SignatureDef>
    # signature_def = 5; CollectionDef: NodeList node_list = 1; NodeList: repeated string value = 1;
    # SignatureDef: map<string, TensorInfo> outputs = 2; TensorInfo: string name = 1
    served = {
        _node_name(wire.string(tensor, 1))
        for _, signature in wire.entries(meta_graph, 5)
        for _, tensor in wire.entries(signature, 2)
    }
    for _, collection in wire.entries(meta_graph, 4):
        served.update(map(_node_name, wire.strings(wire.submessage(collection, 1), 1)))
    return served


def _called_at_will(meta_graph: memoryview, definitions: Sequence[memoryview]) -> set[str]:
    """Return the functions that TensorFlow calls though no node names them.

    The loader does, with those of the object graph, and Grappler puts one function in another's
    place if both implement the same interface.
    """
    # MetaGraphDef: SavedObjectGraph object_graph_def = 7; SavedObjectGraph:
    # map<string, SavedConcreteFunction> concrete_functions = 2;
    # FunctionDef: map<string, AttrValue> attr = 5
    called = {name for name, _ in wire.entries(wire.submessage(meta_graph, 7), 2)}
    return called | {
        _function_name(each)
        for each in definitions
        if any(name == "api_implements" for name, _ in wire.entries(each, 5))
    }


def _function_name(definition: memoryview) -> str:
    # FunctionDef: OpDef signature = 1, repeated NodeDef node_def = 3; OpDef: string name = 1
    return wire.string(wire.submessage(definition, 1), 1)


def _nodes(message: memoryview, number: int) -> Iterator[_Node]:
    for node in wire.submessages(message, number):
        # NodeDef: string name = 1, string op = 2, repeated string input = 3,
        # map<string, AttrValue> attr = 5
        operation = wire.string(node, 2)
        attributes = list(wire.entries(node, 5))
        called = {name for _, value in attributes for name in _called(value)}
        yield _Node(
            wire.string(node, 1),
            operation,
            tuple(map(_node_name, wire.strings(node, 3))),
            frozenset(called | {operation}),
            operation == "PrintV2" and _prints_to_file(attributes),
        )


def _called(value: memoryview) -> Iterator[str]:
    # AttrValue: ListValue list = 1, NameAttrList func = 10; ListValue: repeated NameAttrList
    # func = 9; NameAttrList: string name = 1, map<string, AttrValue> attr = 2
    functions = [
        *wire.submessages(value, 10),
        *wire.submessages(wire.submessage(value, 1), 9),
    ]
    for function in functions:
        yield wire.string(function, 1)
        for _, nested in wire.entries(function, 2):
            yield from _called(nested)


def _prints_to_file(attributes: Sequence[tuple[str, memoryview]]) -> bool:
    # AttrValue: bytes s = 2; tf.print's output_stream is "stderr", a log level or "file:///..."
    streams = [wire.string(value, 2) for name, value in attributes if name == "output_stream"]
    return any(stream.startswith("file:") for stream in streams)


def _node_name(tensor: str) -> str:
    """Return the node of a tensor `name:0`, or of a control input `^name`."""
    return tensor.removeprefix("^").partition(":")[0]


def _kind(node: _Node) -> str:
    """Return the operation without what versions of one kind differ in."""
    return "WriteFile" if node.prints_to_file else _VERSION.sub("", node.operation)
