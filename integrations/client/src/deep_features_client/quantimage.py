"""Rows as QuantImage-V2 stores them, of an answer that came from a gateway or from a Triton."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from deep_features_client import long_rows as rules
from deep_features_client.errors import DeepFeaturesError

if TYPE_CHECKING:
    from deep_features_client.answers import Answer


class LongRowsError(DeepFeaturesError):
    """QuantImage-V2 could not keep the rows, or not tell them apart.

    Codes are those of the gateway's profile `quantimage`: `no_regions`, `several_studies`,
    `demonstration_weights`, `ambiguous_region`, `ambiguous_series`, `unstorable_name`,
    `unstorable_modality`, `not_finite`.
    """


def long_rows(
    answer: Answer, *, allow: Collection[str] = (), rois: Collection[str] = ()
) -> list[dict[str, object]]:
    """Return `patient_id, modality, VOI, feature_name, feature_value` of each region's features.

    allow: `demonstration` for rows of weights that are not trained, since these cannot say so;
        what the answer was asked for with its option `allow` is allowed as well.
    rois: names of the regions that are wanted; none: all. Whole volumes are left out.
    Raises LongRowsError.
    """
    asked = str(answer.options.get("allow", "")).lower().split(",")
    names = answer.rows[0].feature_names if answer.rows else ()
    rows = ((row.labels, row.features) for row in answer.rows)
    try:
        return rules.long_rows(
            rows, feature_names=names, allow={*allow, *map(str.strip, asked)}, rois=rois
        )
    except rules.UnstorableError as error:
        raise LongRowsError(error.code, error.sentence) from None
