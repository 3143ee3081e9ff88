"""The model repository as Triton gets it: what is to be served, with counts for this machine.

A folder of the launch, where each model is a link to its versions and a config.pbtxt of its own.
To load a model with another configuration through Triton's API would do until something loads an
ensemble that uses it: Triton 2.51 then takes the configuration of the file again.
"""

import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from imaging.cores import usable_cores
from tools.engine.command import NVIDIA_DEVICE
from tools.engine.sources import CONFIG, models_in, served_models

MOST_INSTANCES = 4
"""Of one model: beyond that, the network is what requests wait for."""

CONFIGS = "configs"
GPU_CONFIG = "gpu.pbtxt"
"""What some models want instead where there is a GPU, as `tritonserver --model-config-name=gpu`."""

RENEWED = "renewed"
"""A parameter that nothing reads: Triton loads a model anew only if its configuration differs."""


def instances(cores: int) -> int:
    """Return how many processes a model of ours gets, each of which works on one study at a time.

    One waits (for the study's bytes, for the network) while the other computes.
    """
    return 1 if cores == 1 else min(MOST_INSTANCES, max(2, cores // 2))


@dataclass
class PreparedRepository:
    """The folder that Triton reads: made of the models in `sources`, which stay as they are.

    sources: of two models of one name that of the later folder is taken.
    """

    sources: tuple[Path, ...]
    folder: Path

    def prepare(self) -> None:
        """Make the folder, with all models that are served."""
        self.folder.mkdir()
        for model in served_models(self.sources):
            self.add(model)

    def add(self, model: str) -> None:
        """Make or renew one model; Triton loads it anew if a file was touched, so few are."""
        folder = self.folder / model
        folder.mkdir(exist_ok=True)
        for version in self._source(model).glob("[0-9]*/"):
            link, target = folder / version.name, version.resolve()
            if link.is_symlink() and link.readlink() == target:
                continue
            link.unlink(missing_ok=True)
            link.symlink_to(target)
        self._write(model)

    def remove(self, model: str) -> None:
        """Take a model away, if it is there; Triton goes on serving one that it has loaded."""
        shutil.rmtree(self.folder / model, ignore_errors=True)

    def renew(self, model: str, number: int) -> None:
        """Change the configuration of a model so that a load brings up a new process for it."""
        self._write(model, number)

    def _source(self, model: str) -> Path:
        return models_in(self.sources)[model]

    def _write(self, model: str, number: int = 0) -> None:
        file = self._source(model) / CONFIGS / GPU_CONFIG
        if not NVIDIA_DEVICE.exists() or not file.exists():
            file = self._source(model) / CONFIG
        text = file.read_text()
        try:
            config = text_format.Parse(text, model_config_pb2.ModelConfig())
        except text_format.ParseError:  # of a newer Triton, or wrong: Triton itself says so
            self._replace(model, text)
            return
        for group in config.instance_group:
            if config.backend == "python" and not group.count:
                group.count = instances(usable_cores())
        if renewed := number or self._renewed(model):
            config.parameters[RENEWED].string_value = str(renewed)
        self._replace(model, text_format.MessageToString(config))

    def processes(self, model: str) -> int:
        """Return how many processes a model has when all is well."""
        return sum(group.count for group in self._read(model).instance_group) or 1

    def _renewed(self, model: str) -> str:
        """Return the number that a model was renewed with, empty if it never was."""
        return str(self._read(model).parameters[RENEWED].string_value)

    def _read(self, model: str) -> Any:
        """Return the configuration that Triton reads; an empty one where there is none."""
        config = model_config_pb2.ModelConfig()
        with suppress(FileNotFoundError, text_format.ParseError):
            text_format.Parse((self.folder / model / CONFIG).read_text(), config)
        return config

    def _replace(self, model: str, text: str) -> None:
        config = self.folder / model / CONFIG
        if not config.exists() or config.read_text() != text:
            config.write_text(text)
