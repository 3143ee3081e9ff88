"""Instances grouped into series, and which of them are image series that can be read here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from imaging.decoding.encapsulated import CODECS
from imaging.errors import InputError
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

MODALITIES = frozenset(CLASSIC_IMAGES.values())

REGIONS = {
    "1.2.840.10008.5.1.4.1.1.481.3": "an RTSTRUCT (regions of interest)",
    "1.2.840.10008.5.1.4.1.1.66.4": "a segmentation (regions of interest)",
    "1.2.840.10008.5.1.4.1.1.66.7": "a label map segmentation (regions of interest)",
}

OTHERS = REGIONS | {PARAMETRIC_MAP: "a parametric map of another modality"}
"""What is named where it is no image series."""

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
        return known.get(self.sop_class) or self.instances[0].text("Modality")


def group_series(instances: Iterable[Instance]) -> tuple[Series, ...]:
    """Return the series in order of first appearance; objects of two classes never share one."""
    groups: dict[tuple[str, ...], list[Instance]] = {}
    for instance in instances:
        key = ("StudyInstanceUID", "SeriesInstanceUID", "SOPClassUID", "PatientID")
        groups.setdefault(tuple(map(instance.text, key)), []).append(instance)
    return tuple(Series(tuple(group)) for group in groups.values())


def is_image(series: Series) -> bool:
    """Say whether the series holds images at all, readable here or not."""
    if series.sop_class == PARAMETRIC_MAP:
        return series.modality in MODALITIES
    return series.sop_class in CLASSIC_IMAGES or series.sop_class in ENHANCED_IMAGES


def without_copies(instances: Sequence[Instance]) -> tuple[Instance, ...]:
    """Return the instances with each SOPInstanceUID once; exports often hold files twice."""
    seen: dict[str, Instance] = {}
    for instance in instances:
        seen.setdefault(instance.text("SOPInstanceUID") or str(instance.entry.number), instance)
    return tuple(seen.values())


def refuse_unreadable(series: Series) -> None:
    """Refuse what is no image series, by name: `unsupported_object` or `localizer`."""
    if not is_image(series):
        what = OTHERS.get(series.sop_class, "an object without slices")
        raise InputError("unsupported_object", f"it is {what}; CT, MR and PT images are read")
    image_type = {value.upper() for value in series.instances[0].texts("ImageType")}
    if "LOCALIZER" in image_type:
        raise InputError("localizer", "it is a localizer, made for planning the scan")
    if "MOSAIC" in image_type and series.modality != "MR":
        raise InputError("unsupported_object", "it is a mosaic (several slices a picture), not MR")


def refuse_pixels(instances: Iterable[Instance]) -> None:
    """Refuse pixels that cannot be read: `unsupported_transfer_syntax`, `unsupported_pixels`."""
    for instance in instances:
        _refuse_compressed(instance)
        _refuse_odd_pixels(instance)


def _refuse_compressed(instance: Instance) -> None:
    syntax = instance.transfer_syntax
    if syntax not in UNCOMPRESSED and syntax not in CODECS:
        raise InputError(
            "unsupported_transfer_syntax",
            f"entry {instance.entry.number} is stored as {syntax.name} ({syntax}); uncompressed, "
            "deflated, RLE, JPEG, JPEG-LS and JPEG 2000 pixels are read",
        )


def _refuse_odd_pixels(instance: Instance) -> None:
    """Refuse several values a pixel, frames of a classic object, and odd numbers of bits.

    Whether 64 bits are a double, which is read, or a whole number, only the pixels tell.
    """
    where = f"entry {instance.entry.number}"
    if (samples := instance.count("SamplesPerPixel", 1)) != 1:
        raise InputError("unsupported_pixels", f"{where} has {samples} values a pixel")
    frames = instance.count("NumberOfFrames", 1)
    if frames != 1 and instance.text("SOPClassUID") in CLASSIC_IMAGES:
        raise InputError("unsupported_pixels", f"{where} has {frames} frames")
    if (bits := instance.count("BitsAllocated")) not in (8, 16, 32, 64):
        raise InputError("unsupported_pixels", f"{where} has {bits} bits a pixel")
