"""The content of one zip: its image series, and what else was found."""

from collections.abc import Sequence
from dataclasses import dataclass

from imaging.archive import Entry, Limits, open_archive
from imaging.errors import InputError
from imaging.headers import Known
from imaging.instances import Instance, read_instance
from imaging.series import REGIONS, Series, group_series, is_image

ZIP = b"PK\x03\x04"
"""How a zip begins."""


@dataclass(frozen=True)
class Study:
    """All series of a zip; of one study or of several, told apart by their UIDs.

    not_dicom: numbers of the zip's entries that are not DICOM, or could not be read as such.
    """

    series: tuple[Series, ...]
    not_dicom: tuple[int, ...]
    limits: Limits

    @classmethod
    def from_zip(cls, buffer: memoryview, limits: Limits) -> "Study":
        """Return what a zip holds, read from the headers alone; refuse a zip without images."""
        instances: list[Instance] = []
        not_dicom: list[Entry] = []
        known = Known()
        for entry in open_archive(buffer, limits):
            instance = read_instance(entry, limits, known=known)
            if instance is None:
                not_dicom.append(entry)
            else:
                instances.append(instance)
        if not instances:
            raise _no_dicom(not_dicom)
        numbers = tuple(entry.number for entry in not_dicom)
        study = cls(group_series(instances), numbers, limits)
        study._refuse_without_images()
        return study

    def _refuse_without_images(self) -> None:
        if any(is_image(series) for series in self.series):
            return
        found = sum(len(series.instances) for series in self.series)
        if any(series.sop_class in REGIONS for series in self.series):
            raise InputError(
                "regions_without_images",
                "the zip has regions of interest, but not the images they were drawn on",
            )
        raise InputError("no_images", f"the zip has {found} DICOM objects, but no image among them")


def _no_dicom(entries: Sequence[Entry]) -> InputError:
    zips = sum(entry.open(len(ZIP)).read() == ZIP for entry in entries)
    inner = f"; {zips} are zips themselves, which are not opened: send each" if zips else ""
    return InputError("no_dicom", f"none of the {len(entries)} files in the zip is DICOM{inner}")
