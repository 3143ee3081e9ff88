"""What a PET series says of itself for SUV: attributes of the series, of the tracer, of makers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imaging.errors import InputError
from imaging.headers import PYDICOM_FAILURES
from imaging.instances import Instance
from imaging.series import ENHANCED_PET, PARAMETRIC_MAP


def is_enhanced(instance: Instance) -> bool:
    """Say whether corrections, times and units are told as PS3.3 C.8.22 has it.

    Legacy converted objects keep the attributes of their classic ones.
    """
    return instance.text("SOPClassUID") in (ENHANCED_PET, PARAMETRIC_MAP)


def refusal(sentence: str) -> InputError:
    """Return the refusal of a series that cannot become SUV."""
    """Return the one error of SUV; the sentence names attributes, never their values."""
    return InputError("suv_impossible", sentence)


def refuse_absent(instance: Instance, *keywords: str) -> None:
    """Refuse an object that lacks some of the attributes, and name all of those."""
    absent = [keyword for keyword in keywords if not instance.text(keyword)]
    if absent:
        raise refusal(f"entry {instance.entry.number} has no {', no '.join(absent)}")


def series_text(instances: Sequence[Instance], keyword: str) -> str:
    """Return the text that all instances share, empty if the attribute is absent."""
    texts = {instance.text(keyword) for instance in instances}
    if len(texts) > 1:
        raise differs(keyword)
    return texts.pop()


def positive_numbers(instances: Sequence[Instance], keyword: str) -> NDArray[np.float64]:
    """Return one number an instance, float64 [instances]; refuse any that is not above 0."""
    values = np.array([instance.number(keyword) for instance in instances])
    for instance, value in zip(instances, values, strict=True):
        if value <= 0:
            raise refusal(f"entry {instance.entry.number} has a {keyword} that is not above 0")
    return values


def series_positive_number(instances: Sequence[Instance], keyword: str) -> float:
    """Return the number above 0 that all instances share."""
    values = positive_numbers(instances, keyword)
    if np.any(values != values[0]):
        raise differs(keyword)
    return float(values[0])


def tracers(instances: Sequence[Instance]) -> tuple[Instance, ...]:
    """Return the item on the injected tracer, one an instance, to be read like an Instance."""
    return tuple(_tracer(instance) for instance in instances)


def _tracer(instance: Instance) -> Instance:
    items = instance.items("RadiopharmaceuticalInformationSequence")
    if not items:
        raise refusal(
            f"entry {instance.entry.number} has no RadiopharmaceuticalInformationSequence"
        )
    if len(items) > 1:
        raise refusal(
            f"entry {instance.entry.number} has {len(items)} items in "
            "RadiopharmaceuticalInformationSequence; one is needed"
        )
    return items[0]


def codes_of(instance: Instance, keyword: str) -> frozenset[str]:
    """Return the CodeValues of a sequence of codes, none if it is absent or unreadable."""
    try:
        items = instance.header.get(keyword) or ()
        return frozenset(str(item.get("CodeValue", "")).strip() for item in items)
    except PYDICOM_FAILURES:
        return frozenset()


@dataclass(frozen=True)
class PrivateElement:
    """An element of a maker's own; `name` is for messages, `vendor` a word of Manufacturer."""

    tag: int
    creator: str
    vendor: str
    name: str

    @property
    def creator_tag(self) -> int:
        """(gggg,xx00) to (gggg,xxFF) belong to who signs in (gggg,00xx): PS3.5 7.8.1."""
        return (self.tag & 0xFFFF0000) | ((self.tag >> 8) & 0xFF)


GE_SCAN_TIME = PrivateElement(0x0009100D, "GEMS_PETD_01", "GE", "(0009,100D) PET scan_datetime")
GE_INJECTION_TIME = PrivateElement(
    0x0009103B, "GEMS_PETD_01", "GE", "(0009,103B) PET admin_datetime"
)
PHILIPS_SUV_FACTOR = PrivateElement(
    0x70531000, "Philips PET Private Group", "PHILIPS", "(7053,1000) SUV Scale Factor"
)
PHILIPS_ACTIVITY_FACTOR = PrivateElement(
    0x70531009,
    "Philips PET Private Group",
    "PHILIPS",
    "(7053,1009) Activity Concentration Scale Factor",
)


def private_texts(
    instances: Sequence[Instance], element: PrivateElement, *, path: list[str]
) -> tuple[str, ...]:
    """Return the texts of a private element, one an instance; none if no instance has it.

    A block that another creator signed is not read. Where the signature is missing, as after some
    de-identifications and in the reference objects, Manufacturer has to name the vendor.
    """
    texts = tuple(_private_text(instance, element) for instance in instances)
    if not any(texts):
        return ()
    if not all(texts):
        raise refusal(f"{element.name} is missing in some of the instances")
    if not all(_element_text(instance, element.creator_tag) for instance in instances):
        path.append("private_creator_absent")
    return texts


def _private_text(instance: Instance, element: PrivateElement) -> str:
    creator = _element_text(instance, element.creator_tag)
    vendor_words = instance.text("Manufacturer").upper().split()
    is_trusted = creator == element.creator if creator else element.vendor in vendor_words
    return _element_text(instance, element.tag) if is_trusted else ""


def _element_text(instance: Instance, tag: int) -> str:
    """Return a private element as text: bytes where its VR is unknown (PS3.5 6.2.2)."""
    try:
        element = instance.header.get(tag)
        value = "" if element is None or element.value is None else element.value
        text = value.decode("ascii") if isinstance(value, bytes) else str(value)
    except PYDICOM_FAILURES as error:
        raise refusal(
            f"entry {instance.entry.number} has a ({tag >> 16:04X},{tag & 0xFFFF:04X}) "
            "that cannot be used"
        ) from error
    return text.strip(" \0")


def differs(keyword: str) -> InputError:
    """Return the refusal of a series whose instances contradict each other."""
    return refusal(f"{keyword} is not the same in all instances of the PET series")
