"""MR images whose numbers are physical: maps of diffusion (ADC) and of relaxation times (T1, T2).

They keep their unit, and no window by percentiles: what is normalised by itself is no measurement.
"""

from types import MappingProxyType

from imaging.instances import Instance

MAPS = MappingProxyType(
    {
        "ADC": "ADC",
        "ADC MAP": "ADC",
        "T1 MAP": "T1",
        "T2 MAP": "T2",
        "T2 STAR MAP": "T2star",
    }
)
"""What values of ImageType from the third on say, with spaces for underscores; T1 and T2 alone are
weightings (PS3.3 C.8.13.3.1)."""


def map_kind(instance: Instance) -> str:
    """Return which map an MR object or slice is, "" if it is another image."""
    values = (text.upper().replace("_", " ") for text in instance.stated("ImageType")[2:])
    return next((MAPS[value] for value in values if value in MAPS), "")
