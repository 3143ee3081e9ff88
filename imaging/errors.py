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
        "unsupported_object": "Send CT, MR or PET images, classic or enhanced.",
        "unsupported_pixels": "Send one grey value a pixel, stored as whole numbers.",
        "unsupported_transfer_syntax": "Export the series uncompressed (explicit little endian).",
        "localizer": "Choose the series that was planned on this localizer.",
        "single_slice": "Send a series with two slices or more.",
        "mixed_geometry": "Send slices that share size, spacing and orientation as one series.",
        "same_position": "Send one time point, phase or echo a series.",
        "uneven_spacing": "Look for missing slices and send them all, or send lenient=true.",
        "gantry_tilt": "Send a reconstruction whose slices lie on one line.",
        "incomplete_stack": "Look for missing objects: this time point has fewer slices.",
        "not_magnitude": "Send the magnitude images; dicom_to_nifti converts others too.",
        "subtraction_image": "Send the images before subtraction; dicom_to_nifti converts both.",
        "empty_image": "Check the series: it has no foreground to take intensities from.",
        "suv_impossible": "Export the PET series with the attributes that the message names.",
        "untrained_modality": "Send allow=untrained_modality to get rows that say so.",
        "no_window": "Use a model that has an intensity window for this modality.",
        "unreadable_regions": "Export the RTSTRUCT or SEG again: what places it is broken.",
        "other_frame_of_reference": "Send the image series that the regions were drawn on.",
        "empty_region": "Draw the region, or leave it out: it holds no voxel's centre.",
        "region_outside_image": "Check that the regions belong to this image series.",
        "unusable_contours": "Draw the region as closed planar contours.",
        "oblique_contours": "Draw the region as planar, parallel contours, or as a DICOM SEG.",
        "unknown_series": "Take a SeriesInstanceUID of the report, or none for all series.",
        "not_chosen": "Leave out the option series to get every series.",
        "bad_option": "See the list of options and their values in the README.",
        "no_regions": "Leave out the options regions and roi to get rows of whole volumes.",
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
