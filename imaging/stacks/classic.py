"""What enhanced objects say in a way of their own, as the attributes of classic objects say it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pydicom
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.tag import BaseTag, Tag

from imaging.attributes import CLASSIC

CONVERTED = (
    "UnassignedSharedConvertedAttributesSequence",
    "UnassignedPerFrameConvertedAttributesSequence",
)
"""Where legacy converted objects keep the attributes of the classic ones (PS3.3 A.70 to A.72)."""

READ = frozenset(CLASSIC)

CONTRAST = Tag("ContrastBolusAgent")

PULSE_SEQUENCES = MappingProxyType(
    {
        "ScanningSequence": (
            ("EchoPulseSequence", ("SPIN", "BOTH"), "SE"),
            ("InversionRecovery", ("YES",), "IR"),
            ("EchoPulseSequence", ("GRADIENT", "BOTH"), "GR"),
            ("EchoPlanarPulseSequence", ("YES",), "EP"),
        ),
        "SequenceVariant": (
            ("SegmentedKSpaceTraversal", ("PARTIAL",), "SK"),
            ("MagnetizationTransfer", ("ON_RESONANCE", "OFF_RESONANCE"), "MTC"),
            ("SteadyStatePulseSequence", ("FREE_PRECESSION", "TRANSVERSE", "LONGITUDINAL"), "SS"),
            ("SteadyStatePulseSequence", ("TIME_REVERSED",), "TRSS"),
            ("Spoiling", ("RF", "GRADIENT", "RF_AND_GRADIENT"), "SP"),
            ("OversamplingPhase", ("2D", "3D", "2D_3D"), "OSP"),
        ),
    }
)
"""Terms of two classic attributes (PS3.3 C.8.3.1), and which values of enhanced MR (C.8.13.4,
C.8.13.5) mean each. MP, magnetization prepared, has no one value that means it."""

Elements = dict[BaseTag, DataElement | RawDataElement]


def common_header(header: pydicom.Dataset, shared: pydicom.Dataset) -> pydicom.Dataset:
    """Return an object's header with what it states of all frames, by classic attributes."""
    if header.get("ContrastBolusAgentSequence"):
        header = _with(header, _contrast("YES"))
    return frame_header(header, shared)


def frame_header(header: pydicom.Dataset, group: pydicom.Dataset) -> pydicom.Dataset:
    """Return a header with the classic attributes that an item of functional groups states."""
    stated: Elements = {}
    for macro in CONVERTED:
        for item in list(group.get(macro) or ())[:1]:
            stated |= {tag: element for tag, element in item.items() if tag in READ}
    usage = {
        str(item.get("ContrastBolusAgentAdministered", ""))
        for item in group.get("ContrastBolusUsageSequence") or ()
    }
    if "YES" in usage or usage == {"NO"}:
        stated |= _contrast("YES" if "YES" in usage else "")
    return _with(header, stated) if stated else header


def pulse_sequence(header: pydicom.Dataset, own: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return ScanningSequence and SequenceVariant of a frame, as far as they can be derived."""
    found = {}
    for keyword, terms in PULSE_SEQUENCES.items():
        meant = [term for name, values, term in terms if own.get(name, header.get(name)) in values]
        if meant and keyword not in header:
            found[keyword] = meant
    return found


def _contrast(text: str) -> Elements:
    """Return ContrastBolusAgent: a word if contrast was given, empty if it was not."""
    return {CONTRAST: DataElement(CONTRAST, "LO", text)}


def _with(header: pydicom.Dataset, stated: Elements) -> pydicom.Dataset:
    return pydicom.Dataset(dict(header.items()) | stated)
