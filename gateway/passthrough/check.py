"""The JSON before the tensors of an inference, read strictly, and written anew for Triton.

What is not understood is refused: above all `shared_memory_…`, by which an inference without a key
could name another user's region. Two parsers may read one text differently (a key twice, for
one), so Triton gets none of the sender's.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.engines.question import Question
from gateway.passthrough.allow import Target
from gateway.problems import ProblemError
from gateway.uploads.options import LONGEST_VALUE, is_value
from imaging.options import HEADER_PREFIX, KNOWN

LONGEST_HEAD_BYTES = 1 << 16

MOST_OUTPUTS = 16

ID = re.compile(r"[A-Za-z0-9._:-]{1,64}", re.ASCII)
OUTPUT = re.compile(r"[A-Z_]{1,32}", re.ASCII)
HEADER_VALUE = re.compile(r"[\x20-\x7e]*", re.ASCII)


@dataclass(frozen=True)
class Head:
    """What was stated before the zip; size_bytes: of the zip, None if it was not stated."""

    question: Question
    size_bytes: int | None


def head_bytes(stated: str | None) -> int:
    """Return how long the JSON is, by Inference-Header-Content-Length: 0 in a raw request."""
    if stated is None:
        sentence = (
            "send the zip as it is, with Inference-Header-Content-Length: 0, or as a binary tensor"
        )
        raise refused(sentence)
    if not re.fullmatch("[0-9]{1,9}", stated, re.ASCII):
        raise refused("Inference-Header-Content-Length is not a number of bytes")
    if int(stated) > LONGEST_HEAD_BYTES:
        raise refused(f"the JSON before the tensor is longer than {LONGEST_HEAD_BYTES >> 10} KiB")
    return int(stated)


def option_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the options among the headers of a request, which Triton gets; no others.

    One that is not known is refused, as the models do: who sends one counts on it.
    """
    found: dict[str, str] = {}
    for name, value in headers:
        if not name.startswith(HEADER_PREFIX):
            continue
        if name.removeprefix(HEADER_PREFIX) not in KNOWN:
            known = ", ".join(sorted(KNOWN))
            raise ProblemError(400, "unknown_option", f"an option is not known; {known} are")
        if name in found or not is_value(value) or not HEADER_VALUE.fullmatch(value):
            sentence = f"the header {name} is there twice, is too long, or is not percent-encoded"
            raise ProblemError(400, "bad_option", sentence)
        found[name] = value
    return found


def raw_head(target: Target, headers: Mapping[str, str]) -> Head:
    """Return what a request says that is the zip alone: all outputs, binary, as Triton has it."""
    parameters = {"binary_data_output": True}
    return Head(Question(target.model, target.version, parameters, headers), None)


def json_head(target: Target, headers: Mapping[str, str], text: bytes) -> Head:
    """Return what the JSON of a request says; raises ProblemError `bad_request`."""
    stated = _object(_parsed(text), "the request", {"inputs", "outputs", "parameters", "id"})
    inputs = _list(stated.get("inputs"), "inputs", most=1)
    if not inputs:
        raise refused("the request has no input: DICOM_ZIP is needed")
    return Head(
        Question(
            target.model,
            target.version,
            _parameters(stated.get("parameters", {})),
            headers,
            [_output(each) for each in _list(stated.get("outputs", []), "outputs", MOST_OUTPUTS)],
            _id(stated.get("id", "")),
        ),
        _size_bytes(inputs[0]),
    )


def refused(sentence: str) -> ProblemError:
    """Return the refusal of a request that is not understood; the text of it is in no message."""
    return ProblemError(400, "bad_request", sentence)


def _parsed(text: bytes) -> Any:
    try:
        return json.loads(
            text.decode(), object_pairs_hook=_without_doubles, parse_constant=_no_constant
        )
    except (ValueError, RecursionError):
        raise refused("the JSON before the tensor cannot be read, or has a key twice") from None


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _no_constant(_: str) -> Any:
    """Refuse NaN and Infinity, which Python reads and JSON does not have."""
    raise ValueError


def _object(value: Any, what: str, known: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict) or not value.keys() <= known:
        raise refused(f"{what} takes {', '.join(sorted(known)) or 'nothing'}")
    return value


def _list(value: Any, what: str, most: int) -> list[Any]:
    if not isinstance(value, list) or len(value) > most:
        raise refused(f"{what} is a list of at most {most}")
    return value


def _parameters(value: Any) -> dict[str, str | bool]:
    stated = _object(value, "parameters", {*KNOWN, "binary_data_output"})
    for name, each in stated.items():
        if name == "binary_data_output":
            _boolean(each, name)
        elif not isinstance(each, str | bool) or not is_value(str(each)):
            raise refused(f"the parameter {name} is no text of up to {LONGEST_VALUE} characters")
    return stated


def _output(value: Any) -> dict[str, Any]:
    stated = _object(value, "an output", {"name", "parameters"})
    name = stated.get("name")
    if not isinstance(name, str) or not OUTPUT.fullmatch(name):
        raise refused("an output has no name that a model's output has")
    parameters = _object(stated.get("parameters", {}), "an output's parameters", {"binary_data"})
    for each in parameters.values():
        _boolean(each, "binary_data")
    return {"name": name, "parameters": parameters} if parameters else {"name": name}


def _size_bytes(value: Any) -> int:
    """Return how long the zip is that an input announces: UINT8, binary, and not empty."""
    stated = _object(value, "the input", {"name", "datatype", "shape", "parameters"})
    if (stated.get("name"), stated.get("datatype")) != ("DICOM_ZIP", "UINT8"):
        raise refused("the input is DICOM_ZIP, of type UINT8")
    parameters = _object(
        stated.get("parameters", {}), "the input's parameters", {"binary_data_size"}
    )
    shape = _list(stated.get("shape"), "the input's shape", most=1)
    size = parameters.get("binary_data_size")
    if type(size) is not int or size < 1 or len(shape) != 1:
        raise refused("the input is a binary tensor of one byte or more, with one axis")
    if type(shape[0]) is not int or shape[0] != size:
        raise refused("the input's shape and its binary_data_size differ")
    return size


def _id(value: Any) -> str:
    if value != "" and not (isinstance(value, str) and ID.fullmatch(value)):
        raise refused("the id is up to 64 of A-Z a-z 0-9 . _ : -")
    return str(value)


def _boolean(value: Any, name: str) -> None:
    if not isinstance(value, bool):
        raise refused(f"{name} is true or false")
