"""What the tracer of a PET is called: by names of the standard and of a list, never by its text.

Radiopharmaceutical and the meanings of codes are free text, and hold whatever was typed there.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from imaging.headers import PYDICOM_FAILURES
from imaging.instances import Instance

TRACER = "RadiopharmaceuticalInformationSequence"
TRACER_TEXT = "Radiopharmaceutical"
CODES = MappingProxyType(
    {
        "radionuclide": ("RadionuclideCodeSequence", "cid4020"),
        "tracer": ("RadiopharmaceuticalCodeSequence", "cid4021"),
    }
)
"""Where the codes are, and the context group of PS3.16 that has their names."""

WORDS = MappingProxyType(
    {
        "FDG": ("FDG", "DEOXYGLUCOSE"),
        "FAPI": ("FAPI",),
        "PSMA": ("PSMA", "PIFLUFOLASTAT", "PYLARIFY"),
        "DOTATATE": ("DOTATATE",),
        "DOTATOC": ("DOTATOC", "EDOTREOTIDE"),
        "DOTANOC": ("DOTANOC",),
        "amyloid": ("FLORBETA", "FLUTEMETAMOL", "PITTSBURGH"),
        "choline": ("CHOLINE",),
        "DOPA": ("DOPA",),
        "FES": ("ESTRADIOL",),
        "FET": ("FLUOROETHYL", "FLUORETHYL"),
        "FLT": ("FLT", "FLUOROTHYMIDINE"),
        "FMISO": ("MISONIDAZOLE", "FMISO"),
        "methionine": ("METHIONINE",),
        "sodium fluoride": ("SODIUM FLUORIDE", "NAF"),
        "ammonia": ("AMMONIA",),
        "rubidium": ("RUBIDIUM",),
        "water": ("WATER",),
    }
)
"""How a tracer without a code of the standard is called if its text has one of the words."""

SRT_BY_ITS_HYPHEN = "-"
"""C-B1031 is of SNOMED RT, whose designator has been SNM3, 99SDM and SRT (PS3.16 section 8)."""


def tracer(instance: Instance) -> dict[str, str]:
    """Return `radionuclide` and `tracer`, as far as the object names them in a way that is known.

    By the meaning that PS3.16 has for their codes; a tracer without such a code by a word of WORDS.
    """
    stated = declared(instance)
    found = {name: _meaning(group, *stated[name][:2]) for name, (_, group) in CODES.items()}
    *_, text = stated["tracer"]
    found["tracer"] = found["tracer"] or _word(text.upper())
    return {name: meaning for name, meaning in found.items() if meaning}


def declared(instance: Instance) -> Mapping[str, tuple[str, str, str]]:
    """Return scheme, code and text of radionuclide and tracer: to be compared, not told."""
    try:
        items = list(instance.header.get(TRACER) or ())[:1]
        texts = [str(item.get(TRACER_TEXT) or "") for item in items]
        return {name: _stated(items, keyword, texts) for name, (keyword, _) in CODES.items()}
    except PYDICOM_FAILURES:
        return dict.fromkeys(CODES, ("", "", ""))


def _stated(items: Sequence[Any], keyword: str, texts: Sequence[str]) -> tuple[str, str, str]:
    found = [code for item in items for code in list(item.get(keyword) or ())[:1]]
    scheme, value, meaning = (
        "".join(str(code.get(name) or "").strip() for code in found)
        for name in ("CodingSchemeDesignator", "CodeValue", "CodeMeaning")
    )
    return scheme, value, " ".join([meaning, *texts])


def _meaning(group: str, scheme: str, value: str) -> str:
    stated = Code(value, "SRT" if SRT_BY_ITS_HYPHEN in value else scheme, "")
    known = getattr(codes, group).concepts.values()
    return next((str(each.meaning) for each in known if stated == each), "")


def _word(text: str) -> str:
    return next((name for name, words in WORDS.items() if any(word in text for word in words)), "")
