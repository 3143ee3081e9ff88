"""The pickle of a PyTorch state_dict, read by the few operations that one is made of.

A pickle is a program. Python's unpickler runs it, and can only be told which names not to look up:
indices that take gigabytes and keys that take forever to hash remain. Here each operation is in a
table or refused, names are never looked up, and the only two calls are known by name. pickletools,
the disassembler of the standard library, takes the bytes apart.
"""

import pickletools
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from tools.astra.checkpoint_error import CheckpointError

MOST_BYTES = 16 << 20
"""A thousand tensors take 0.1 MB."""

REBUILD = "torch._utils _rebuild_tensor_v2"
ORDERED = "collections OrderedDict"

STORAGES: Mapping[str, str] = MappingProxyType(
    {
        "torch BFloat16Storage": "bfloat16",
        "torch BoolStorage": "bool",
        "torch DoubleStorage": "float64",
        "torch FloatStorage": "float32",
        "torch HalfStorage": "float16",
        "torch IntStorage": "int32",
        "torch LongStorage": "int64",
    }
)
"""Types of numbers by the names that PyTorch writes for them."""


class Storage(NamedTuple):
    """A run of numbers: their type, the name of their file in the zip, and how many they are."""

    kind: str
    key: str
    numbers: int


class Tensor(NamedTuple):
    """Where a tensor's numbers are in a storage, as the pickle says: nothing is checked yet."""

    storage: Storage
    unverified_offset: Any
    unverified_shape: Any
    unverified_strides: Any


class _Global(NamedTuple):
    name: str


_MARK = object()


def read_state(pickle: bytes) -> Any:
    """Return what the pickle holds: dictionaries by text, lists, tuples, numbers, and Tensors.

    Refuses every operation, name and call that a state_dict does not need.
    """
    if len(pickle) > MOST_BYTES:
        raise CheckpointError(
            f"the list of tensors takes {len(pickle)} bytes; at most {MOST_BYTES} are read"
        )
    machine = _Machine()
    try:
        for operation, argument, at in pickletools.genops(pickle):
            if operation.name == "STOP":
                return machine.result()
            machine.run(operation.name, argument, at)
    except (IndexError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(f"the list of tensors is damaged: {error}") from error
    raise CheckpointError("the list of tensors has no end")


class _Machine:
    """The stack and the memo of a pickle, and what its operations do to them."""

    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def run(self, name: str, argument: Any, at: int | None) -> None:
        """Do one operation; at: its place in the pickle, for messages."""
        if name in _IGNORED:
            return
        if name in _LITERALS:
            self._stack.append(_LITERALS[name](argument))
        elif name in _OPERATIONS:
            _OPERATIONS[name](self, argument)
        else:
            raise CheckpointError(
                f"byte {at} of the list of tensors is {name}: no operation of a state_dict"
            )

    def result(self) -> Any:
        """Return the one value that is left at the end."""
        (value,) = self._stack
        return value

    def put(self, index: int) -> None:
        self._memo[index] = self._stack[-1]

    def memoize(self, _argument: None) -> None:
        self._memo[len(self._memo)] = self._stack[-1]

    def get(self, index: int) -> None:
        self._stack.append(self._memo[index])

    def mark(self, _argument: None) -> None:
        self._stack.append(_MARK)

    def pack(self, count: int) -> None:
        """Make a tuple of the last values."""
        if len(self._stack) < count:
            raise CheckpointError("the list of tensors is damaged: a tuple of what is not there")
        start = len(self._stack) - count
        self._stack[start:] = [tuple(self._stack[start:])]

    def since_mark(self) -> list[Any]:
        """Take the values behind the last mark off the stack, and the mark."""
        start = len(self._stack)
        while self._stack[start - 1] is not _MARK:
            start -= 1  # an index below the stack's start ends it: IndexError
        values = self._stack[start:]
        del self._stack[start - 1 :]
        return values

    def tuple_since_mark(self, _argument: None) -> None:
        self._stack.append(tuple(self.since_mark()))

    def set_item(self, _argument: None) -> None:
        value, key = self._stack.pop(), self._stack.pop()
        self._fill([key, value])

    def set_items(self, _argument: None) -> None:
        self._fill(self.since_mark())

    def _fill(self, pairs: list[Any]) -> None:
        """Put keys and values, in turn, into the dictionary on top; keys are texts, each once."""
        target = self._stack[-1]
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            if not (isinstance(target, dict) and isinstance(key, str)) or key in target:
                raise CheckpointError(
                    "a key in the list of tensors is not a text, is there twice, or is for no list"
                )
            target[key] = value

    def append(self, _argument: None) -> None:
        value = self._stack.pop()
        self._extend([value])

    def append_all(self, _argument: None) -> None:
        self._extend(self.since_mark())

    def _extend(self, values: list[Any]) -> None:
        if not isinstance(self._stack[-1], list):
            raise CheckpointError("the list of tensors adds to what is no list")
        self._stack[-1].extend(values)

    def name(self, argument: str) -> None:
        """Push a name, which is never looked up."""
        if argument not in (REBUILD, ORDERED, *STORAGES):
            raise CheckpointError(
                f"the checkpoint asks for {argument.replace(' ', '.')}: only tensors are read, "
                "and no code is run"
            )
        self._stack.append(_Global(argument))

    def stack_name(self, _argument: None) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        self.name(f"{module} {name}")

    def storage(self, _argument: None) -> None:
        """Make a storage of ("storage", type, key, device, count)."""
        word, kind, key, _device, count = self._stack.pop()
        if word != "storage" or not isinstance(kind, _Global) or not isinstance(key, str):
            raise CheckpointError("a storage in the list of tensors is damaged")
        if type(count) is not int or count < 0:
            raise CheckpointError(f"storage {key} has no number of numbers from 0 on")
        self._stack.append(Storage(STORAGES[kind.name], key, count))

    def call(self, _argument: None) -> None:
        """Do what the two known functions would do; neither is called."""
        arguments, function = self._stack.pop(), self._stack.pop()
        if function == _Global(ORDERED) and arguments == ():
            self._stack.append({})
            return
        if function != _Global(REBUILD) or not isinstance(arguments[0], Storage):
            raise CheckpointError("the list of tensors calls what does not make a tensor")
        self._stack.append(Tensor(*arguments[:4]))

    def leave_attributes(self, _argument: None) -> None:
        """Drop what would become attributes: of a state_dict, the versions of its modules."""
        self._stack.pop()


_IGNORED = frozenset({"PROTO", "FRAME"})

_LITERALS: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {
        **dict.fromkeys(("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"), lambda value: value),
        **dict.fromkeys(("BINUNICODE", "SHORT_BINUNICODE"), str),
        "EMPTY_DICT": lambda _: {},
        "EMPTY_LIST": lambda _: [],
        "EMPTY_TUPLE": lambda _: (),
        "NEWFALSE": lambda _: False,
        "NEWTRUE": lambda _: True,
        "NONE": lambda _: None,
    }
)

_OPERATIONS: Mapping[str, Callable[[_Machine, Any], None]] = MappingProxyType(
    {
        "APPEND": _Machine.append,
        "APPENDS": _Machine.append_all,
        **dict.fromkeys(("BINGET", "LONG_BINGET"), _Machine.get),
        "BINPERSID": _Machine.storage,
        **dict.fromkeys(("BINPUT", "LONG_BINPUT"), _Machine.put),
        "BUILD": _Machine.leave_attributes,
        "GLOBAL": _Machine.name,
        "MARK": _Machine.mark,
        "MEMOIZE": _Machine.memoize,
        "REDUCE": _Machine.call,
        "SETITEM": _Machine.set_item,
        "SETITEMS": _Machine.set_items,
        "STACK_GLOBAL": _Machine.stack_name,
        "TUPLE": _Machine.tuple_since_mark,
        "TUPLE1": lambda machine, _: machine.pack(1),
        "TUPLE2": lambda machine, _: machine.pack(2),
        "TUPLE3": lambda machine, _: machine.pack(3),
    }
)
