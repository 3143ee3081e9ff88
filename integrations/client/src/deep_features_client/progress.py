"""What a caller is told while a study is on its way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias


@dataclass(frozen=True)
class Progress:
    """Where a study is.

    phase: `sending`; `waiting` for the answer (of a job in Kheops: also for its study to come); or
        `pausing` before another try.
    sent_bytes, total_bytes: of the study; 0 of a study that comes from Kheops.
    code: of a pause: what the service refused it with. seconds: how long the pause is.
    """

    phase: Literal["sending", "waiting", "pausing"]
    sent_bytes: int = 0
    total_bytes: int = 0
    code: str = ""
    seconds: float = 0.0


Tell: TypeAlias = Callable[[Progress], None]
"""Is called while a study is sent: should be quick, and never raise."""


def nobody(_: Progress) -> None:
    """Tell nobody."""
