"""Triton's protocol: KServe v2, with its extension for binary tensors, as far as studies need."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from deep_features_client.answers import Answer, Row
from deep_features_client.calls import Call, Effort, Steps, answered
from deep_features_client.problems import bad_answer
from deep_features_client.replies import Reply
from deep_features_client.studies import Content

HEADER_LENGTH = "Inference-Header-Content-Length"
"""How many bytes of JSON are before the tensors. In a request, 0: the body is the one input."""

Tensors = Mapping[str, Any]


def extraction(
    content: Content, model: str, options: Mapping[str, str], effort: Effort
) -> Steps[Answer]:
    """Return the features of a zip, by a raw binary request."""
    stated = {f"x-df-{name}": quote(str(value), safe="") for name, value in options.items()}
    call = Call(
        "POST",
        f"v2/models/{quote(model, safe='')}/infer",
        headers={**stated, HEADER_LENGTH: "0", "Content-Type": "application/octet-stream"},
        content=content,
    )
    reply = yield from answered(call, effort)
    try:
        tensors = tensors_of(reply)
        labels = [json.loads(row) for row in tensors["ROWS"]]
        report = json.loads(tensors["REPORT"][0])
        return Answer(model, _rows(labels, tensors), report, options)
    except (KeyError, IndexError, TypeError, ValueError, struct.error) as error:
        raise bad_answer(reply.status) from error


def tensors_of(reply: Reply) -> dict[str, list[Any]]:
    """Return the outputs of an answer by their names: flat lists of floats, or of bytes.

    Raises KeyError, ValueError or struct.error if it is not in the protocol's form.
    """
    body, end = reply.body, int(reply.headers[HEADER_LENGTH])
    found: dict[str, list[Any]] = {}
    for output in json.loads(body[:end])["outputs"]:
        size = output["parameters"]["binary_data_size"]
        data = body[end : end + size]
        if len(data) != size:
            raise ValueError
        found[output["name"]] = _values(output["datatype"], data)
        end += size
    return found


def _values(datatype: str, data: bytes) -> list[Any]:
    """Return the elements of a tensor; numbers are little endian, whatever this machine is."""
    if datatype == "FP32":
        return list(struct.unpack(f"<{len(data) // 4}f", data))
    if datatype != "BYTES":
        raise ValueError
    found, at = [], 0
    while at < len(data):
        (size,) = struct.unpack_from("<I", data, at)  # before each element
        at += 4 + size
        if at > len(data):
            raise ValueError
        found.append(data[at - size : at])
    return found


def _rows(labels: list[dict[str, Any]], tensors: Tensors) -> tuple[Row, ...]:
    """Return rows with their features; raises ValueError if those do not divide."""
    numbers, rows = tensors["FEATURES"], len(labels)
    width, rest = divmod(len(numbers), rows or 1)
    if rest or len(tensors["PREVIEW"]) != rows:
        raise ValueError
    return tuple(
        Row(
            label,
            tuple(numbers[k * width : (k + 1) * width]),
            _names(label["feature_prefix"], width),
            base64.b64decode(tensors["PREVIEW"][k]),
        )
        for k, label in enumerate(labels)
    )


def _names(prefix: str, count: int) -> tuple[str, ...]:
    """Return `<prefix>_<index>`, padded to the width of the last index, as the contract says."""
    digits = len(str(count - 1))
    return tuple(f"{prefix}_{index:0{digits}}" for index in range(count))
