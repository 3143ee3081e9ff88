"""Requests timed from outside, with their time split by stage: the stages add up to the total."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tools.bench.service import EXTRACTOR, MODEL, PREPROCESS, Answer, Service
from tools.bench.statistics_api import Spent

Send = Callable[..., Answer]
"""One of the ways of a Service to send a study."""


@dataclass
class Recorder:
    """One way to send one study, as a turn; keeps the stages of each of its requests."""

    service: Service
    send: Send
    study: bytes
    parameters: Mapping[str, str] = field(default_factory=dict)
    recorded: list[dict[str, float]] = field(default_factory=list)

    def __call__(self) -> float:
        before = self.service.statistics.now()
        answer = self.send(self.study, self.parameters)
        spent = self.service.statistics.since(before, MODEL)
        self.recorded.append(stages(answer.seconds, spent, answer.report["seconds"]))
        return answer.seconds

    def median_stages(self) -> dict[str, float]:
        """Return the stages of the request whose total is the median; the first was to warm up."""
        counted = sorted(self.recorded[1:] or self.recorded, key=lambda each: sum(each.values()))
        middle = counted[(len(counted) - 1) // 2]
        return {stage: round(seconds, 5) for stage, seconds in middle.items()}


def stages(total: float, spent: Spent, report: Mapping[str, float]) -> dict[str, float]:
    """Return the seconds of each stage of a request.

    transport: between the client and Triton's core, both ways.
    The report's own stages follow; `tensors` is the rest of the preprocessing and the hand-over of
    arrays between the processes; `network` the extractor; `rest` what no one claims.
    """
    preprocess, extractor = spent[PREPROCESS], spent[EXTRACTOR]
    moved = sum(
        model[part]
        for model in (preprocess, extractor)
        for part in ("queue", "compute_input", "compute_output")
    )
    reported = sum(report.values())
    named = {
        "transport": total - spent[MODEL]["success"],
        **report,
        "tensors": moved + preprocess["compute_infer"] - reported,
        "network": extractor["compute_infer"],
    }
    return named | {"rest": total - sum(named.values())}
