"""The paragraph on methods: what was done, with the values of these rows, and no others."""

from collections import Counter
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from gateway.results.cohort import Cohort
from gateway.results.image_methods import geometry, pet, regions, values
from gateway.results.labels import Label
from gateway.results.tables import exclusions_table, quality_meaning
from gateway.results.wording import counted, named, times

WEIGHTS: Mapping[str, str] = MappingProxyType(
    {
        "trained": "The weights are stated to be trained; on what, the model's card says.",
        "demonstration": (
            "THE WEIGHTS ARE DEMONSTRATION WEIGHTS: they are for checking a pipeline, and nothing "
            "about patients may be concluded from these features."
        ),
        "untrained": (
            "THE WEIGHTS ARE AN UNTRAINED, SEEDED INITIALISATION: nothing about patients may be "
            "concluded from these features."
        ),
    }
)
CHOSEN_BY: Mapping[str, str] = MappingProxyType(
    {
        "only": "the only one of its modality",
        "asked": "asked for by its UID",
        "all": "as all were asked for",
        "regions": "referenced by the regions",
    }
)
"""Why a series was taken; all other words are criteria of the rule."""

UNKNOWN_WEIGHTS = "Whether the weights were trained is not known."

SCOPE = (
    "The standard of the Image Biomarker Standardisation Initiative (IBSI) covers conversion of "
    "images, masks and SUV; it does not define deep features, for which no conformity is claimed. "
    "Features are as the network gave them: nothing was scaled, harmonised or selected over the "
    "cohort, which belongs into the training folds."
)

NO_ROWS = "There are no rows, and nothing to say of how they were made."


def methods(cohort: Cohort) -> str:
    """Return the paragraph; what is not known is said to be."""
    return " ".join(text for text in statements(cohort).values() if text)


def statements(cohort: Cohort) -> dict[str, str]:
    """Return the sentences of the paragraph by what they are about, in its order."""
    if not cohort.labels:
        return {"rows": NO_ROWS, "exclusions": _exclusions(cohort)}
    return {
        "extraction": _extraction(cohort),
        "weights": WEIGHTS.get(str(cohort.version.get("weights")), UNKNOWN_WEIGHTS),
        "rows": _rows(cohort),
        "exclusions": _exclusions(cohort),
        "series": _series(cohort.labels),
        "values": values(cohort),
        "pet": pet([label for label in cohort.labels if label["modality"] == "PT"]),
        "geometry": geometry(cohort),
        "regions": regions(cohort),
        "quality": _quality(cohort.labels),
        "scope": SCOPE,
    }


def software_of(labels: Iterable[Label]) -> str:
    """Return names and versions of the software that made the rows."""
    stated = dict.fromkeys(str(label["software"]) for label in labels if label.get("software"))
    return ", ".join(stated) or "a version of triton-deep-features that is not stated"


def _extraction(cohort: Cohort) -> str:
    version = cohort.version
    return (
        f"From each volume or region, {times(cohort.features.shape[1], 'deep feature')} "
        f"({version['feature_prefix']}_…) were computed with the model {cohort.model} of "
        f"{software_of(cohort.labels)} (SHA-256 of the weights {version['weights_sha256']}, of the "
        f"preprocessing {version['preprocessing_id']})."
    )


def _rows(cohort: Cohort) -> str:
    labels = cohort.labels
    with_region = sum(bool(label["roi"]) for label in labels)
    whole = times(len(labels) - with_region, "whole volume")
    regions = times(with_region, "region")
    patients = times(len({label["patient_id"] for label in labels}), "patient")
    studies = times(len({label["study_uid"] for label in labels}), "study", many="studies")
    modalities = counted(label["modality"] for label in labels)
    return (
        f"The table has {times(len(labels), 'row')}: {whole} and {regions} of interest, of "
        f"{patients} in {studies}; by modality: {modalities}."
    )


def _exclusions(cohort: Cohort) -> str:
    found = [(what, f"{code} ({n})") for what, code, n, *_ in exclusions_table(cohort).lines]
    told = [
        f"{plural} left out, by code: {', '.join(texts)}"
        for one, plural in (("study", "studies"), ("series", "series"), ("region", "regions"))
        if (texts := [text for what, text in found if what == one])
    ]
    sent = times(len(cohort.studies), "study", many="studies")
    left_out = "; ".join(told) or "nothing was left out"
    gave_none = f"Of {sent} that came, {len(cohort.without_rows)} gave no rows; {left_out}."
    return " ".join(filter(None, (gave_none, _excluded(cohort))))


def _excluded(cohort: Cohort) -> str:
    """Return which rows somebody left out, and why; "" if nobody did."""
    counts = Counter(code for code, _ in cohort.excluded)
    if not counts:
        return ""
    reasons = [f"{code} ({count}): {quality_meaning(code)}" for code, count in counts.most_common()]
    were = "row was" if counts.total() == 1 else "rows were"
    return f"{counts.total()} {were} then excluded by quality code: {'; '.join(reasons)}."


def _series(labels: Iterable[Label]) -> str:
    rules = named(rule for label in labels if (rule := ", ".join(label.get("series_rule") or ())))
    chosen = named(
        CHOSEN_BY.get(word, f"by {word}")
        for label in labels
        if (word := label.get("series_chosen_by"))
    )
    if not chosen:
        return "How one of several series was chosen is not stated."
    rule = f" The rule for several of one modality: {rules}." if rules else ""
    return f"Series of rows were taken as follows: {chosen}.{rule}"


def _quality(labels: Iterable[Label]) -> str:
    codes = [each for label in labels for each in label.get("quality") or ()]
    told = [
        f"{words}: {found}"
        for severity, words in (
            ("exclude", "to be left out of an analysis"),
            ("warn", "to be looked at"),
        )
        if (found := counted(each["code"] for each in codes if each["severity"] == severity))
    ]
    if not told:
        return "No row has a quality code that asks to look at it or to leave it out."
    return f"Quality codes, with numbers of rows: {'; '.join(told)}."
