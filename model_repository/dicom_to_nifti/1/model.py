"""Triton model: a DICOM zip in; one .nii.gz file an image series out."""

from imaging.instances import quiet_pydicom
from imaging.preprocess import nifti_files
from imaging.serving import (
    bytes_of,
    documents,
    each_request,
    limits,
    options,
    parameters,
    scanner_key,
    strings,
)


class TritonPythonModel:
    """Adapter only: what is computed, and why, is in imaging/preprocess.py."""

    def initialize(self, args):
        self.limits = limits(parameters(args))
        self.scanner_key = scanner_key()
        quiet_pydicom()

    @each_request
    def execute(self, request):
        rows = nifti_files(
            bytes_of(request, "DICOM_ZIP"),
            options=options(request),
            limits=self.limits,
            scanner_key=self.scanner_key,
        )
        return [
            strings("NIFTI", rows.files),
            documents("ROWS", rows.labels),
            documents("REPORT", [rows.report]),
        ]
