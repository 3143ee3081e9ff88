"""What SUV is divided by, instead of weight: lean body mass, ideal weight, body surface.

Formulas: the manual of oncoray/suv_computation, sections "Units = GML" and "Units = CM2ML", which
has them from Sugawara (1999), James (1976), Janmahasatian (2005) and Du Bois (1916). Names: the
defined terms of SUVType (0054,1006), PS3.3 C.8.9.1.
"""

import math
from collections.abc import Callable, Sequence
from types import MappingProxyType

from imaging.instances import Instance
from imaging.suv.attributes import refusal, refuse_absent, series_positive_number, series_text

GRAMS_ABOVE_KG = 1000.0
"""A PatientWeight above it was typed in grams."""

TALLEST_M = 3.0
"""A PatientSize above it was typed in centimetres, or is something else."""

BodyMasses = tuple[float, float]
"""Of a man and of a woman, in kg."""

Formula = Callable[[float, float], BodyMasses]
"""From the weight in kg and the height in cm."""


def _lean_morgan_kg(weight_kg: float, height_cm: float) -> BodyMasses:
    square = (weight_kg / height_cm) ** 2
    return 1.10 * weight_kg - 120 * square, 1.07 * weight_kg - 148 * square


def _lean_james_kg(weight_kg: float, height_cm: float) -> BodyMasses:
    square = (weight_kg / height_cm) ** 2
    return 1.10 * weight_kg - 128 * square, 1.07 * weight_kg - 148 * square


def _lean_janmahasatian_kg(weight_kg: float, height_cm: float) -> BodyMasses:
    body_mass_index = weight_kg / (height_cm / 100) ** 2
    return (
        9270 * weight_kg / (6680 + 216 * body_mass_index),
        9270 * weight_kg / (8780 + 244 * body_mass_index),
    )


def _ideal_kg(_: float, height_cm: float) -> BodyMasses:
    return 48.0 + 1.06 * (height_cm - 152), 45.5 + 0.91 * (height_cm - 152)


BODY_MASSES: MappingProxyType[str, Formula] = MappingProxyType(
    {
        "LBM": _lean_morgan_kg,
        "LBMJAMES128": _lean_james_kg,
        "LBMJANMA": _lean_janmahasatian_kg,
        "IBW": _ideal_kg,
    }
)


def weight_g(instances: Sequence[Instance], path: list[str]) -> float:
    """Return PatientWeight in grams."""
    weight = series_positive_number(instances, "PatientWeight")
    if weight > GRAMS_ABOVE_KG:
        path.append("weight_in_grams")
        return weight
    return weight * 1000


def weight_per_body_mass(
    instances: Sequence[Instance], body_masses_kg: Formula, *, path: list[str]
) -> float:
    """Return SUVbw / SUV, where SUV is by the body mass of a formula: weight / that mass."""
    refuse_absent(instances[0], "PatientWeight", "PatientSize", "PatientSex")
    weight_kg = weight_g(instances, path) / 1000
    masses_kg = body_masses_kg(weight_kg, _height_cm(instances))
    mass_kg = _mass_by_sex(instances, masses_kg, path=path)
    if mass_kg <= 0:
        raise refusal("PatientWeight and PatientSize do not give a body mass above 0")
    return weight_kg / mass_kg


def weight_per_surface_g_cm2(instances: Sequence[Instance], path: list[str]) -> float:
    """Return SUVbw / SUVbsa: weight in g over Du Bois' body surface in cm2."""
    refuse_absent(instances[0], "PatientWeight", "PatientSize")
    weight = weight_g(instances, path)
    surface_m2 = 0.007184 * math.pow(_height_cm(instances), 0.725) * math.pow(weight / 1000, 0.425)
    return weight / (surface_m2 * 10_000)


def _height_cm(instances: Sequence[Instance]) -> float:
    height_m = series_positive_number(instances, "PatientSize")
    if height_m > TALLEST_M:
        raise refusal("PatientSize is not a height in metres")
    return height_m * 100


def _mass_by_sex(instances: Sequence[Instance], masses_kg: BodyMasses, *, path: list[str]) -> float:
    """Return the mass by PatientSex, for O the mean of both, as the manual proposes."""
    man_kg, woman_kg = masses_kg
    sex = series_text(instances, "PatientSex")
    if sex == "O":
        path.append("sex_other_mean")
        return (man_kg + woman_kg) / 2
    if sex not in ("M", "F"):
        raise refusal("PatientSex is none of M, F and O")
    return man_kg if sex == "M" else woman_kg
