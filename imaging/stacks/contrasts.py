"""What slices of one place differ in, and what the volumes parted by that are called."""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from imaging.errors import InputError
from imaging.headers import PYDICOM_FAILURES
from imaging.instances import Instance
from imaging.stacks.diffusion import b_value

COMPONENTS = {
    "FIELD_MAP": "field map",
    "I": "imaginary",
    "IMAGINARY": "imaginary",
    "M": "magnitude",
    "MAGNITUDE": "magnitude",
    "P": "phase",
    "PHASE": "phase",
    "PHASE MAP": "phase",
    "R": "real",
    "REAL": "real",
}
"""What values of ImageType from the third on, and ComplexImageComponent (PS3.3 C.8.13.3.1.1), say
of a magnetic resonance signal, which is complex."""

GE_CREATOR_TAG, GE_CREATOR = 0x00430010, "GEMS_PARM_01"
GE_COMPONENT_TAG = 0x0043102F
"""GE's image type; its ImageType tells no component."""

GE_COMPONENTS = ("magnitude", "phase", "real", "imaginary")

SUBTRACTION = {"SUB", "SUBTRACT", "SUBTRACTION"}

NOT_FOR_NETWORKS = ("field map", "imaginary", "phase", "real")


def component(instance: Instance) -> str:
    """Return which component of the MR signal the object or slice shows, "" if it does not say."""
    of_type = [COMPONENTS[value] for value in _type_values(instance)[2:] if value in COMPONENTS]
    stated = COMPONENTS.get(instance.text("ComplexImageComponent").upper(), "")
    if "field map" in of_type:
        return "field map"
    return stated or (of_type[0] if of_type else _ge_component(instance))


def is_subtraction(instance: Instance) -> bool:
    """Say whether the object or slice is the difference of two images."""
    return bool(SUBTRACTION & set(_type_values(instance)))


def refuse_unsuited(instance: Instance, allow: AbstractSet[str]) -> None:
    """Refuse MR whose numbers are no signal to take features of: not magnitude, or subtracted.

    allow: codes of the refusals that are not wanted.
    """
    shown = component(instance)
    if shown in NOT_FOR_NETWORKS and "not_magnitude" not in allow:
        raise InputError("not_magnitude", f"it is a {shown} image, not a magnitude image")
    if is_subtraction(instance) and "subtraction_image" not in allow:
        raise InputError("subtraction_image", "it is the difference of two images")


def _type_values(instance: Instance) -> list[str]:
    return [value.strip().upper() for value in instance.texts("ImageType")]


def _ge_component(instance: Instance) -> str:
    try:
        creator = str(instance.header[GE_CREATOR_TAG].value).strip()
        number = int(instance.header[GE_COMPONENT_TAG].value)
    except PYDICOM_FAILURES:
        return ""
    return dict(enumerate(GE_COMPONENTS)).get(number, "") if creator == GE_CREATOR else ""


@dataclass(frozen=True)
class Contrast:
    """One thing that slices of one place may differ in.

    value: what a slice says of it, "" for nothing.
    name: what a volume is called by its value and the rank of that among all.
    """

    value: Callable[[Instance], str]
    name: Callable[[str, int], str]


def _attribute(keyword: str, name: Callable[[str, int], str]) -> Contrast:
    return Contrast(lambda instance: instance.text(keyword), name)


def _short(value: str) -> str:
    """Return a number without zeros at its end, other text as it is."""
    try:
        return f"{float(value):g}"
    except ValueError:
        return value


CONTRASTS = (
    Contrast(component, lambda value, _: value or "no component"),
    _attribute("SeriesNumber", lambda value, _: f"series number {value}"),
    _attribute("EchoNumbers", lambda _, rank: f"echo {rank}"),
    _attribute("EchoTime", lambda _, rank: f"echo {rank}"),
    Contrast(lambda i: "\\".join(_type_values(i)), lambda _, rank: f"image type {rank}"),
    _attribute("InversionTime", lambda value, _: f"inversion time {_short(value)} ms"),
    _attribute("FlipAngle", lambda value, _: f"flip angle {_short(value)}"),
    _attribute("RepetitionTime", lambda value, _: f"repetition time {_short(value)} ms"),
    Contrast(b_value, lambda value, _: f"b-value {_short(value)}" if value else "no b-value"),
    _attribute("ConvolutionKernel", lambda value, _: f"kernel {value}"),
    _attribute("KVP", lambda value, _: f"{_short(value)} kV"),
    _attribute("NominalPercentageOfCardiacPhase", lambda value, _: f"phase {_short(value)} %"),
    _attribute("NominalPercentageOfRespiratoryPhase", lambda value, _: f"breath {_short(value)} %"),
    _attribute("SliceThickness", lambda value, _: f"slices of {_short(value)} mm"),
)
"""Tried in this order, and only where slices share a place."""


def ranked(values: Sequence[str]) -> list[str]:
    """Return the different values in order: as numbers if all are, else as text after magnitude."""
    different = sorted(set(values), key=lambda value: (value != "magnitude", value))
    try:
        return sorted(different, key=lambda value: (float(value or "-inf"), value))
    except ValueError:
        return different
