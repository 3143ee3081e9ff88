"""Triton model: a DICOM zip in; the network's input, one volume a row, out."""

from imaging.instances import quiet_pydicom
from imaging.preprocess import feature_inputs
from imaging.recipe import Recipe
from imaging.serving import (
    bytes_of,
    documents,
    each_request,
    limits,
    options,
    parameters,
    scanner_key,
    stacked,
    strings,
)


class TritonPythonModel:
    """Adapter only: what is computed, and why, is in imaging/preprocess.py."""

    def initialize(self, args):
        stated = parameters(args)
        self.recipe = Recipe.from_parameters(stated)
        self.limits = limits(stated)
        self.scanner_key = scanner_key()
        quiet_pydicom()

    @each_request
    def execute(self, request):
        rows = feature_inputs(
            bytes_of(request, "DICOM_ZIP"),
            recipe=self.recipe,
            options=options(request),
            limits=self.limits,
            scanner_key=self.scanner_key,
        )
        return [
            stacked("VOLUMES", rows.volumes),
            documents("ROWS", rows.labels),
            documents("REPORT", [rows.report]),
            strings("PREVIEW", rows.previews),
        ]
