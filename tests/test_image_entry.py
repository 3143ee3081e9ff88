"""What the image of Triton starts, started here: the project installed as it is there, and its CMD.

The tritonserver is that of the wheel, which is why it listens on loopback.
"""

import json
import os
import re
import subprocess
import sys
import sysconfig
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pytest

from tools.client import infer
from tools.engine.command import KEY_HEADER
from tools.engine.ports import free_ports
from tools.locations import CHECKOUT

DOCKERFILE = (CHECKOUT / "Dockerfile.triton").read_text()
READY_SECONDS = 240
KEY = "k" * 32


@dataclass(frozen=True)
class Image:
    """The environment that the Dockerfile makes as /opt/venv."""

    folder: Path

    @property
    def data(self):
        return self.folder / "share" / "triton-deep-features"

    @property
    def environment(self):
        """What ENV says, with folders of the test in place of those of the volume."""
        return {
            **os.environ,
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "DEEPFEATURES_MODELS": str(self.folder / "models"),
            "DEEPFEATURES_ENGINE_KEY_FILE": str(self.folder / "engine_key"),
        }


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """The environment, made by the steps of the Dockerfile; dependencies are those of the tests."""
    folder = tmp_path_factory.mktemp("image")
    venv = folder / "venv"
    hatchling = Path(sys.executable).with_name("hatchling")
    run([hatchling, "build", "-t", "wheel", "-d", folder], cwd=CHECKOUT)
    run([sys.executable, "-m", "venv", "--without-pip", venv])
    (wheel,) = folder.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "--python", venv / "bin" / "python"]
    run([*pip, "install", "--quiet", "--no-cache-dir", "--no-deps", "--no-index", wheel])
    (packages,) = venv.glob("lib/python*/site-packages")
    tested = Path(sysconfig.get_path("platlib"))
    (packages / "dependencies.pth").write_text(f"{tested}\n")
    (packages / "nvidia_pytriton.libs").symlink_to(tested / "nvidia_pytriton.libs")
    (venv / "engine_key").write_text(KEY)
    return Image(venv)


def run(command, **more):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **more)
    assert done.returncode == 0, done.stderr
    return done.stdout


CMD = json.loads(re.search(r"^CMD (\[.*\])$", DOCKERFILE, re.M)[1])
HEALTHCHECK = json.loads(re.search(r"^    CMD (\[.*\])$", DOCKERFILE, re.M)[1])


@pytest.fixture(scope="module")
def running(image, tmp_path_factory):
    """The ports of the image's CMD: HTTP, and the page of its state."""
    http, grpc, metrics, state = free_ports(4)
    program, *rest, address = CMD
    assert (program, rest[-1], address) == ("deepfeatures", "--address", "0.0.0.0")  # noqa: S104
    ports = {"http": http, "grpc": grpc, "metrics": metrics, "state": state}
    flags = [f"--{name}-port={port}" for name, port in ports.items()]
    log = tmp_path_factory.mktemp("log") / "log"
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [image.folder / "bin" / program, *rest, "127.0.0.1", *flags],
            cwd=log.parent,
            env=image.environment,
            stderr=stderr,
        )
    try:
        deadline = time.monotonic() + READY_SECONDS
        while not is_ready(state):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield http, state
    finally:
        process.terminate()
        process.wait(40)


def is_ready(port):
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz").is_success
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("name", ["model_repository", "backends", "sample"])
def test_what_is_served_is_byte_for_byte_what_the_image_copies(image, name):
    assert f"COPY {name} {name}\n" in DOCKERFILE
    assert contents(image.data / name) == contents(CHECKOUT / name)


def contents(folder):
    files = (file for file in folder.rglob("*") if file.is_file() and file.suffix != ".pyc")
    return {file.relative_to(folder): file.read_bytes() for file in files}


def test_the_command_of_the_image_gives_the_features_of_the_sample(running):
    http, _ = running
    study = next((CHECKOUT / "sample").glob("*.zip")).read_bytes()

    answer = infer(f"127.0.0.1:{http}", "ct3dcnn", study)

    (row,) = answer.rows
    stated = re.search(r"`LIDC-IDRI-0001,CT,,([0-9.,]+)…`", (CHECKOUT / "README.md").read_text())[1]
    expected = [float(number) for number in stated.strip(",").split(",")]
    assert (row["patient_id"], row["modality"]) == ("LIDC-IDRI-0001", "CT")
    np.testing.assert_allclose(answer.features[0, : len(expected)], expected, rtol=1e-5)


def test_it_serves_the_installed_models_and_those_of_its_volume(image, running):
    _, state = running
    page = httpx.get(f"http://127.0.0.1:{state}/state").json()
    access = json.loads(Path(page["access_file"]).read_text())

    assert access["sources"] == [str(image.data / "model_repository"), str(image.folder / "models")]


def test_its_health_check_passes_while_it_is_ready(image, running):
    _, state = running
    command = [word.replace(":8003/", f":{state}/") for word in HEALTHCHECK]

    run(command, env=image.environment)


def test_the_key_of_its_secret_opens_what_a_gateway_asks_for(running):
    http, _ = running
    index = f"http://127.0.0.1:{http}/v2/repository/index"

    listed = httpx.post(index, json={}, headers={KEY_HEADER: KEY})

    assert "ct3dcnn" in {model["name"] for model in listed.json()}
    assert httpx.post(index, json={}).status_code == httpx.codes.FORBIDDEN
