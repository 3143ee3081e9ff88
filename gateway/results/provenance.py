"""Where rows come from: facts about all of them, and everything but the features of each."""

import json
from collections.abc import Mapping
from typing import Any

from gateway.results.citation import bibtex
from gateway.results.cohort import Cohort, Study
from gateway.results.labels import ACQUISITION, LABELS, Label, Value
from gateway.results.methods import methods, software_of
from gateway.results.reporting import items
from gateway.results.tables import exclusions_table

EXPORTED = frozenset((*LABELS, "quality"))


def facts(cohort: Cohort) -> dict[str, Value]:
    """Return what all rows share, and how many there are of what."""
    labels = cohort.labels
    return {
        "title": cohort.title,
        "model": cohort.model,
        "software": software_of(labels) if labels else "",
        **{name: str(value) for name, value in cohort.version.items()},
        "features": cohort.features.shape[1],
        "rows": len(labels),
        "rows_of_regions": sum(bool(label["roi"]) for label in labels),
        "patients": len({label["patient_id"] for label in labels}),
        "studies": len(cohort.studies),
        "studies_without_rows": len(cohort.without_rows),
        "rows_excluded": len(cohort.excluded),
    }


def told(cohort: Cohort) -> dict[str, Any]:
    """Return what is not of one row: facts, parameters, exclusions, and what a paper says."""
    return {
        **facts(cohort),
        "parameters": dict(cohort.made_with),
        "exclusions": exclusions_table(cohort)._asdict(),
        "methods": methods(cohort),
        "reporting": [each._asdict() for each in items(cohort)],
        "citation": bibtex(cohort),
    }


def provenance(cohort: Cohort) -> bytes:
    """Return the facts, and of each study its labels and its report, as JSON."""
    document = {
        **facts(cohort),
        "parameters": dict(cohort.made_with),
        "feature_names": cohort.feature_names,
        "results": [_study(study) for study in cohort.studies],
    }
    return json_bytes(document, indent=1)


def json_bytes(document: Mapping[str, Any], indent: int | None = None) -> bytes:
    """Return JSON in UTF-8; halves of characters, which reports may quote, are question marks."""
    text = json.dumps(document, ensure_ascii=False, indent=indent)
    return text.encode(errors="replace")


def _study(study: Study) -> dict[str, Any]:
    return {
        "name": study.name,
        "code": study.code,
        "rows": [_listed(label) for label in study.labels],
        "excluded": excluded_of(study),
        "report": study.report,
    }


def excluded_of(study: Study) -> list[dict[str, Any]]:
    """Return the labels of rows that somebody left out, and `code`: why."""
    return [{"code": code, **_listed(label)} for code, label in study.excluded]


def _listed(label: Label) -> dict[str, Any]:
    """Return the labels that docs/contract.md lists, and no others."""
    acquired = label.get("acquisition") or {}
    return {
        **{name: value for name, value in label.items() if name in EXPORTED},
        "acquisition": {name: acquired[name] for name in ACQUISITION if name in acquired},
    }
