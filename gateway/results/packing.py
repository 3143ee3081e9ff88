"""The answer for one study as bytes to be kept: labels and report as JSON, features as float32."""

import hashlib
import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway.results.answer import Answer
from gateway.results.table import VERSION_LABELS

LENGTH = struct.Struct("<II")
"""Before them: bytes of JSON, rows."""


@dataclass(frozen=True)
class Unpacked:
    """Labels of rows, features as float32 [rows, F], and the report."""

    labels: Sequence[Mapping[str, Any]]
    features: NDArray[np.float32]
    report: Mapping[str, Any]


def packed(answer: Answer) -> bytes:
    """Return an answer without its pictures."""
    labels, features = answer.table.labels, answer.table.features
    document = json.dumps([labels, answer.report], ensure_ascii=False).encode()
    numbers = b"".join(np.asarray(each, "<f4").tobytes() for each in features)
    return zlib.compress(LENGTH.pack(len(document), len(labels)) + document + numbers)


def unpacked(content: bytes) -> Unpacked:
    """Return what was packed."""
    whole = zlib.decompress(content)
    length, rows = LENGTH.unpack_from(whole)
    labels, report = json.loads(whole[LENGTH.size : LENGTH.size + length])
    numbers = np.frombuffer(whole, "<f4", offset=LENGTH.size + length)
    return Unpacked(labels, numbers.reshape(rows, -1 if rows else 0), report)


def version_of(answer: Answer) -> str:
    """Return a digest of what the rows were computed by; "" for none."""
    if not answer.table.labels:
        return ""
    stated = [answer.table.labels[0][name] for name in VERSION_LABELS]
    return hashlib.sha256(json.dumps(stated).encode()).hexdigest()[:32]
