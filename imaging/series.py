"""Instances grouped into series, and which of them are image series that can be read here."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pydicom.uid import UID

from imaging.attributes import GEOMETRY
from imaging.decoding.element import float_bits, pixel_element
from imaging.decoding.encapsulated import CODECS
from imaging.decoding.layout import PixelLayout
from imaging.errors import InputError, shown_uid
from imaging.instances import Instance

CLASSIC_IMAGES = {
    "1.2.840.10008.5.1.4.1.1.2": "CT",
    "1.2.840.10008.5.1.4.1.1.4": "MR",
    "1.2.840.10008.5.1.4.1.1.128": "PT",
}
"""SOP classes of one slice an object, with their modality (PS3.4 B.5)."""

ENHANCED_PET = "1.2.840.10008.5.1.4.1.1.130"

ENHANCED_IMAGES = {
    "1.2.840.10008.5.1.4.1.1.2.1": "CT",
    "1.2.840.10008.5.1.4.1.1.2.2": "CT",
    "1.2.840.10008.5.1.4.1.1.4.1": "MR",
    "1.2.840.10008.5.1.4.1.1.4.4": "MR",
    ENHANCED_PET: "PT",
    "1.2.840.10008.5.1.4.1.1.128.1": "PT",
}
"""SOP classes of several slices an object, enhanced and legacy converted, with their modality."""

PARAMETRIC_MAP = "1.2.840.10008.5.1.4.1.1.30"
"""Slices as an enhanced object has them, of any modality, with a map to a unit (PS3.3 A.75)."""

MODALITY = re.compile(r"[A-Z0-9_]{0,16}", re.ASCII)
"""The form of the defined terms (PS3.3 C.7.3.1.1.1); other text is not told."""

MODALITIES = frozenset(CLASSIC_IMAGES.values())

REGIONS = {
    "1.2.840.10008.5.1.4.1.1.481.3": "an RTSTRUCT (regions of interest)",
    "1.2.840.10008.5.1.4.1.1.66.4": "a segmentation (regions of interest)",
    "1.2.840.10008.5.1.4.1.1.66.7": "a label map segmentation (regions of interest)",
}

OTHERS = REGIONS | {PARAMETRIC_MAP: "a parametric map of another modality"}
"""What is named where it is no image series; other objects by their class."""

PLACING = (
    *GEOMETRY,
    "PerFrameFunctionalGroupsSequence",
    "RealWorldValueMappingSequence",
    "RescaleIntercept",
    "RescaleSlope",
    "SharedFunctionalGroupsSequence",
)
"""Where pixels lie, and what they mean: copies of an object agree in that."""

LAYOUT = (
    "BitsAllocated",
    "BitsStored",
    "Columns",
    "HighBit",
    "NumberOfFrames",
    "PhotometricInterpretation",
    "PixelRepresentation",
    "Rows",
    "SamplesPerPixel",
    "SOPClassUID",
)
"""What decides whether pixels can be read."""

UNCOMPRESSED = {
    "1.2.840.10008.1.2": "<",
    "1.2.840.10008.1.2.1": "<",
    "1.2.840.10008.1.2.1.99": "<",
    "1.2.840.10008.1.2.2": ">",
}
"""Transfer syntaxes whose pixels are plain numbers, with their byte order (PS3.5 A.1 to A.3, A.5).

The third is the deflated one: entries are inflated where they are read.
"""


@dataclass(frozen=True)
class Series:
    """The objects of one SeriesInstanceUID of one study, in the order of the zip."""

    instances: tuple[Instance, ...]

    @property
    def patient_id(self) -> str:
        return self.instances[0].text("PatientID")

    @property
    def study_uid(self) -> str:
        return self.instances[0].text("StudyInstanceUID")

    @property
    def series_uid(self) -> str:
        return self.instances[0].text("SeriesInstanceUID")

    @property
    def sop_class(self) -> str:
        return self.instances[0].text("SOPClassUID")

    @property
    def modality(self) -> str:
        """The modality of the SOP class; for other objects what they say themselves."""
        known = CLASSIC_IMAGES | ENHANCED_IMAGES
        stated = self.instances[0].text("Modality")
        return known.get(self.sop_class) or (stated if MODALITY.fullmatch(stated) else "")


def group_series(instances: Iterable[Instance]) -> tuple[Series, ...]:
    """Return the series in order of first appearance.

    Objects of two classes never share one, nor do a localizer and the slices planned on it, nor
    a picture of the screen and the slices that it shows.
    """
    groups: dict[tuple[object, ...], list[Instance]] = {}
    for instance in instances:
        key = map(
            instance.text, ("StudyInstanceUID", "SeriesInstanceUID", "SOPClassUID", "PatientID")
        )
        parts = (_is_localizer(instance), _is_screen(instance))
        groups.setdefault((*key, *parts), []).append(instance)
    return tuple(Series(tuple(group)) for group in groups.values())


def _is_localizer(instance: Instance) -> bool:
    return "LOCALIZER" in map(str.upper, instance.stated("ImageType"))


def _is_screen(instance: Instance) -> bool:
    """Say whether an object of one slice is derived from others and has no place: a protocol page.

    A slice that should have a place, and has none, stays among the others, which are refused then.
    """
    return (
        instance.text("SOPClassUID") in CLASSIC_IMAGES
        and "SECONDARY" in map(str.upper, instance.stated("ImageType")[:2])
        and not instance.stated("ImagePositionPatient")
    )


def is_image(series: Series) -> bool:
    """Say whether the series holds images at all, readable here or not."""
    if series.sop_class == PARAMETRIC_MAP:
        return series.modality in MODALITIES
    return series.sop_class in CLASSIC_IMAGES or series.sop_class in ENHANCED_IMAGES


def without_copies(instances: Sequence[Instance]) -> tuple[Instance, ...]:
    """Return the instances with each SOPInstanceUID once; exports often hold files twice.

    Refuses objects that have the UID of another, but are no copy of it.
    """
    seen: dict[str, Instance] = {}
    for instance in instances:
        uid = instance.text("SOPInstanceUID") or str(instance.entry.number)
        first = seen.setdefault(uid, instance)
        if first is not instance and not _is_copy(first, instance):
            raise InputError(
                "bad_attribute",
                f"entries {first.entry.number} and {instance.entry.number} have one "
                "SOPInstanceUID, but are not the same",
            )
    return tuple(seen.values())


def _is_copy(first: Instance, other: Instance) -> bool:
    """Say whether two objects are one: byte by byte, or in what pixels are and where they lie.

    Pixels are compared as they are stored: those of two transfer syntaxes are not.
    """
    if first.entry.crc == other.entry.crc:
        return True
    if not all(first.equals(other, keyword) for keyword in PLACING):
        return False
    if first.transfer_syntax != other.transfer_syntax:
        return True
    return _encoded_pixels(first) == _encoded_pixels(other)


def _encoded_pixels(instance: Instance) -> memoryview:
    order = UNCOMPRESSED.get(instance.transfer_syntax, "<")
    return pixel_element(instance, order, bits=float_bits(instance, order)).value


def refuse_unreadable(series: Series) -> None:
    """Refuse what is no image series, by name: `unsupported_object` or `localizer`."""
    if not is_image(series):
        what = OTHERS.get(series.sop_class) or _class_name(series)
        raise InputError("unsupported_object", f"it is {what}; CT, MR and PT images are read")
    if _is_localizer(series.instances[0]):
        raise InputError("localizer", "it is a localizer, made for planning the scan")
    is_mosaic = any("MOSAIC" in each.stated("ImageType") for each in series.instances)
    if is_mosaic and series.modality != "MR":
        raise InputError("unsupported_object", "it is a mosaic (several slices a picture), not MR")


def _class_name(series: Series) -> str:
    name = UID(series.sop_class).name
    return "of an unknown class" if name == series.sop_class else f"of the class {name}"


def refuse_pixels(instances: Iterable[Instance]) -> None:
    """Refuse pixels that cannot be read: `unsupported_transfer_syntax`, `unsupported_pixels`."""
    checked = set()
    for instance in instances:
        statement = (instance.transfer_syntax, instance.statement(LAYOUT))
        if statement in checked:
            continue
        _refuse_compressed(instance)
        layout = _refuse_odd_pixels(instance)
        if layout.bits_allocated < 32:  # for more, the element of the pixels has to be looked at
            checked.add(statement)


def _refuse_compressed(instance: Instance) -> None:
    syntax = instance.transfer_syntax
    if syntax not in UNCOMPRESSED and syntax not in CODECS:
        raise InputError(
            "unsupported_transfer_syntax",
            f"entry {instance.entry.number} is stored as {_syntax_name(syntax)}; uncompressed, "
            "deflated, RLE, JPEG, JPEG-LS and JPEG 2000 pixels are read",
        )


def _syntax_name(syntax: UID) -> str:
    return shown_uid(syntax) if syntax.name == syntax else f"{syntax.name} ({syntax})"


def _refuse_odd_pixels(instance: Instance) -> PixelLayout:
    """Refuse what is not laid out as one grey value a pixel, and frames of a classic object."""
    order = UNCOMPRESSED.get(instance.transfer_syntax, "<")
    layout = PixelLayout.of(instance, float_bits(instance, order))
    if layout.frames != 1 and instance.text("SOPClassUID") in CLASSIC_IMAGES:
        raise InputError(
            "unsupported_pixels", f"entry {layout.entry_number} has {layout.frames} frames"
        )
    return layout
