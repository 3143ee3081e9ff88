"""The parameters in a model's config.pbtxt, as text."""

import re
from collections.abc import Mapping
from pathlib import Path

PARAMETER = re.compile(r'key: "([^"]+)" value: \{ string_value: "([^"]*)"')


def stated_parameters(config: Path) -> dict[str, str]:
    """Return the parameters that a config.pbtxt of this project states."""
    return dict(PARAMETER.findall(config.read_text()))


def state_parameters(config: Path, changed: Mapping[str, str]) -> None:
    """Write other values of parameters that a config.pbtxt states already; KeyError for others."""
    text = config.read_text()
    for name, value in changed.items():
        stated = re.compile(rf'(key: "{re.escape(name)}" value: \{{ string_value: ")[^"]*')
        text, places = stated.subn(rf"\g<1>{value}", text)
        if not places:
            raise KeyError(name)
    config.write_text(text)
