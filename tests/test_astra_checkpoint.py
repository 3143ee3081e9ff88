"""A checkpoint is read as PyTorch wrote it, and what is more than tensors is refused, never run."""

import io
import os
import pickle
import struct
import zipfile

import numpy as np
import pytest
from checkpoints import (
    ORDERED,
    REBUILD,
    checkpoint_zip,
    dictionary,
    number,
    numbers,
    pickled,
    saved,
    storage,
    tensor,
    text,
)

from tools.astra.checkpoint import read_checkpoint
from tools.astra.checkpoint_error import CheckpointError
from tools.astra.state_pickle import read_state

SIX = np.arange(6, dtype="<f4").tobytes()
PLAIN = tensor(storage("0", 6))


@pytest.fixture
def opened(tmp_path):
    """Reads bytes as a checkpoint."""

    def opened(content: bytes):
        file = tmp_path / "weights.pt"
        file.write_bytes(content)
        return read_checkpoint(file)

    return opened


def with_tensor(item: bytes, storages=None) -> bytes:
    storages = {"0": SIX} if storages is None else storages
    return checkpoint_zip(pickled(dictionary(w=item)), storages)


@pytest.mark.parametrize("kind", ["f", "e", "b"], ids=["float32", "float16", "bfloat16"])
def test_numbers_are_read_exactly(opened, kind):
    values = np.array([[1.5, -0.25, 2.0**-14], [-0.0, 65280.0, 0.0078125]], np.float32)

    found = opened(saved({"w": values}, kind)).floats("w")

    np.testing.assert_array_equal(found, values)
    assert found.dtype == np.float32
    assert np.signbit(found[1, 0])


def test_bfloat16_beyond_float16_is_read_exactly(opened):
    halves = struct.pack("<3H", 0x7F7F, 0x0001, 0x3F80)  # the largest, the smallest, and one
    stored = storage("0", 3, b"BFloat16Storage")

    found = opened(with_tensor(tensor(stored, shape=(3,), strides=(1,)), {"0": halves})).floats("w")

    assert found.tolist() == [(2 - 2**-7) * 2.0**127, 2.0**-133, 1.0]


@pytest.mark.parametrize(
    ("shape", "strides", "offset", "expected"),
    [
        pytest.param((3, 2), (1, 3), 0, [[0, 3], [1, 4], [2, 5]], id="transposed"),
        pytest.param((2,), (2,), 1, [1, 3], id="a part"),
        pytest.param((), (), 4, 4, id="a number"),
        pytest.param((2, 2), (0, 1), 0, [[0, 1], [0, 1]], id="repeated"),
    ],
)
def test_strides_and_offset_place_a_tensor_in_its_storage(opened, shape, strides, offset, expected):
    item = tensor(storage("0", 6), shape=shape, strides=strides, offset=offset)

    assert opened(with_tensor(item)).floats("w").tolist() == expected


@pytest.mark.parametrize("holder", ["state_dict", "model_state_dict"])
def test_a_state_dict_beside_other_entries_is_found(opened, holder):
    content = dictionary(epoch=number(99), **{holder: dictionary(w=PLAIN)})

    checkpoint = opened(checkpoint_zip(pickled(content), {"0": SIX}))

    assert checkpoint.names == {"w"}


def test_an_ordered_state_dict_with_versions_of_its_modules_is_read(opened):
    state = ORDERED + b"(" + text("w") + PLAIN + b"u"
    versions = b"}" + text("_metadata") + ORDERED + b"sb"

    checkpoint = opened(checkpoint_zip(pickled(state + versions), {"0": SIX}))

    assert checkpoint.shape("w") == (2, 3)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_plain_values_read_as_python_wrote_them(protocol):
    value = {"a": [1, -70000, 2**40, 0.5], "b": (True, None, ()), "c": {"d": "ü", "e": (1, 2)}}

    assert read_state(pickle.dumps(value, protocol)) == value


class Shell:
    """Runs a command when it is unpickled."""

    def __reduce__(self):
        return os.system, ("touch ran",)


@pytest.mark.parametrize("protocol", range(6))
def test_code_in_the_pickle_is_refused_and_not_run(opened, tmp_path, monkeypatch, protocol):
    monkeypatch.chdir(tmp_path)
    program = pickle.dumps({"w": Shell()}, protocol)

    with pytest.raises(CheckpointError, match="asks for posix.system|no operation of a state_dict"):
        opened(checkpoint_zip(program, {}))

    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "name", ["builtins eval", "torch.storage _load_from_bytes", "torch FloatTensor", "os system"]
)
def test_every_other_name_is_refused(name):
    module, attribute = name.split()

    with pytest.raises(CheckpointError, match=f"asks for {module}.{attribute}: only tensors"):
        read_state(pickled(f"c{module}\n{attribute}\n".encode()))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"ios\nsystem\n(X\x01\0\0\0atR", "INST: no operation", id="INST"),
        pytest.param(b"(" + b"ccollections\nOrderedDict\no", "OBJ: no operation", id="OBJ"),
        pytest.param(b"ccollections\nOrderedDict\n)\x81", "NEWOBJ: no operation", id="NEWOBJ"),
        pytest.param(b"\x82\x01", "EXT1: no operation", id="an extension"),
        pytest.param(b"\x96" + struct.pack("<Q", 1 << 60), "damaged", id="an exabyte"),
        pytest.param(b"X\xff\xff\xff\x7f", "damaged", id="a text that is not there"),
        pytest.param(b"Pname\n", "PERSID: no operation", id="PERSID"),
        pytest.param(b"}(((XaatXb", "damaged", id="cut"),
        pytest.param(b"h\x07", "damaged", id="what was never put"),
        pytest.param(b"t", "damaged", id="a tuple of nothing"),
        pytest.param(b"\x85", "a tuple of what is not there", id="a tuple of one that is not"),
        pytest.param(b"}}", "damaged", id="two results"),
        pytest.param(b"})X\x01\0\0\0as", "a key", id="a tuple as a key"),
        pytest.param(b"](X\x01\0\0\0aNu", "a key", id="keys of a list"),
        pytest.param(b"}(X\x01\0\0\0aNX\x01\0\0\0aNu", "is there twice", id="a key twice"),
        pytest.param(b"}(X\x01\0\0\0au", "damaged", id="a key without a value"),
        pytest.param(b"}Na", "adds to what is no list", id="an item of a dictionary"),
        pytest.param(b"ccollections\nOrderedDict\nN\x85R", "calls what", id="a filled dictionary"),
        pytest.param(REBUILD + b")R", "damaged", id="a tensor of nothing"),
        pytest.param(REBUILD + b"N\x85R", "calls what", id="a tensor without a storage"),
        pytest.param(b"X\x01\0\0\0a)R", "calls what", id="a text that is called"),
        pytest.param(b"K\x01Q", "damaged", id="a number as a storage"),
        pytest.param(storage("0", -1), "has no number of numbers", id="a negative size"),
        pytest.param(
            b"(" + text("storage") + text("x") * 3 + number(1) + b"tQ", "damaged", id="no type"
        ),
    ],
)
def test_what_no_state_dict_has_is_refused(content, message):
    with pytest.raises(CheckpointError, match=message):
        read_state(pickled(content))


def test_a_pickle_without_an_end_is_refused():
    with pytest.raises(CheckpointError, match="damaged|no end"):
        read_state(b"\x80\x02}")


def test_a_huge_index_takes_no_memory():
    assert read_state(pickled(b"}r\xff\xff\xff\xff")) == {}


def test_tuples_in_tuples_take_no_time():
    doubled = b")" + b"".join(b"q%ch%c\x86" % (n, n) for n in range(200))
    place = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text("0") + text("cpu")

    assert len(read_state(pickled(doubled))) == 2
    with pytest.raises(CheckpointError, match="storage 0 has no number of numbers"):
        read_state(pickled(place + doubled + b"tQ"))


def test_a_long_pickle_is_not_read():
    with pytest.raises(CheckpointError, match="at most 16777216 are read"):
        read_state(b"N0" * (9 << 20))


@pytest.mark.parametrize(
    ("item", "message"),
    [
        pytest.param(tensor(storage("7", 6)), "storage 7 of w is not in", id="no storage"),
        pytest.param(tensor(storage("0", 7)), "has 24 bytes; 7 numbers", id="another size"),
        pytest.param(tensor(storage("0", 6, b"LongStorage")), "w is int64; bf", id="whole numbers"),
        pytest.param(tensor(storage("0", 6, b"DoubleStorage")), "w is float64", id="doubles"),
        pytest.param(tensor(storage("0", 6), offset=1), "does not lie in the 6", id="offset"),
        pytest.param(tensor(storage("0", 6), strides=(4, 1)), "does not lie in", id="strides"),
        pytest.param(tensor(storage("0", 6), strides=(1,)), "does not lie in", id="few strides"),
        pytest.param(tensor(storage("0", 6), shape=(0, 3)), "does not lie in", id="no numbers"),
        pytest.param(tensor(storage("0", 6), strides=(-3, 1)), "no whole", id="backwards"),
        pytest.param(tensor(storage("0", 6), offset=-1), "no whole numbers", id="before"),
        pytest.param(
            tensor(storage("0", 6), shape=(1 << 20, 1 << 20), strides=(0, 0)),
            "has more than 134217728 numbers",
            id="a tebibyte of one number",
        ),
    ],
)
def test_a_tensor_that_is_not_there_is_refused(opened, item, message):
    checkpoint = opened(with_tensor(item))

    with pytest.raises(CheckpointError, match=message):
        checkpoint.floats("w")


def test_lengths_that_are_no_whole_numbers_are_refused(opened):
    shape = b"(" + b"G" + struct.pack(">d", 6.0) + b"t"
    item = REBUILD + b"(" + storage("0", 6) + number(0) + shape + numbers(1) + b"tR"

    with pytest.raises(CheckpointError, match="of w are no whole numbers"):
        opened(with_tensor(item)).floats("w")


def test_a_tensor_that_no_checkpoint_has_is_named(opened):
    with pytest.raises(CheckpointError, match="has no tensor conv9.weight"):
        opened(with_tensor(PLAIN)).floats("conv9.weight")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", "no checkpoint that can be read", id="nothing"),
        pytest.param(b"hello", "not_a_zip", id="text"),
        pytest.param(with_tensor(PLAIN)[:-30], "zip_truncated", id="cut"),
        pytest.param(pickle.dumps({}), "not_a_zip", id="the format before zips"),
        pytest.param(checkpoint_zip(pickled(b"]"), {}), "no state_dict", id="a list"),
        pytest.param(
            checkpoint_zip(pickled(b"}"), {}, byte_order=b"big"), "little-endian", id="big-endian"
        ),
    ],
)
def test_what_is_no_checkpoint_is_refused(opened, content, message):
    with pytest.raises(CheckpointError, match=message):
        opened(content)


def zipped(*entries, method=zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(zipped(("a/weights", b"1")), "has 0 files data.pkl", id="none"),
        pytest.param(
            zipped(("a/data.pkl", b"1"), ("b/data.pkl", b"1")), "has 2 files data.pkl", id="two"
        ),
        pytest.param(
            zipped(("a/data.pkl", pickled(b"}")), method=zipfile.ZIP_DEFLATED),
            "is compressed",
            id="deflated",
        ),
    ],
)
def test_another_zip_is_refused(opened, content, message):
    with pytest.raises(CheckpointError, match=message):
        opened(content)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_is_refused(opened):
    with pytest.raises(CheckpointError, match="it has a name twice"):
        opened(zipped(("a/data.pkl", pickled(b"}")), ("a/data.pkl", pickled(b"]"))))


def test_numbers_that_were_changed_are_refused(opened):
    content = bytearray(with_tensor(PLAIN))
    content[content.index(SIX) + 1] ^= 1

    with pytest.raises(CheckpointError, match="does not fit its checksum"):
        opened(bytes(content)).floats("w")


def test_entries_that_share_bytes_are_refused(opened):
    content = bytearray(with_tensor(PLAIN))
    listed = content.index(b"PK\x01\x02", content.index(b"PK\x01\x02") + 1)
    offset = listed + 42
    content[offset : offset + 4] = bytes(4)  # the second entry begins where the first one does

    with pytest.raises(CheckpointError, match="zip_unsafe|zip_corrupt"):
        opened(bytes(content))


def test_a_size_that_is_forged_is_refused(opened):
    content = bytearray(with_tensor(PLAIN))
    last = content.rindex(b"PK\x01\x02")
    content[last + 20 : last + 28] = struct.pack("<II", 1 << 30, 1 << 30)

    with pytest.raises(CheckpointError, match="zip_corrupt"):
        opened(bytes(content))
