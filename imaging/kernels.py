"""How sharp a CT reconstruction kernel is, as far as its name tells.

Makers name kernels in their own ways; what is not known here has no rank, and is not guessed. Ranks
are compared within one study, thus within the kernels of one maker.
"""

import re

from imaging.instances import Instance

SIEMENS = re.compile(r"[A-Z][a-z]?(\d\d)[a-z]?", re.ASCII)
"""B30f, H31s, Br40d, I70f: the number grows with sharpness."""

CANON = re.compile(r"FC(\d\d)", re.ASCII)
CANON_SOFT, CANON_SHARP = range(1, 20), {*range(30, 40), *range(50, 60), *range(80, 90)}
"""FC01 to FC19 are for the body's soft tissue; FC30, FC50 and FC80 and their like for bone and
lung. The others are for heads, and have no rank here."""

SHARPNESS = {
    # GE
    "SOFT": 20,
    "STANDARD": 30,
    "DETAIL": 50,
    "LUNG": 60,
    "BONE": 70,
    "BONEPLUS": 75,
    "EDGE": 80,
    # Philips
    "A": 20,
    "B": 30,
    "C": 40,
    "D": 50,
    "L": 60,
}
"""On the scale of Siemens' numbers; only the order counts."""


def sharpness(instance: Instance) -> int | None:
    """Return the rank of ConvolutionKernel, the higher the sharper; None if it is not known."""
    stated = instance.stated("ConvolutionKernel")
    name = stated[0].upper() if stated else ""
    if name in SHARPNESS:
        return SHARPNESS[name]
    if found := CANON.fullmatch(name):
        number = int(found[1])
        return 30 if number in CANON_SOFT else 60 if number in CANON_SHARP else None
    if found := SIEMENS.fullmatch(stated[0] if stated else ""):
        return int(found[1])
    return None
