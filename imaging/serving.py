"""Between Triton's Python backend and imaging: tensors, parameters, answers and errors.

The one module here that knows Triton. `triton_python_backend_utils` exists only inside its stubs.
"""

import json
import os
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils
from numpy.typing import NDArray

from imaging import shared_study
from imaging.allocation import keep_freed_memory
from imaging.archive import Limits
from imaging.errors import InputError
from imaging.instances import quiet_pydicom
from imaging.options import Options
from imaging.waiting import refuse_beyond_bound

SCANNER_KEY = "DEEPFEATURES_SCANNER_KEY"

Answer = Callable[[Any, Any], Sequence[Any]]


def each_request(answer: Answer) -> Callable[[Any, Sequence[Any]], list[Any]]:
    """Turn a method that answers one request into Triton's `execute`, which gets several.

    An InputError becomes INVALID_ARG with its text, `busy` UNAVAILABLE, and anything else INTERNAL
    without any text. model: has its name in Triton as `name`.
    """

    def execute(model: Any, requests: Sequence[Any]) -> list[Any]:
        return [_respond(answer, model, request) for request in requests]

    return execute


def _respond(answer: Answer, model: Any, request: Any) -> Any:
    try:
        refuse_beyond_bound(model.name)
        return pb_utils.InferenceResponse(output_tensors=answer(model, request))
    except InputError as error:
        kind = "UNAVAILABLE" if error.code == "busy" else "INVALID_ARG"
        return _failure(str(error), getattr(pb_utils.TritonError, kind))
    except Exception as error:
        # Where, but not what: the text of a foreign exception may quote a patient's attributes.
        frame = traceback.extract_tb(error.__traceback__)[-1]
        pb_utils.Logger.log_error(
            f"request {request.request_id()!r} failed: {type(error).__name__} "
            f"in {frame.name} ({frame.filename}:{frame.lineno})"
        )
        return _failure("internal_error: the request failed", pb_utils.TritonError.INTERNAL)


def _failure(text: str, code: int) -> Any:
    return pb_utils.InferenceResponse(error=pb_utils.TritonError(text, code))


def set_up_process() -> None:
    """Keep memory for the next study, and pydicom from quoting patients' attributes."""
    keep_freed_memory()
    quiet_pydicom()


def parameters(args: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters of config.pbtxt, from what Triton hands to `initialize`."""
    stated = json.loads(args["model_config"])["parameters"]
    return {name: value["string_value"] for name, value in stated.items()}


def limits(stated: Mapping[str, str]) -> Limits:
    """Return the limits of a model's parameters, `limit_<name>`; the defaults for the others."""
    prefix = "limit_"
    return Limits(
        **{
            name.removeprefix(prefix): int(value)
            for name, value in stated.items()
            if name.startswith(prefix)
        }
    )


def scanner_key() -> bytes:
    """Return the deployment's key for names of scanners, empty if it has none; read once."""
    return os.environ.get(SCANNER_KEY, "").encode()


def options(request: Any) -> Options:
    """Return what the request asks for, in its parameters or its forwarded headers."""
    stated = _stated(request)
    for name in (shared_study.PARAMETER, shared_study.REMOTE):
        stated.pop(name, None)
    return Options.from_parameters(stated)


def study_of(request: Any, name: str) -> memoryview:
    """Return the bytes of a zip: a region of shared memory, or a UINT8 tensor [-1]; no copy."""
    stated = _stated(request)
    if region := stated.get(shared_study.PARAMETER):
        return shared_study.mapped("" if shared_study.REMOTE in stated else str(region))
    return memoryview(pb_utils.get_input_tensor_by_name(request, name).as_numpy())


def _stated(request: Any) -> dict[str, Any]:
    return dict(json.loads(request.parameters() or "{}"))


def stacked(name: str, rows: Sequence[NDArray[np.float32]]) -> Any:
    """Return an FP32 tensor with one more axis, the rows, in front."""
    return pb_utils.Tensor(name, np.stack(rows))


def strings(name: str, values: Iterable[str | bytes]) -> Any:
    """Return a BYTES tensor [-1]."""
    return pb_utils.Tensor(name, np.array([_utf8(value) for value in values], np.object_))


def documents(name: str, values: Iterable[Mapping[str, Any]]) -> Any:
    """Return a BYTES tensor [-1] of JSON documents."""
    return strings(name, (json.dumps(value, ensure_ascii=False) for value in values))


def _utf8(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value
