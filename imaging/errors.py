"""The one error whose text is shown to whoever sent the study, and the list of its codes."""

from types import MappingProxyType

REFUSALS = MappingProxyType(
    {
        "not_a_zip": "Send the bytes of one zip file, not a folder, a single DICOM file or JSON.",
        "zip_empty": "Zip the study's folder again: this zip has no files in it.",
        "zip_truncated": "The end of the zip is missing: send it again, whole.",
        "zip_corrupt": "The zip is damaged: make it again from the DICOM files.",
        "zip_unsupported": "Zip without a password, by the methods stored or deflated.",
        "zip_unsafe": "Make the zip again with an ordinary program: its entries overlap.",
        "too_large": "Send fewer or smaller series in one zip, or raise the limit.",
        "too_many_entries": "Send one study a zip, or raise the limit.",
        "no_dicom": "Zip the DICOM files themselves; nothing in this zip is DICOM.",
        "no_images": "Add the image series: the zip has DICOM objects, but no images.",
        "regions_without_images": "Add the image series that the regions were drawn on.",
        "bad_attribute": "Export the series again from the PACS: a needed value is broken.",
        "missing_attribute": "Export the series again from the PACS: a needed value is missing.",
        "bad_pixels": "Export the series again from the PACS: the pixel data do not fit.",
        "unsupported_object": "Send classic CT, MR or PET image series.",
        "unsupported_pixels": "Send one grey value a pixel, stored as whole numbers.",
        "unsupported_transfer_syntax": "Export the series uncompressed (explicit little endian).",
        "localizer": "Choose the series that was planned on this localizer.",
        "single_slice": "Send a series with two slices or more.",
        "mixed_geometry": "Send slices of one size, spacing and orientation as one series.",
        "same_position": "Send one time point, phase or echo a series.",
        "uneven_spacing": "Look for missing slices, and export the series again.",
        "gantry_tilt": "Send a reconstruction without gantry tilt.",
        "empty_image": "Check the series: it has no foreground to take intensities from.",
        "suv_impossible": "Export the PET series with the attributes that the message names.",
        "untrained_modality": "Send allow=untrained_modality to get rows that say so.",
        "no_window": "Use a model that has an intensity window for this modality.",
        "unknown_series": "Take a SeriesInstanceUID of the report, or none for all series.",
        "not_chosen": "Leave out the option series to get every series.",
        "bad_option": "See the list of options and their values in the README.",
        "no_rows": "See the reason of each series in the message.",
        "too_many_rows": "Choose series with the option series, or send fewer in one zip.",
    }
)
"""What to do about each refusal. Codes are part of the contract: added, but never renamed."""


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
