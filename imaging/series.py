"""Instances grouped into series, and which of them are image series that can be read here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from imaging.errors import InputError
from imaging.instances import Instance

CLASSIC_IMAGES = {
    "1.2.840.10008.5.1.4.1.1.2": "CT",
    "1.2.840.10008.5.1.4.1.1.4": "MR",
    "1.2.840.10008.5.1.4.1.1.128": "PT",
}
"""SOP classes of one slice an object, with their modality (PS3.4 B.5)."""

OTHER_IMAGES = {
    "1.2.840.10008.5.1.4.1.1.2.1": "an enhanced CT (several slices an object)",
    "1.2.840.10008.5.1.4.1.1.2.2": "a legacy converted CT (several slices an object)",
    "1.2.840.10008.5.1.4.1.1.4.1": "an enhanced MR (several slices an object)",
    "1.2.840.10008.5.1.4.1.1.4.4": "a legacy converted MR (several slices an object)",
    "1.2.840.10008.5.1.4.1.1.130": "an enhanced PET (several slices an object)",
    "1.2.840.10008.5.1.4.1.1.128.1": "a legacy converted PET (several slices an object)",
}

REGIONS = {
    "1.2.840.10008.5.1.4.1.1.481.3": "an RTSTRUCT (regions of interest)",
    "1.2.840.10008.5.1.4.1.1.66.4": "a segmentation (regions of interest)",
    "1.2.840.10008.5.1.4.1.1.66.7": "a label map segmentation (regions of interest)",
}

UNCOMPRESSED = {"1.2.840.10008.1.2": "<", "1.2.840.10008.1.2.1": "<", "1.2.840.10008.1.2.2": ">"}
"""Transfer syntaxes whose pixels are plain numbers, with their byte order (PS3.5 A.1 to A.3)."""


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
        return CLASSIC_IMAGES.get(self.sop_class) or self.instances[0].text("Modality")


def group_series(instances: Iterable[Instance]) -> tuple[Series, ...]:
    """Return the series in order of first appearance; objects of two classes never share one."""
    groups: dict[tuple[str, ...], list[Instance]] = {}
    for instance in instances:
        key = ("StudyInstanceUID", "SeriesInstanceUID", "SOPClassUID", "PatientID")
        groups.setdefault(tuple(map(instance.text, key)), []).append(instance)
    return tuple(Series(tuple(group)) for group in groups.values())


def is_image(series: Series) -> bool:
    """Say whether the series holds images at all, readable here or not."""
    return series.sop_class in CLASSIC_IMAGES or series.sop_class in OTHER_IMAGES


def without_copies(instances: Sequence[Instance]) -> tuple[Instance, ...]:
    """Return the instances with each SOPInstanceUID once; exports often hold files twice."""
    seen: dict[str, Instance] = {}
    for instance in instances:
        seen.setdefault(instance.text("SOPInstanceUID") or str(instance.entry.number), instance)
    return tuple(seen.values())


def refuse_unreadable(series: Series) -> None:
    """Refuse what is no plain image series, by name: `unsupported_…` or `localizer`."""
    if series.sop_class not in CLASSIC_IMAGES:
        what = (OTHER_IMAGES | REGIONS).get(series.sop_class, "an object without slices")
        raise InputError("unsupported_object", f"it is {what}; classic CT, MR and PT are read")
    image_type = {value.upper() for value in series.instances[0].texts("ImageType")}
    if "LOCALIZER" in image_type:
        raise InputError("localizer", "it is a localizer, made for planning the scan")
    if "MOSAIC" in image_type:
        raise InputError("unsupported_object", "it is a Siemens mosaic (several slices a picture)")
    for instance in series.instances:
        _refuse_compressed(instance)
        _refuse_odd_pixels(instance)


def _refuse_compressed(instance: Instance) -> None:
    syntax = instance.transfer_syntax
    if syntax not in UNCOMPRESSED:
        raise InputError(
            "unsupported_transfer_syntax",
            f"entry {instance.entry.number} is stored as {syntax.name} ({syntax}); "
            "uncompressed pixels are read",
        )


def _refuse_odd_pixels(instance: Instance) -> None:
    """Refuse several values a pixel, several frames, and numbers that are not 8, 16 or 32 bit."""
    where = f"entry {instance.entry.number}"
    if (samples := instance.count("SamplesPerPixel", 1)) != 1:
        raise InputError("unsupported_pixels", f"{where} has {samples} values a pixel")
    if (frames := instance.count("NumberOfFrames", 1)) != 1:
        raise InputError("unsupported_pixels", f"{where} has {frames} frames")
    if (bits := instance.count("BitsAllocated")) not in (8, 16, 32):
        raise InputError("unsupported_pixels", f"{where} has {bits} bits a pixel")
