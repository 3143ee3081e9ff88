"""What the service answers to a study: rows with labels and features, and a report."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from deep_features_client.quantimage import long_rows
from deep_features_client.tables import long_table, wide_table

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class Row:
    """One image series, or one region of interest of it.

    labels: what the service says of the row, by the names of its contract, but for the features.
    features: exactly the float32 that the network gave.
    feature_names: `<feature_prefix>_<index>`, as many as features.
    preview: a PNG of what the network saw; empty unless it was asked for by `preview="true"`.
    """

    labels: Mapping[str, Any]
    features: tuple[float, ...]
    feature_names: tuple[str, ...]
    preview: bytes = b""

    @property
    def patient_id(self) -> str:
        return self._text("patient_id")

    @property
    def study_uid(self) -> str:
        return self._text("study_uid")

    @property
    def series_uid(self) -> str:
        return self._text("series_uid")

    @property
    def modality(self) -> str:
        return self._text("modality")

    @property
    def roi(self) -> str:
        """Name of the region of interest as its object has it; empty: the whole volume."""
        return self._text("roi")

    def _text(self, name: str) -> str:
        return str(self.labels.get(name) or "")


@dataclass(frozen=True)
class Answer:
    """The rows of one study.

    model: by which name the service was asked.
    report: which series were used, which were not and why, and warnings, as in the contract.
    options: what was asked for.
    """

    model: str
    rows: tuple[Row, ...]
    report: Mapping[str, Any]
    options: Mapping[str, str] = field(default_factory=dict)

    def to_dataframe(self, labels: Sequence[str] | None = None) -> pandas.DataFrame:
        """Return a line a row: labels (all, or those that are named), then features as float32.

        Needs pandas. `tables.wide_table` makes one of several answers.
        """
        return wide_table([self], labels)

    def to_quantimage(
        self, *, allow: Collection[str] = (), rois: Collection[str] = ()
    ) -> pandas.DataFrame:
        """Return the rows that QuantImage-V2 stores, as a DataFrame. Needs pandas.

        allow, rois: of `quantimage_rows`. Raises LongRowsError.
        """
        return long_table(self.quantimage_rows(allow=allow, rois=rois))

    def quantimage_rows(
        self, *, allow: Collection[str] = (), rois: Collection[str] = ()
    ) -> list[dict[str, object]]:
        """Return the rows that QuantImage-V2 stores; no pandas is needed.

        allow, rois: of `quantimage.long_rows`. Raises LongRowsError.
        """
        return long_rows(self, allow=allow, rois=rois)
