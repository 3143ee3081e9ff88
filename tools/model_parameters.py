"""The parameters in a model's config.pbtxt: read in whatever form, changed in the project's own."""

import re
from collections.abc import Mapping
from pathlib import Path

from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2


def stated_parameters(config: Path) -> dict[str, str]:
    """Return the parameters that a config.pbtxt states."""
    stated = text_format.Parse(config.read_text(), model_config_pb2.ModelConfig()).parameters
    return {name: value.string_value for name, value in stated.items()}


def state_parameters(config: Path, changed: Mapping[str, str]) -> None:
    """Write other values of parameters that a config.pbtxt states already; KeyError for others."""
    text = config.read_text()
    for name, value in changed.items():
        stated = re.compile(rf'(key: "{re.escape(name)}" value: \{{ string_value: ")[^"]*')
        text, places = stated.subn(rf"\g<1>{value}", text)
        if not places:
            raise KeyError(name)
    config.write_text(text)
