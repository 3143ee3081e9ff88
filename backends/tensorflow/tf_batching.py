"""Several requests as one batch, several batches as one answer: arrays, and no TensorFlow."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tf_errors import AnswerError, InputError
from tf_shapes import as_signature
from tf_signature import Shape, Signature

Arrays = Mapping[str, NDArray[Any]]
Compute = Callable[[Arrays], Arrays]


@dataclass(frozen=True)
class BatchedModel:
    """A function of arrays that answers requests.

    batches: whether Triton batches, so that the first axis of every tensor is that of the rows.
    rows_at_once: how many rows are computed together; 0 for all of them.
    """

    compute: Compute
    signature: Signature
    batches: bool
    rows_at_once: int

    def answers(self, requests: Sequence[Arrays]) -> list[Arrays | Exception]:
        """Return an answer or an error for each request: a bad one does not harm the others."""
        answers: list[Arrays | Exception] = [AnswerError("no answer")] * len(requests)
        groups: dict[object, list[int]] = {}
        accepted: dict[int, Arrays] = {}
        for index, request in enumerate(requests):
            try:
                accepted[index] = self._accepted(request)
            except InputError as error:
                answers[index] = error
                continue
            alike = _row_shapes(accepted[index]) if self.batches else index
            groups.setdefault(alike, []).append(index)
        for indices in groups.values():
            together = self._attempts([accepted[index] for index in indices])
            for index, answer in zip(indices, together, strict=True):
                answers[index] = answer
        return answers

    def _attempts(self, requests: Sequence[Arrays]) -> list[Arrays | Exception]:
        try:
            return [*self._run(requests)]
        except Exception as error:  # a SavedModel may raise anything, and each request is answered
            if len(requests) == 1:
                return [error]
        return [answer for request in requests for answer in self._attempts([request])]

    def _accepted(self, request: Arrays) -> Arrays:
        """Return the inputs in the signature's shapes; refuse others."""
        for name in self.signature.inputs:
            if name not in request:
                raise InputError(f"the input {name!r} is missing")
        inputs = {
            name: as_signature(request[name], tensor, batches=self.batches)
            for name, tensor in self.signature.inputs.items()
        }
        if self.batches or self.rows_at_once:
            counts = {name: len(values) for name, values in inputs.items()}
            if len(set(counts.values())) > 1:
                raise InputError(f"the inputs have different numbers of rows: {counts}")
        return inputs

    def _run(self, requests: Sequence[Arrays]) -> list[Arrays]:
        """Compute requests of one shape as one batch; a single one needs not to have rows."""
        if len(requests) == 1 and not self.rows_at_once:
            return [self.compute(requests[0])]
        counts = [_row_count(request) for request in requests]
        total = sum(counts)
        step = self.rows_at_once or max(total, 1)
        outputs: dict[str, NDArray[Any]] = {}
        for start in range(0, max(total, 1), step):
            part = self._rows(requests, start, min(start + step, total))
            _collect(part, outputs, start=start, total=total)
        ends = np.cumsum(counts)
        return [
            {name: values[end - count : end] for name, values in outputs.items()}
            for count, end in zip(counts, ends, strict=True)
        ]

    def _rows(self, requests: Sequence[Arrays], start: int, end: int) -> Arrays:
        inputs = {
            name: _between([request[name] for request in requests], start, end)
            for name in self.signature.inputs
        }
        outputs = self.compute(inputs)
        for name, values in outputs.items():
            if values.shape[:1] != (end - start,):
                raise AnswerError(
                    f"output {name!r} has shape {values.shape} for {end - start} rows of input"
                )
        return outputs


def _between(arrays: Sequence[NDArray[Any]], start: int, end: int) -> NDArray[Any]:
    """Return rows start to end of the arrays one after another; a view if one array has them."""
    slices = []
    offset = 0
    for values in arrays:
        first, last = max(start - offset, 0), min(end - offset, len(values))
        if first < last or start == end:
            slices.append(values[first:last])
        offset += len(values)
    return slices[0] if len(slices) == 1 else np.concatenate(slices)


def _collect(part: Arrays, outputs: dict[str, NDArray[Any]], *, start: int, total: int) -> None:
    """Put the rows of one part into the outputs of all, which the first part makes."""
    for name, values in part.items():
        if len(values) == total:
            outputs[name] = values
            continue
        if start == 0:
            outputs[name] = np.empty((total, *values.shape[1:]), values.dtype)
        if outputs[name].shape[1:] != values.shape[1:]:
            raise AnswerError(
                f"output {name!r} has other dimensions in one part of the batch than in another: "
                "rows_at_once must be 0"
            )
        outputs[name][start : start + len(values)] = values


def _row_count(request: Arrays) -> int:
    return len(next(iter(request.values())))


def _row_shapes(request: Arrays) -> frozenset[tuple[str, Shape]]:
    return frozenset((name, values.shape[1:]) for name, values in request.items())
