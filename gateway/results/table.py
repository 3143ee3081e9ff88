"""A table of features: one row a region or image, one column a feature, of one model version."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

KEY_COLUMNS = ("PatientID", "Modality", "ROI")
VERSION_LABELS = ("weights_sha256", "preprocessing_id", "feature_prefix")


class MixedVersionsError(ValueError):
    """Rows of different weights or preprocessing do not belong in one table."""


def feature_names(prefix: str, count: int) -> list[str]:
    """Return the prefix and an index for each feature, padded to the width of the last one."""
    width = len(str(count - 1))
    return [f"{prefix}_{n:0{width}}" for n in range(count)]


def labelled_rows(
    labels: Sequence[Mapping[str, Any]], features: Iterable[NDArray[np.float32]]
) -> list[dict[str, Any]]:
    """Return rows as JSON has them: labels and `features`, which read back to the same float32.

    features: float32 [F] a row.
    """
    return [
        {**label, "features": [float(str(value)) for value in values]}
        for label, values in zip(labels, features, strict=True)
    ]


@dataclass
class FeatureTable:
    """Labels and features of rows, in the order in which they were added.

    labels: what Triton's ROWS holds, a mapping a row.
    features: float32 [F] a row.
    """

    labels: list[Mapping[str, Any]] = field(default_factory=list)
    features: list[NDArray[np.float32]] = field(default_factory=list)

    def add(self, labels: Sequence[Mapping[str, Any]], features: NDArray[np.float32]) -> None:
        """Add the rows of one study: labels, and features as float32 [rows, F].

        Raises MixedVersionsError if they are not of the version that the table has.
        """
        for label in labels:
            first = self.labels[0] if self.labels else label
            differing = [name for name in VERSION_LABELS if label[name] != first[name]]
            if differing:
                raise MixedVersionsError(
                    f"{' and '.join(differing)} of this study differ from those of the first one: "
                    "the model was replaced in between; extract all studies again"
                )
            self.labels.append(label)
        self.features.extend(features)

    @property
    def feature_names(self) -> list[str]:
        """The names of the columns of features."""
        return feature_names(self.labels[0]["feature_prefix"], len(self.features[0]))

    def write_csv(self, file: TextIO) -> None:
        """Write the rows by RFC 4180: comma, point, CRLF. Numbers read back to the same float32."""
        writer = csv.writer(file)
        writer.writerow([*KEY_COLUMNS, *(self.feature_names if self.features else [])])
        for label, features in zip(self.labels, self.features, strict=True):
            keys = [label["patient_id"], label["modality"], label["roi"]]
            writer.writerow([*keys, *map(str, features)])

    def as_csv(self) -> str:
        """Return what `write_csv` writes."""
        file = io.StringIO(newline="")
        self.write_csv(file)
        return file.getvalue()
