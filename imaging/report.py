"""What became of every series of a zip, and how long each stage took."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from imaging.errors import InputError
from imaging.regions import Skipped
from imaging.rows import SOFTWARE
from imaging.series import Series, is_image
from imaging.study import Study

WHOLE_REQUEST = ("too_many_rows", "zip_corrupt")
"""Refusals of the request, even where they come up in one series."""

USED = {"status": "used", "code": "", "reason": ""}


@dataclass
class Report:
    """Filled while a request is worked on; nothing of the zip is missing from it at the end."""

    outcomes: list[dict[str, Any]] = field(default_factory=list)
    regions: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[dict[str, Any]] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def skipping(self, series: Series, stack: str = "") -> Iterator[None]:
        """Note the series as skipped if the block refuses it: the others go on.

        stack: the one volume of the series that is meant, if it has several.
        """
        try:
            yield
        except InputError as reason:
            if reason.code in WHOLE_REQUEST:
                raise
            skipped = {"status": "skipped", "code": reason.code, "reason": reason.sentence}
            self.outcomes.append(_found(series) | {"stack": stack} | skipped)

    @contextmanager
    def outcome(self, series: Series, stack: str = "") -> Iterator[None]:
        """Note the series as used, or as skipped if the block refuses it."""
        with self.skipping(series, stack):
            yield
            self.outcomes.append(_found(series) | {"stack": stack} | USED)

    def regions_source(self, series: Series) -> None:
        """Note a series of RTSTRUCT or SEG objects, which the image series' rows draw on."""
        self.outcomes.append(
            _found(series) | {"stack": "", "status": "regions", "code": "", "reason": ""}
        )

    def skip_regions(self, series: Series, skipped: Iterable[Skipped]) -> None:
        """Note the regions that could not be drawn on an image series, and why."""
        self.regions += [{"series_uid": series.series_uid} | vars(each) for each in skipped]

    def warn(self, code: str, series: Series, number: int) -> None:
        """Note something that was put right, and how often."""
        self.warnings.append({"code": code, "series_uid": series.series_uid, "number": number})

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the time that the block takes to a stage."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start

    def finished(self, study: Study) -> dict[str, Any]:
        """Return the report as it is sent; refuse a study of which no series was used."""
        if not any(outcome["status"] == "used" for outcome in self.outcomes):
            raise self._no_rows()
        return {
            "software": SOFTWARE,
            "series": _in_order(self.outcomes, study),
            "entries_not_dicom": list(study.not_dicom),
            "regions_skipped": self.regions,
            "warnings": self.warnings,
            "seconds": {stage: round(seconds, 4) for stage, seconds in self.seconds.items()},
        }

    def _no_rows(self) -> InputError:
        """Return the refusal of all image series: with their own code, where it is one."""
        refused = [
            outcome
            for outcome in self.outcomes
            if outcome["image"] and outcome["code"] != "not_chosen"
        ]
        text = "; ".join(
            f"image series {number} of {len(refused)} ({outcome['modality']}, "
            f"{outcome['instances']} objects): {outcome['reason']}"
            for number, outcome in enumerate(refused, start=1)
        )
        codes = {outcome["code"] for outcome in refused}
        return InputError(codes.pop(), text) if len(codes) == 1 else InputError("no_rows", text)


def _in_order(outcomes: list[dict[str, Any]], study: Study) -> list[dict[str, Any]]:
    """Return the outcomes as the zip has the series: those not chosen were noted first."""
    order = [(series.study_uid, series.series_uid) for series in study.series]
    return sorted(outcomes, key=lambda each: order.index((each["study_uid"], each["series_uid"])))


def _found(series: Series) -> dict[str, Any]:
    return {
        "study_uid": series.study_uid,
        "series_uid": series.series_uid,
        "modality": series.modality,
        "instances": len(series.instances),
        "image": is_image(series),
    }
