"""Rows as QuantImage-V2 keeps them: one a modality, region and feature; what it cannot keep.

The gateway and its client each have this file, letter for letter, and a test holds that: neither
installs the other, and rows must be the same whoever makes them. What is said of QuantImage-V2 was
read in medgift/quantimage2_backend at a2f5da3, below shared/quantimage2_backend_common.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

Label = Mapping[str, Any]
LongRow = dict[str, Any]

COLUMNS = ("patient_id", "modality", "VOI", "feature_name", "feature_value")

PREFIX = "tex_"
"""Of names of features: const.py, featureIDMatcher, leaves others out of collections unsaid."""

MODALITIES = ("CT", "MR", "PT")

LONGEST_NAME = 255
"""Characters of a name: models.py, ROI.name and FeatureDefinition.name."""

REGION_CHARACTERS = "cp1252"
"""Of a region's name, whose column is in what MySQL calls latin1: models.py, ROI.name. So U+2011,
which separates the parts of a feature's id (const.py), is in no name either."""

UNUSUAL = re.compile(r"[\x00-\x1f\x7f]| $")
"""Line ends stop featureIDMatcher; latin1_bin takes "GTV" and "GTV " for one name."""

UID_FORM = re.compile(r"[0-9.]{1,64}", re.ASCII)
"""PS3.5 9.1: what is none may be any text, and is not shown."""


class UnstorableError(ValueError):
    """QuantImage-V2 could not keep the rows, or not tell them apart.

    The sentence has numbers and UIDs of regions, never their names.
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(f"{code}: {sentence}")
        self.code, self.sentence = code, sentence


def long_rows(
    rows: Iterable[tuple[Label, Sequence[float]]],
    *,
    feature_names: Sequence[str],
    allow: Collection[str] = (),
    rois: Collection[str] = (),
) -> list[LongRow]:
    """Return a row of COLUMNS for each feature of each region of one study.

    rows: labels and features, as a model answers them; whole volumes among them are left out.
    feature_names: as they are without PREFIX. allow: `demonstration` for weights that are not
    trained. rois: names of the regions that are wanted; none: all.
    Raises UnstorableError, rather than leave out one of several rows or let them be averaged.
    """
    wanted = [each for each in rows if _is_region(each[0]) and (not rois or each[0]["roi"] in rois)]
    labels = [label for label, _ in wanted]
    _check_study(labels)
    refuse_weights({label["weights"] for label in labels}, allow)
    for label in labels:
        _refuse_name(label)
    kept = _one_of_each(labels)
    return [
        {
            "patient_id": label["patient_id"],
            "modality": label["modality"],
            "VOI": label["roi"],
            "feature_name": PREFIX + name,
            "feature_value": _finite(value, label),
        }
        for label, values in wanted
        if any(label is each for each in kept)
        for name, value in zip(feature_names, values, strict=True)
    ]


def _is_region(label: Label) -> bool:
    """Say whether a row is of a region; one without a name has a number all the same."""
    return bool(label["roi"]) or label.get("roi_number") is not None


def _check_study(labels: Sequence[Label]) -> None:
    """Refuse what is not the regions of one study, in modalities that they know."""
    if not labels:
        raise UnstorableError(
            "no_regions", "no region of interest gives a row: QuantImage-V2 keeps regions alone"
        )
    studies = sorted({shown_uid(label["study_uid"]) for label in labels})
    if len(studies) > 1:
        sentence = f"the rows are of {len(studies)} studies, {' and '.join(studies)}: one is kept"
        raise UnstorableError("several_studies", f"{sentence} at a time, send each alone")
    if any(label["modality"] not in MODALITIES for label in labels):
        sentence = f"a row is of a modality that is none of {', '.join(MODALITIES)}"
        raise UnstorableError("unstorable_modality", sentence)


def refuse_weights(kinds: set[str], allow: Collection[str]) -> None:
    """Refuse rows that must not be taken for results: long rows have no place to say so.

    kinds: of weights, as rows and models state them.
    """
    if kinds - {"trained"} and "demonstration" not in allow:
        raise UnstorableError(
            "demonstration_weights",
            "the model's weights are for demonstration, or untrained, and rows of QuantImage-V2 "
            "cannot say so: send allow=demonstration if nothing is concluded from them",
        )


def _refuse_name(label: Label) -> None:
    """Refuse a region's name that their column does not hold, or not as it is."""
    if fault := _fault(label["roi"]):
        sentence = f"the name of {_region(label)} {fault}: rename it, or ask for other regions"
        raise UnstorableError("unstorable_name", sentence)


def _fault(name: str) -> str:
    if not 0 < len(name) <= LONGEST_NAME:
        return f"has {len(name)} characters, and 1 to {LONGEST_NAME} are kept"
    if UNUSUAL.search(name):
        return "has control characters, or ends in a space"
    try:
        name.encode(REGION_CHARACTERS)
    except UnicodeEncodeError:
        return f"has characters that are not in {REGION_CHARACTERS}, which MySQL calls latin1"
    return ""


def _one_of_each(labels: Iterable[Label]) -> list[Label]:
    by_key: dict[tuple[str, str], list[Label]] = {}
    for label in labels:
        by_key.setdefault((label["modality"], label["roi"]), []).append(label)
    return [_only(candidates) for candidates in by_key.values()]


def _only(candidates: list[Label]) -> Label:
    """Return the one row that is meant by a modality and a region's name.

    Of several images it is the one that the region's object references; averages mean nothing.
    """
    if len(_images(candidates)) > 1:
        linked = [label for label in candidates if label.get("roi_link") == "series"]
        if len(_images(linked)) != 1:
            images = " and ".join(_images(candidates))
            raise UnstorableError(
                "ambiguous_series",
                f"a region's name stands for rows of several {candidates[0]['modality']} images: "
                f"{images}; name the series that is meant by the option series, or send it alone",
            )
        candidates = linked
    if len(candidates) > 1:
        regions = " and ".join(map(_region, candidates))
        raise UnstorableError(
            "ambiguous_region",
            f"{regions} have one name on one {candidates[0]['modality']} image: QuantImage-V2 "
            "would average them; rename them, or send the one that is meant",
        )
    return candidates[0]


def _images(labels: Iterable[Label]) -> list[str]:
    """Return the images that rows are of, each once: a series, or one of the stacks in it."""
    return list(dict.fromkeys(map(_image, labels)))


def _image(label: Label) -> str:
    stack = f" (stack {label['stack_index']})" if label.get("stack_count", 1) > 1 else ""
    return f"series {shown_uid(label.get('series_uid', ''))}{stack}"


def _region(label: Label) -> str:
    stated = label.get("component", "union")
    part = "" if stated == "union" else f"part {stated} of "
    return f"{part}region {label.get('roi_number')} of {shown_uid(label.get('roi_source_uid', ''))}"


def _finite(value: float, label: Label) -> float:
    if math.isfinite(value):
        return value
    sentence = f"a feature of {_region(label)} is no finite number, which MySQL has no place for"
    raise UnstorableError("not_finite", sentence)


def shown_uid(uid: str) -> str:
    """Return a UID for a message."""
    return uid if UID_FORM.fullmatch(uid) else "(not a valid UID)"
