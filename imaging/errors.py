"""The one error whose text is shown to whoever sent the study, and the list of its codes."""

import re
from collections.abc import Mapping
from types import MappingProxyType

REFUSALS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "busy": (
            "As many studies are waiting as the service takes (HTTP 503, gRPC UNAVAILABLE).",
            "Send the study again in a while.",
        ),
        "not_a_zip": (
            "The bytes are not those of a zip.",
            "Send the bytes of one zip file, not a folder, a single DICOM file or JSON.",
        ),
        "no_region": (
            "The region of shared memory that is named holds no study, or is not there.",
            "Send the bytes of the zip, or put them into a new region.",
        ),
        "zip_empty": (
            "The zip has no files in it.",
            "Zip the study's folder again: this zip has no files in it.",
        ),
        "zip_truncated": (
            "The zip ends before its list of entries.",
            "The end of the zip is missing: send it again, whole.",
        ),
        "zip_corrupt": (
            "An entry does not inflate, or not to its checksum.",
            "The zip is damaged: make it again from the DICOM files.",
        ),
        "zip_unsupported": (
            "The zip is encrypted, or compressed by another method.",
            "Zip without a password, by the methods stored or deflated.",
        ),
        "zip_unsafe": (
            "Entries of the zip overlap or lie outside it.",
            "Make the zip again with an ordinary program: its entries overlap.",
        ),
        "too_large": (
            "The zip, an object in it, or what is made of them is above a limit.",
            "Send fewer or smaller series in one zip, or raise the limit.",
        ),
        "too_many_entries": (
            "The zip has more entries than the limit.",
            "Send one study a zip, or raise the limit.",
        ),
        "no_dicom": (
            "No entry of the zip is a DICOM object.",
            "Zip the DICOM files themselves; nothing in this zip is DICOM.",
        ),
        "no_images": (
            "Its DICOM objects are reports, colour captures and the like.",
            "Add the image series: the zip has DICOM objects, but no images.",
        ),
        "regions_without_images": (
            "It has RTSTRUCT or SEG objects, and no image.",
            "Add the image series that the regions were drawn on.",
        ),
        "bad_attribute": (
            "An attribute is not what the standard says it is.",
            "Export the series again from the PACS: a needed value is broken.",
        ),
        "missing_attribute": (
            "An attribute that is needed is absent or empty.",
            "Export the series again from the PACS: a needed value is missing.",
        ),
        "bad_pixels": (
            "Pixel data are cut short, damaged, or not as they are declared.",
            "Export the series again from the PACS: the pixel data do not fit.",
        ),
        "unsupported_object": (
            "The object is no CT, MR or PET image with slices.",
            "Send CT, MR or PET images, classic or enhanced.",
        ),
        "unsupported_pixels": (
            "A pixel has several values, or bits that are not read.",
            "Send one grey value a pixel: 8, 16 or 32 bits, or floating point.",
        ),
        "unsupported_transfer_syntax": (
            "The pixels are encoded in a way that is not read.",
            "Export the series uncompressed (explicit little endian).",
        ),
        "localizer": (
            "ImageType says LOCALIZER: a picture for planning the scan.",
            "Choose the series that was planned on this localizer.",
        ),
        "single_slice": (
            "The volume would have one slice.",
            "Send a series with two slices or more.",
        ),
        "mixed_geometry": (
            "Slices of one volume differ in size, spacing or orientation.",
            "Send slices that share size, spacing and orientation as one series.",
        ),
        "same_position": (
            "Two slices lie at one place, and nothing tells them apart.",
            "Send one time point, phase or echo a series.",
        ),
        "uneven_spacing": (
            "Slices are missing: more than are interpolated.",
            "Look for missing slices and send them all, or send lenient=true.",
        ),
        "gantry_tilt": (
            "Slices slide sideways, and not along one line.",
            "Send a reconstruction whose slices lie on one line.",
        ),
        "incomplete_stack": (
            "A time point has fewer slices than the others.",
            "Look for missing objects: this time point has fewer slices.",
        ),
        "not_magnitude": (
            "An MR image of phase, or a real, imaginary or field map.",
            "Send the magnitude images, or allow=not_magnitude.",
        ),
        "subtraction_image": (
            "An MR image that is the difference of two.",
            "Send the images before subtraction, or allow=subtraction_image.",
        ),
        "empty_image": (
            "The series has no foreground to take a window from.",
            "Check the series: it has no foreground to take intensities from.",
        ),
        "suv_impossible": (
            "An attribute that SUVbw needs is absent, broken or contradicts another.",
            "Export the PET series with the attributes that the message names.",
        ),
        "untrained_modality": (
            "The model was not made for the modality.",
            "Send allow=untrained_modality to get rows that say so.",
        ),
        "no_window": (
            "The model has no intensity window for the modality, the map or its unit.",
            "Use a model that has an intensity window for this modality or map.",
        ),
        "unreadable_regions": (
            "An RTSTRUCT or SEG does not say where its regions lie.",
            "Export the RTSTRUCT or SEG again: what places it is broken.",
        ),
        "other_frame_of_reference": (
            "The regions lie in the space of other images.",
            "Send the image series that the regions were drawn on.",
        ),
        "empty_region": (
            "A region holds no voxel's centre.",
            "Draw the region, or leave it out: it holds no voxel's centre.",
        ),
        "region_outside_image": (
            "A region lies beside the image.",
            "Check that the regions belong to this image series.",
        ),
        "unusable_contours": (
            "Contours are open, or are not points in space.",
            "Draw the region as closed planar contours.",
        ),
        "oblique_contours": (
            "Contours are not planar, or not parallel to each other.",
            "Draw the region as planar, parallel contours, or as a DICOM SEG.",
        ),
        "unknown_series": (
            "The zip has no image series of that SeriesInstanceUID.",
            "Take a SeriesInstanceUID of the report, or none for all series.",
        ),
        "not_chosen": (
            "Another series of the modality was taken.",
            "Send series=all, or the series' UID, to get it too.",
        ),
        "ambiguous_series": (
            "Several series of one modality could be meant, and the rule does not rank them.",
            "Name the series that is meant by the option series, or send all.",
        ),
        "bad_option": (
            "An option of the request is not known, or has a value that is not.",
            "See the list of options and their values in the README.",
        ),
        "no_regions": (
            "Rows of regions were asked for, and there are none.",
            "Leave out the options regions and roi to get rows of whole volumes.",
        ),
        "no_rows": (
            "No series gives a row, for different reasons.",
            "See the reason of each series in the message.",
        ),
        "too_many_rows": (
            "The answer would be above the limit.",
            "Choose series with the option series, or send fewer in one zip.",
        ),
    }
)
"""Cause and remedy of each refusal. Codes are part of the contract: added, but never renamed."""


UID_FORM = re.compile(r"[0-9.]{1,64}", re.ASCII)
"""PS3.5 9.1."""


def shown_uid(uid: str) -> str:
    """Return a UID for a message; what is none may be any text, and is not shown."""
    return uid if UID_FORM.fullmatch(uid) else "(not a valid UID)"


class InputError(ValueError):
    """The input is at fault, and the message says how; safe to show to whoever sent it.

    The text is `code: sentence`. It never holds a value of a patient attribute or a file's name:
    zip entries are named by their number.
    """

    def __init__(self, code: str, sentence: str) -> None:
        if code not in REFUSALS:
            raise KeyError(code)
        super().__init__(f"{code}: {sentence}")
        self.code = code
        self.sentence = sentence
