"""The process of one contender: gets ready, then runs once for each line that it is sent.

Apart from the others, so that their threads and memory are not in its way. It talks JSON, a line
an answer, on what was its standard output; what libraries print goes to standard error.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any, TextIO

from tools.bench.peers import conversions, inflating, matrices, networks, onnx_graph, thesis

CONTENDERS: dict[str, Callable[..., Callable[[], Any]]] = {
    "dcm2niix": conversions.dcm2niix,
    "inflate_isal": inflating.isal,
    "inflate_libdeflate": inflating.libdeflate,
    "kernels": onnx_graph.kernels,
    "matrix_numpy": matrices.numpy,
    "matrix_tensorflow": matrices.tensorflow,
    "network_onnxruntime": networks.onnx_runtime,
    "network_openvino": networks.openvino,
    "network_ours": networks.ours,
    "network_tensorflow": networks.tensorflow,
    "nifti_files": conversions.our_files,
    "nifti_memory": conversions.ours_in_memory,
    "thesis_dcm2niix": thesis.with_dcm2niix,
    "thesis_dicom2nifti": thesis.with_dicom2nifti,
    "write_onnx": onnx_graph.writer,
}


def main() -> None:
    """Answer `{}` or `{"missing": package}` when ready, then a time and a result for each line."""
    answers = _own_channel()
    name, *words = sys.argv[1:]
    try:
        run = CONTENDERS[name](*words)
    except ModuleNotFoundError as error:
        _answer(answers, {"missing": error.name})
        return
    _answer(answers, {})
    for _ in sys.stdin:
        start = time.perf_counter()
        result = run()
        seconds = time.perf_counter() - start
        _answer(answers, {"seconds": seconds, "result": result})


def _own_channel() -> TextIO:
    """Return standard output, and let everything else that writes to it write to standard error."""
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return channel


def _answer(channel: TextIO, answer: dict[str, Any]) -> None:
    channel.write(json.dumps(answer) + "\n")
    channel.flush()


if __name__ == "__main__":
    main()
