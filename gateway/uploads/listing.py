"""The series of a study, listed for a person who chooses: what a Triton is asked, and answers."""

import json
from collections.abc import Mapping
from typing import Any

import httpx

from gateway.engines.answer import problem, refusal
from gateway.engines.catalogue import Model
from gateway.engines.question import Question
from gateway.problems import ProblemError
from imaging.options import EVERY_CRITERION, NO_CRITERION

LISTER = "dicom_to_nifti"
"""The model that lists series instead of converting them, where it is asked to."""

OUTPUTS = ("ROWS", "REPORT")


def question_of(model: Model | None, options: Mapping[str, str]) -> Question:
    """Return the question for a study; model: the one whose rule counts, None for the usual rule.

    Its answer is JSON: there is nothing in it but texts.
    """
    stated = model.parameters.get("series_rule") if model else None
    rule = EVERY_CRITERION if stated is None else stated or NO_CRITERION
    return Question(
        LISTER,
        parameters={**options, "candidates": rule},
        outputs=[{"name": name} for name in OUTPUTS],
    )


def listed(response: httpx.Response) -> dict[str, Any]:
    """Return the series that a Triton answered, which has been read; raises ProblemError."""
    if response.status_code != httpx.codes.OK:
        raise problem(refusal(response))
    try:
        found = {each["name"]: each["data"] for each in response.json()["outputs"]}
        series = [json.loads(row) for row in found["ROWS"]]
        return {"series": series, "report": json.loads(found["REPORT"][0])}
    except (KeyError, TypeError, ValueError, IndexError):
        raise ProblemError(502, "service_error", "the service's answer cannot be read") from None
