"""Triton model: a DICOM zip in; the network's input, one volume a row, out."""

from imaging import serving
from imaging.preprocess import feature_inputs
from imaging.recipe import Recipe


class TritonPythonModel:
    """Adapter only: what is computed, and why, is in imaging/preprocess.py."""

    def initialize(self, args):
        self.name = args["model_name"]
        stated = serving.parameters(args)
        self.recipe = Recipe.from_parameters(stated)
        self.limits = serving.limits(stated)
        self.scanner_key = serving.scanner_key()
        serving.set_up_process()

    @serving.each_request
    def execute(self, request):
        rows = feature_inputs(
            serving.study_of(request, "DICOM_ZIP"),
            recipe=self.recipe,
            options=serving.options(request),
            limits=self.limits,
            scanner_key=self.scanner_key,
        )
        return [
            serving.stacked("VOLUMES", rows.volumes),
            serving.documents("ROWS", rows.labels),
            serving.documents("REPORT", [rows.report]),
            serving.strings("PREVIEW", rows.previews),
        ]
