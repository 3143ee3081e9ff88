"""The model repository as Triton gets it: the project's models, with counts for this machine.

A folder of the launch, where each model is a link to its versions and a config.pbtxt of its own.
To load a model with another configuration through Triton's API would do until something loads an
ensemble that uses it: Triton 2.51 then takes the configuration of the file again.
"""

from dataclasses import dataclass
from pathlib import Path

from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from imaging.cores import usable_cores
from tools.engine.command import NVIDIA_DEVICE

MOST_INSTANCES = 4
"""Of one model: beyond that, the network is what requests wait for."""

CONFIG = "config.pbtxt"
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
    """The folder that Triton reads: made of the models in `source`, which stay as they are."""

    source: Path
    folder: Path

    def prepare(self) -> None:
        """Make the folder, with all models."""
        self.folder.mkdir()
        for model in self.source.iterdir():
            if model.is_dir():
                self.add(model.name)

    def add(self, model: str) -> None:
        """Make or renew one model."""
        folder = self.folder / model
        folder.mkdir(exist_ok=True)
        for file in (self.source / model).iterdir():
            link = folder / file.name
            if file.name not in (CONFIG, CONFIGS) and not link.is_symlink():
                link.symlink_to(file.resolve())
        self._write(model)

    def renew(self, model: str, number: int) -> None:
        """Change the configuration of a model so that a load brings up a new process for it."""
        self._write(model, number)

    def _write(self, model: str, number: int = 0) -> None:
        file = self.source / model / CONFIGS / GPU_CONFIG
        if not NVIDIA_DEVICE.exists() or not file.exists():
            file = self.source / model / CONFIG
        if not file.exists():
            return
        text = file.read_text()
        try:
            config = text_format.Parse(text, model_config_pb2.ModelConfig())
        except text_format.ParseError:  # of a newer Triton, or wrong: Triton itself says so
            (self.folder / model / CONFIG).write_text(text)
            return
        for group in config.instance_group:
            if config.backend == "python" and not group.count:
                group.count = instances(usable_cores())
        if number:
            config.parameters[RENEWED].string_value = str(number)
        (self.folder / model / CONFIG).write_text(text_format.MessageToString(config))
