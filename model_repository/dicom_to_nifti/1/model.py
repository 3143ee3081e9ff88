"""Triton model: a DICOM zip in; one .nii.gz file an image series out."""

from imaging import serving
from imaging.preprocess import nifti_files


class TritonPythonModel:
    """Adapter only: what is computed, and why, is in imaging/preprocess.py."""

    def initialize(self, args):
        self.name = args["model_name"]
        self.limits = serving.limits(serving.parameters(args))
        self.scanner_key = serving.scanner_key()
        serving.set_up_process()

    @serving.each_request
    def execute(self, request):
        rows = nifti_files(
            serving.study_of(request, "DICOM_ZIP"),
            options=serving.options(request),
            limits=self.limits,
            scanner_key=self.scanner_key,
        )
        return [
            serving.strings("NIFTI", rows.files),
            serving.documents("ROWS", rows.labels),
            serving.documents("REPORT", [rows.report]),
        ]
