"""Real-world values: linear maps from stored numbers to a unit, as objects or frames state them.

PS3.3 C.7.6.16.2.11. Slope and intercept act on stored numbers, not on those rescaled.
"""

import re
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from imaging.errors import InputError
from imaging.instances import Instance

HOUNSFIELD = MappingProxyType({"[hnsf'U]": "HU"})
"""The UCUM code of Hounsfield units, and what they are called here."""

UCUM = re.compile(r"[!-~]{1,64}")
"""Units are written without spaces (UCUM section 2.1); any other text is none."""

UNKNOWN = "unknown"
"""The unit where none is stated, or several."""

SAME_LINE = 1e-6
"""Relative: RescaleSlope is a text of at most 16 characters, RealWorldValueSlope a double."""


@dataclass(frozen=True)
class RealWorldMap:
    """A map of RealWorldValueMappingSequence.

    unit: the CodeValue of MeasurementUnitsCodeSequence, in UCUM; Hounsfield units are "HU".
    item: of the sequence, to be read like an Instance.
    """

    unit: str
    item: Instance

    def line(self) -> tuple[float, float]:
        """Return slope and intercept; refuse a map that is a table."""
        if self.item.text("RealWorldValueLUTData") and not self.item.text("RealWorldValueSlope"):
            raise InputError(
                "unsupported_pixels",
                f"entry {self.item.entry.number} has values by RealWorldValueLUTData; "
                "RealWorldValueSlope and RealWorldValueIntercept are read",
            )
        return self.item.number("RealWorldValueSlope"), self.item.number("RealWorldValueIntercept")

    def is_line(self, slope: float, intercept: float) -> bool:
        """Say whether another slope and intercept, those of a rescaling, give the same values."""
        return bool(np.allclose(self.line(), (slope, intercept), rtol=SAME_LINE, atol=0))


def maps_of(instance: Instance) -> tuple[RealWorldMap, ...]:
    """Return the maps of an object or frame whose units are given, in their order."""
    found = []
    for item in instance.items("RealWorldValueMappingSequence"):
        codes = [each.text("CodeValue") for each in item.items("MeasurementUnitsCodeSequence")[:1]]
        found += [RealWorldMap(_unit(code), item) for code in codes if code]
    return tuple(found)


def _unit(code: str) -> str:
    return HOUNSFIELD.get(code, code) if UCUM.fullmatch(code) else UNKNOWN
