"""Triton backend "tensorflow": serves a SavedModel, `<version>/model.savedmodel/`, with Python.

Triton loads this file, as a Python-based backend, for every model whose config.pbtxt says
`backend: "tensorflow"`. README.md beside it has the parameters. Only this file knows Triton.
"""

import json
from pathlib import Path

import tf_service
import triton_python_backend_utils as pb_utils
from tf_errors import InputError, SavedModelError


class TritonPythonModel:
    """Adapter only: what a model computes, and with what, is in tf_service.py."""

    @staticmethod
    def auto_complete_config(config):
        try:
            found = tf_service.completion(config.as_dict(), Path(pb_utils.get_model_dir()))
        except SavedModelError as error:
            raise pb_utils.TritonModelException(str(error)) from None
        config.set_max_batch_size(found.max_batch_size)
        for tensor in found.inputs:
            config.add_input(tensor)
        for tensor in found.outputs:
            config.add_output(tensor)
        return config

    def initialize(self, args):
        try:
            self.service = tf_service.load(
                json.loads(args["model_config"]),
                Path(pb_utils.get_model_dir()),
                wants_gpu=args["model_instance_kind"] == "GPU",
                device=args["model_instance_device_id"],
            )
        except SavedModelError as error:
            raise pb_utils.TritonModelException(str(error)) from None
        name = f"{args['model_instance_name']}, version {args['model_version']}"
        pb_utils.Logger.log_info(f"{name}: {self.service.description}")
        for warning in self.service.warnings:
            pb_utils.Logger.log_warn(f"{name}: {warning}")

    def execute(self, requests):
        answers = self.service.answers([self._inputs(request) for request in requests])
        return [self._respond(*pair) for pair in zip(requests, answers, strict=True)]

    def _inputs(self, request):
        return {
            tensor.name(): self.service.engine.array_of_bfloat16(tensor.to_dlpack())
            if self.service.is_bfloat16(tensor.name())
            else tensor.as_numpy()
            for tensor in request.inputs()
        }

    def _respond(self, request, answer):
        try:
            if isinstance(answer, Exception):
                raise answer
            wanted = request.requested_output_names()
            return pb_utils.InferenceResponse(
                [self._tensor(name, values) for name, values in answer.items() if name in wanted]
            )
        except InputError as error:
            return _failure(str(error), pb_utils.TritonError.INVALID_ARG)
        except Exception as error:
            what = self.service.description_of_failure(error)
            pb_utils.Logger.log_error(f"request {request.request_id()!r} failed: {what}")
            return _failure("internal error: the model failed", pb_utils.TritonError.INTERNAL)

    def _tensor(self, name, values):
        if self.service.is_bfloat16(name):
            return pb_utils.Tensor.from_dlpack(
                name, self.service.engine.capsule_of_bfloat16(values)
            )
        return pb_utils.Tensor(name, values)


def _failure(text, code):
    return pb_utils.InferenceResponse(error=pb_utils.TritonError(text, code))
