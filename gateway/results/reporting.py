"""Items of two checklists that the extraction can answer, and what its user has to add.

CLEAR: B. Kocak et al., Insights into Imaging 14 (2023) 75. METRICS: B. Kocak et al., the same 15
(2024) 8. Their titles are as published, under CC BY 4.0.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from gateway.results.cohort import Cohort
from gateway.results.labels import ACQUISITION, Label
from gateway.results.methods import statements
from gateway.results.wording import counted, span, spans, times

UNKNOWN = "not known to this service: state it yourself"

CLEAR, METRICS = "CLEAR", "METRICS"

PROTOCOL_UNKNOWN = (
    "Preparation of patients, doses of contrast agent, and what scanners do not write into images: "
    f"{UNKNOWN}."
)
READERS_UNKNOWN = (
    f"Who drew the regions, with which software, by hand or not, and how well readers agree: "
    f"{UNKNOWN}. This service draws none."
)
NOT_STANDARDISED = (
    "The item is about software that conforms to IBSI, which does not define deep features; "
    "version, weights and preprocessing above identify them instead."
)
NOT_ROBUST = (
    "None was removed. `deepfeatures stability` measures how far each feature moves with shifts, "
    f"noise, contours and second scans; whether features were removed for it: {UNKNOWN}."
)
NOT_REDUNDANT = (
    "None was removed: that belongs into the training folds. Whether and how it was done there: "
    f"{UNKNOWN}."
)


class Item(NamedTuple):
    """One item of a checklist, and the answer to it."""

    checklist: str
    number: int
    title: str
    answer: str


def items(cohort: Cohort) -> list[Item]:
    """Return the items, in the order of the checklists."""
    told = defaultdict(str, statements(cohort))
    protocol = _protocol(cohort)
    drawn = f"{told['regions']} {READERS_UNKNOWN}"
    processed = f"{told['values']} {told['pet']} {told['series']}"
    extracted = f"{told['extraction']} {told['weights']} {told['scope']}"
    defaults = _parameters(cohort)
    found = [
        (CLEAR, 16, "Imaging protocol (i.e., image acquisition and processing)", protocol),
        (CLEAR, 19, "Segmentation strategy", drawn),
        (CLEAR, 21, "Image pre-processing details", processed),
        (CLEAR, 22, "Resampling method and its parameters", told["geometry"]),
        (CLEAR, 25, "Feature extraction method", extracted),
        (CLEAR, 27, "Number of features", _number(cohort)),
        (CLEAR, 28, "Default configuration statement for remaining parameters", defaults),
        (METRICS, 6, "Imaging protocol with acquisition parameters", protocol),
        (METRICS, 8, "Transparent description of segmentation methodology", drawn),
        (
            METRICS,
            11,
            "Appropriate use of image preprocessing techniques with transparent description",
            f"{processed} {told['geometry']} Whether that is appropriate: {UNKNOWN}.",
        ),
        (
            METRICS,
            12,
            "Use of standardized feature extraction software",
            f"{told['extraction']} {NOT_STANDARDISED}",
        ),
        (
            METRICS,
            13,
            "Transparent reporting of feature extraction parameters, otherwise providing a default "
            "configuration statement",
            defaults,
        ),
        (METRICS, 14, "Removal of non-robust features", NOT_ROBUST),
        (METRICS, 15, "Removal of redundant features", NOT_REDUNDANT),
    ]
    return [Item(name, n, title, _tidy(answer)) for name, n, title, answer in found]


def markdown(cohort: Cohort) -> str:
    """Return the items as a text, a section each."""
    sections = [
        f"## {each.checklist} {each.number}. {each.title}\n\n{each.answer}\n"
        for each in items(cohort)
    ]
    return "\n".join(["# Answers to items of CLEAR and METRICS\n", *sections])


def _protocol(cohort: Cohort) -> str:
    """Return scanners and settings by modality, as the images state them."""
    modalities = dict.fromkeys(label["modality"] for label in cohort.labels)
    told = [_of_modality(each, cohort.labels) for each in modalities]
    return " ".join([*told, PROTOCOL_UNKNOWN])


def _of_modality(modality: str, labels: Sequence[Label]) -> str:
    of_it = [label for label in labels if label["modality"] == modality]
    scanners = len({each for label in of_it if (each := label.get("scanner_id"))})
    acquired = [label.get("acquisition") or {} for label in of_it]
    stated = [
        f"{keyword} {text}"
        for keyword in ACQUISITION
        if (text := _values([each[keyword] for each in acquired if each.get(keyword) is not None]))
    ]
    from_scanners = f" from {times(scanners, 'scanner')}" if scanners else ""
    rows = times(len(of_it), "row")
    return f"{modality}, {rows}{from_scanners}: {'; '.join(stated) or 'nothing is stated'}."


def _values(found: Sequence[Any]) -> str:
    """Return the span of numbers, or each text with how often it comes; "" for nothing."""
    numbers = [value for value in found if isinstance(value, int | float)]
    if len(numbers) == len(found):
        return span(numbers)
    if all(map(_is_pair, found)):
        return spans(found)
    return counted(
        "\\".join(map(str, value)) if isinstance(value, list) else value for value in found
    )


def _is_pair(value: Any) -> bool:
    """Say whether it is two numbers, as PixelSpacing is."""
    is_two = isinstance(value, list) and len(value) == 2
    return is_two and all(isinstance(each, int | float) for each in value)


def _number(cohort: Cohort) -> str:
    """Return how many features a row, a patient and the whole table have."""
    count = cohort.features.shape[1]
    if not count:
        return "There are no rows."
    return (
        f"{times(count, 'feature')} a row, of one volume or one region; "
        f"{times(len(cohort.labels), 'row')}. All of them are exported."
    )


def _parameters(cohort: Cohort) -> str:
    """Return the parameters that shape the network's input, or the digest that stands for them."""
    identified = (
        "All parameters that shape the network's input are those behind the digest "
        f"{cohort.version.get('preprocessing_id', '(there are no rows)')}; no request can change "
        "one."
    )
    if not cohort.made_with:
        return f"{identified} Their values are in the model's card or its config.pbtxt."
    shown = [f"{name} {text}" for name, text in sorted(cohort.made_with.items())]
    return f"{identified} They are: {'; '.join(shown)}."


def _tidy(answer: str) -> str:
    return " ".join(answer.split())
