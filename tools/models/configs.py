"""The configurations of a pair and its ensemble: as those of the project's own model.

What differs between feature models is a parameter or a length; everything else is taken from the
configurations that the project ships, so that a published model is served as they are.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from tools.engine.repository import CONFIGS, GPU_CONFIG
from tools.engine.sources import CONFIG
from tools.locations import data_folder
from tools.model_parameters import stated_parameters
from tools.models.names import Version

TEMPLATE = Version("ct3dcnn", 1)


def shipped(model: str, file: str = CONFIG) -> Path:
    """Return a configuration of the project's own."""
    return data_folder("model_repository") / model / file


def read_config(file: Path) -> Any:
    """Return the configuration in a file, as a ModelConfig of Triton's protocol."""
    return text_format.Parse(file.read_text(), model_config_pb2.ModelConfig())


def parameters_of(model: Path) -> dict[str, str]:
    """Return the parameters of the model in a folder."""
    return stated_parameters(model / CONFIG)


def preprocess_config(parameters: Mapping[str, str], shape: Sequence[int]) -> str:
    """Return the configuration of a preprocessing.

    shape: of the network's input, without rows, its channel last.
    """
    config = read_config(shipped(TEMPLATE.preprocess))
    config.output[0].dims[:] = [-1, *shape]
    config.parameters.clear()
    for name, value in parameters.items():
        config.parameters[name].string_value = value
    return _text(config)


def extractor_configs(shape: Sequence[int], features: int, *, engine: str) -> dict[str, str]:
    """Return the configurations of a network by their file, that for a GPU among them."""
    texts = {}
    for file in (CONFIG, f"{CONFIGS}/{GPU_CONFIG}"):
        config = read_config(shipped(TEMPLATE.extractor, file))
        config.input[0].dims[:] = shape
        config.output[0].dims[:] = [features]
        config.parameters["engine"].string_value = engine
        texts[file] = _text(config)
    return texts


def ensemble_config(version: Version, extractor: Path) -> str:
    """Return the configuration of an ensemble of one version, whatever the ensemble's name is.

    extractor: the folder of its network.
    """
    config = read_config(shipped(TEMPLATE.name))
    config.output[0].dims[:] = [-1, *read_config(extractor / CONFIG).output[0].dims]
    for step, part in zip(config.ensemble_scheduling.step, version.parts, strict=True):
        step.model_name = part
    return _text(config)


def _text(config: Any) -> str:
    return str(text_format.MessageToString(config))
