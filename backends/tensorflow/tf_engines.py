"""The engines that compute a SavedModel, TensorFlow and OpenVINO, as one kind of thing."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray
from tf_batching import Compute
from tf_errors import AnswerError
from tf_verdict import Candidate, choose


def _no_node(_: Exception) -> str:
    return ""


def _no_bfloat16(_: object) -> Any:
    raise AnswerError("this engine has no bfloat16")


@dataclass(frozen=True)
class Engine:
    """A loaded SavedModel.

    description, warnings: for the log.
    rows_at_once: how many rows it is to compute together; 0 for all of them.
    failed_node: the node of the graph that raised, as far as the engine says so.
    """

    compute: Compute
    rows_at_once: int
    description: str
    warnings: tuple[str, ...] = ()
    failed_node: Callable[[Exception], str] = _no_node
    array_of_bfloat16: Callable[[object], NDArray[Any]] = _no_bfloat16
    capsule_of_bfloat16: Callable[[NDArray[Any]], object] = _no_bfloat16


def load_engine(candidate: Candidate, *, wants_gpu: bool, device: str) -> Engine:
    """Return the SavedModel in the engine that its settings ask for; only that one is imported."""
    verdict = choose(candidate, wants_gpu=wants_gpu)
    reason = f" ({verdict.reason})" if verdict.reason else ""
    if verdict.openvino:
        return _openvino(candidate, reason)
    return _tensorflow(candidate, reason, wants_gpu=wants_gpu, device=device)


def _openvino(candidate: Candidate, reason: str) -> Engine:
    import tf_openvino

    settings = candidate.settings
    return Engine(
        tf_openvino.OpenVinoModel(
            candidate.directory, candidate.signature, threads=settings.threads
        ),
        settings.rows_at_once,
        tf_openvino.description(settings.threads) + reason,
    )


def _tensorflow(candidate: Candidate, reason: str, *, wants_gpu: bool, device: str) -> Engine:
    from tf_runtime import start

    started = start(candidate.settings, wants_gpu=wants_gpu, device=device)
    import tf_savedmodel  # imports TensorFlow, which has its threads and its device by now

    candidate.operations.refuse_unknown(tf_savedmodel.is_registered)
    return Engine(
        tf_savedmodel.SavedModel(candidate.directory, candidate.signature),
        candidate.settings.rows_on(gpu=started.on_gpu),
        started.description + reason,
        started.warnings,
        tf_savedmodel.failed_node,
        tf_savedmodel.array_of_bfloat16,
        tf_savedmodel.capsule_of_bfloat16,
    )
