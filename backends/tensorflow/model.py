"""Triton backend "tensorflow": serves a SavedModel, `<version>/model.savedmodel/`, with Python.

Triton loads this file, as a Python-based backend, for every model whose config.pbtxt says
`backend: "tensorflow"`. README.md beside it has the parameters.
"""

import json
from pathlib import Path

import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    """Adapter only: what is computed is in tf_savedmodel.py."""

    def initialize(self, args):
        # Imported here: Triton imports this file once more just to complete configurations.
        from tf_savedmodel import SavedModel

        config = json.loads(args["model_config"])
        parameters = {
            name: value["string_value"] for name, value in config.get("parameters", {}).items()
        }
        self.outputs = [output["name"] for output in config["output"]]
        self.model = SavedModel(
            Path(args["model_repository"], args["model_version"], "model.savedmodel"),
            signature=parameters.get("signature", "serving_default"),
            rows_at_once=int(parameters.get("rows_at_once", "0")),
        )

    def execute(self, requests):
        return [self._respond(request) for request in requests]

    def _respond(self, request):
        inputs = {tensor.name(): tensor.as_numpy() for tensor in request.inputs()}
        try:
            outputs = self.model(inputs)
        except Exception as error:
            pb_utils.Logger.log_error(f"{type(error).__name__}: {error}")
            message = f"{type(error).__name__} in the SavedModel; the server's log has its text"
            return pb_utils.InferenceResponse(error=pb_utils.TritonError(message))
        wanted = set(request.requested_output_names())
        return pb_utils.InferenceResponse(
            [pb_utils.Tensor(name, outputs[name]) for name in self.outputs if name in wanted]
        )
