"""Checkpoints as PyTorch writes them, byte by byte, and weights for small networks."""

import io
import struct
import zipfile

import numpy as np

MARK, TUPLE, REDUCE, STOP = b"(", b"t", b"R", b"."
REBUILD = b"ctorch._utils\n_rebuild_tensor_v2\n"
ORDERED = b"ccollections\nOrderedDict\n)R"
STORAGES = {"f": b"FloatStorage", "e": b"HalfStorage", "q": b"LongStorage", "b": b"BFloat16Storage"}


def text(word: str) -> bytes:
    encoded = word.encode()
    return b"X" + struct.pack("<I", len(encoded)) + encoded


def number(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def numbers(*values: int) -> bytes:
    return MARK + b"".join(map(number, values)) + TUPLE


def storage(key: str, count: int, kind=b"FloatStorage") -> bytes:
    return (
        MARK + text("storage") + b"ctorch\n" + kind + b"\n" + text(key) + text("cpu")
        + number(count) + TUPLE + b"Q"
    )  # fmt: skip


def tensor(stored: bytes, *, shape=(2, 3), strides=(3, 1), offset=0) -> bytes:
    """One call of _rebuild_tensor_v2, as torch.save writes it."""
    arguments = stored + number(offset) + numbers(*shape) + numbers(*strides) + b"\x89" + ORDERED
    return REBUILD + MARK + arguments + TUPLE + REDUCE


def dictionary(**items: bytes) -> bytes:
    return b"}" + MARK + b"".join(text(name) + item for name, item in items.items()) + b"u"


def pickled(content: bytes) -> bytes:
    return b"\x80\x02" + content + STOP


def checkpoint_zip(pickle: bytes, storages: dict[str, bytes], *, byte_order=b"little") -> bytes:
    """The zip of a checkpoint: its pickle, and a stored file for each storage."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("model/data.pkl", pickle)
        archive.writestr("model/byteorder", byte_order)
        for key, content in storages.items():
            archive.writestr(f"model/data/{key}", content)
    return file.getvalue()


def bfloat16(values: np.ndarray) -> np.ndarray:
    """The upper halves of float32 numbers: those are the bfloat16 below them in size."""
    return (np.ascontiguousarray(values, "<f4").view("<u4") >> 16).astype("<u2")


def of_bfloat16(halves: np.ndarray) -> np.ndarray:
    return (halves.astype("<u4") << 16).view("<f4")


def saved(tensors: dict[str, np.ndarray], kind="f") -> bytes:
    """A checkpoint of these tensors, in C order: float32 ("f"), float16 ("e") or bfloat16 ("b")."""
    items, storages = {}, {}
    for key, (name, values) in enumerate(tensors.items()):
        stored = bfloat16(values) if kind == "b" else np.asarray(values, f"<{kind}")
        strides = [step // stored.itemsize for step in stored.strides]
        place = storage(str(key), stored.size, STORAGES[kind])
        items[name] = tensor(place, shape=stored.shape, strides=strides)
        storages[str(key)] = stored.tobytes()
    return checkpoint_zip(pickled(dictionary(**items)), storages)


def random_weights(architecture, seed=5, prefix="") -> dict[str, np.ndarray]:
    """Weights whose normalisations do something, exact in bfloat16."""
    random = np.random.default_rng(seed)
    tensors = {}
    for name, normalisation, shape in architecture.convolutions():
        spread = np.sqrt(2 / np.prod(shape[1:]))
        tensors[f"{name}.weight"] = random.normal(0, spread, shape)
        tensors[f"{normalisation}.weight"] = random.uniform(-1.5, 1.5, shape[0])
        tensors[f"{normalisation}.bias"] = random.normal(0, 0.3, shape[0])
        tensors[f"{normalisation}.running_mean"] = random.normal(0, 0.3, shape[0])
        tensors[f"{normalisation}.running_var"] = random.uniform(0.1, 2, shape[0])
    exact = {name: of_bfloat16(bfloat16(values)) for name, values in tensors.items()}
    return {prefix + name: values for name, values in exact.items()}
