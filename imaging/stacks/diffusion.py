"""The b-value of a slice, also where makers state it in elements of their own."""

from imaging.headers import PYDICOM_FAILURES
from imaging.instances import Instance

PRIVATE = (
    (0x00190010, "SIEMENS MR HEADER", 0x0019100C),
    (0x00430010, "GEMS_PARM_01", 0x00431039),
    (0x20010010, "Philips Imaging DD 001", 0x20011003),
)
"""Who signed them, and the element: of GE the first of several values."""

GE_FLAG = 100_000
"""GE adds 10^9 to b-values in some versions: what is above this is no b-value."""


def b_value(instance: Instance) -> str:
    """Return the b-value in s/mm² as text, "" if none is stated."""
    stated = instance.text("DiffusionBValue")
    return stated or next(filter(None, (_private(instance, *each) for each in PRIVATE)), "")


def _private(instance: Instance, creator_tag: int, creator: str, tag: int) -> str:
    try:
        if str(instance.header[creator_tag].value).strip() != creator:
            return ""
        value = instance.header[tag].value
        if isinstance(value, bytes):
            value = value.decode("ascii").rstrip("\0").split("\\")
        first = value if isinstance(value, (str, int, float)) else value[0]
        return f"{float(first) % GE_FLAG:g}"
    except PYDICOM_FAILURES:
        return ""
