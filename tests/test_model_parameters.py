"""Parameters of a config.pbtxt are read and written without touching the rest of the file."""

import pytest

from tools.locations import data_folder
from tools.model_parameters import state_parameters, stated_parameters

CONFIG = data_folder("model_repository") / "ct3dcnn__v1_preprocess" / "config.pbtxt"


def test_a_parameter_is_replaced_and_nothing_else(tmp_path):
    config = tmp_path / "config.pbtxt"
    config.write_text(CONFIG.read_text())
    before = stated_parameters(config)

    state_parameters(config, {"weights": "trained", "least_coverage_mm": "123"})

    assert stated_parameters(config) == before | {"weights": "trained", "least_coverage_mm": "123"}
    ours, theirs = config.read_text().splitlines(), CONFIG.read_text().splitlines()
    assert sum(one != other for one, other in zip(ours, theirs, strict=True)) == 2


def test_a_parameter_that_is_not_there_is_not_added(tmp_path):
    config = tmp_path / "config.pbtxt"
    config.write_text(CONFIG.read_text())

    with pytest.raises(KeyError, match="wieghts"):
        state_parameters(config, {"weights": "trained", "wieghts": "trained"})
    assert config.read_text() == CONFIG.read_text()
