"""The client as others install it: a wheel of its own, in an environment without pandas."""

import importlib.metadata
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import httpx
import pytest

from tools.locations import CHECKOUT

CLIENT = CHECKOUT / "integrations" / "client"

WITHOUT_PANDAS = """
import sys
import deep_features_client as client

assert "pandas" not in sys.modules and "numpy" not in sys.modules
labels = {"patient_id": "P1", "modality": "CT", "roi": "GTV", "weights": "trained"}
row = client.Row({**labels, "study_uid": "1.2"}, (0.5,), ("ct3dcnn1_0",))
answer = client.Answer("ct3dcnn", (row,), {})
print(client.__version__, answer.quantimage_rows()[0]["VOI"])
try:
    answer.to_dataframe()
except ImportError as error:
    print(error)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    flags = ["--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    command = [sys.executable, "-m", "pip", "wheel", *flags, "--wheel-dir", folder, CLIENT]
    subprocess.run(command, check=True)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture
def python(tmp_path):
    """The Python of an environment that has httpx and what it needs, and nothing else."""
    venv.create(tmp_path / "fresh", symlinks=True)
    (packages,) = (tmp_path / "fresh").glob("lib/python*/site-packages")
    here = Path(httpx.__file__).parents[1]
    for name in ("httpx", "httpcore", "h11", "anyio", "certifi", "idna", "typing_extensions.py"):
        (packages / name).symlink_to(here / name)
    return tmp_path / "fresh" / "bin" / "python"


def test_the_wheel_works_where_there_is_no_pandas(wheel, python):
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet"]
    subprocess.run([*pip, "--no-deps", "--no-index", wheel], check=True)

    said = subprocess.run(
        [python, "-c", WITHOUT_PANDAS], check=True, capture_output=True, text=True
    )

    version, words = said.stdout.splitlines()
    assert version == "0.1.0 GTV"
    assert words == 'tables need pandas: pip install "deep-features-client[pandas]"'


def test_the_wheel_says_what_it_is(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata,) = (name for name in names if name.endswith("/METADATA"))
        told = importlib.metadata.PathDistribution(zipfile.Path(archive, metadata).parent).metadata
        (licence,) = (name for name in names if name.endswith("/LICENSE"))
        text = archive.read(licence)

    assert "deep_features_client/py.typed" in names
    assert (told["Name"], told["License-Expression"]) == ("deep-features-client", "Apache-2.0")
    needed = [each for each in told.get_all("Requires-Dist") if "extra" not in each]
    assert needed == ["httpx>=0.27"]
    assert text == (CHECKOUT / "LICENSE").read_bytes()
