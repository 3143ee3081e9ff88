"""The notebook of the client, from its first cell to its last, against the real service."""

import nbformat
import pytest
from nbclient import NotebookClient

from tools.locations import CHECKOUT

NOTEBOOK = CHECKOUT / "integrations" / "client" / "notebooks" / "deep_features.ipynb"


@pytest.fixture(scope="module")
def notebook():
    return nbformat.read(NOTEBOOK, as_version=4)


def test_the_notebook_is_kept_without_what_a_run_has_left(notebook):
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]

    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)


def test_the_notebook_runs_and_its_features_tell_more_than_volume_and_chance(
    notebook, gateway, tmp_path, monkeypatch
):
    source = CHECKOUT / "integrations" / "client" / "src"
    for name, value in {
        "PYTHONPATH": str(source),
        "DEEP_FEATURES_URL": gateway.url,
        "DEEP_FEATURES_TOKEN": gateway.token,
        "OPENBLAS_NUM_THREADS": "1",  # small matrices: threads would wait for each other
        "OMP_NUM_THREADS": "1",
        "TMPDIR": str(tmp_path),
        "IPYTHONDIR": str(tmp_path / "ipython"),
        "MPLCONFIGDIR": str(tmp_path / "matplotlib"),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
    }.items():
        monkeypatch.setenv(name, value)

    NotebookClient(notebook, timeout=240, kernel_name="python3").execute()

    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    said = "".join(output.get("text", "") for output in outputs)
    numbers = [line for line in said.splitlines() if "AUC" in line]
    pictures = [each for each in outputs if "image/png" in each.get("data", {})]
    assert "24 studies gave rows, 0 did not" in said
    assert len(pictures) == 2
    features = float(numbers[0].partition("AUC ")[2].partition(",")[0])
    volume = float(numbers[1].partition("AUC ")[2].partition(";")[0])
    assert features > 0.9
    assert volume < 0.8
    assert numbers[1].endswith("p = 0.024")  # 1 of 41: not one of 40 shuffles did as well
