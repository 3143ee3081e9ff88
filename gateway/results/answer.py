"""The answer for one study: read from what Triton sent, and written as JSON."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tritonclient.http as triton

from gateway.results.cohort import Cohort, Study
from gateway.results.table import FeatureTable, labelled_rows
from tools.client import features_of


@dataclass(frozen=True)
class Answer:
    """Rows of one study.

    table: labels and features. previews: a base64 PNG a row, or "".
    """

    table: FeatureTable
    report: Mapping[str, Any]
    previews: list[str]

    @property
    def study_uids(self) -> tuple[str, ...]:
        """The StudyInstanceUIDs of the rows, each once."""
        return tuple(dict.fromkeys(label["study_uid"] for label in self.table.labels))

    def as_json(self, model: str) -> bytes:
        """Return all of it; each number reads back to the same float32."""
        rows = labelled_rows(self.table.labels, self.table.features)
        document = {
            "model": model,
            "rows": rows,
            "feature_names": self.table.feature_names if rows else [],
            "report": self.report,
            "previews": self.previews,
        }
        return json.dumps(document, ensure_ascii=False).encode()

    def as_cohort(self, model: str, parameters: Mapping[str, str]) -> Cohort:
        """Return the study as a cohort of its own; parameters: the model's, as far as known."""
        labels = self.table.labels
        features = np.stack(self.table.features) if labels else np.zeros((0, 0), np.float32)
        name = ", ".join(self.study_uids)
        return Cohort(model, [Study(name, labels, features, self.report)], parameters=parameters)


def answer_of(content: bytes, header_bytes: int) -> Answer:
    """Return the answer in the body of a feature model's response.

    header_bytes: how much of it is the JSON before the tensors.
    """
    result = triton.InferResult.from_response_body(content, header_length=header_bytes)
    features = features_of(result)
    table = FeatureTable()
    table.add(features.rows, features.features)
    return Answer(table, features.report, features.previews)
