"""Images: what their Dockerfiles copy is there, and what their locks hold is what was tested."""

import fnmatch
import importlib.metadata
import json
import re
import subprocess
import sys
import tomllib

import pytest

from tools.locations import CHECKOUT

DOCKERFILES = (CHECKOUT / "Dockerfile.triton", CHECKOUT / "gateway" / "Dockerfile")


@pytest.mark.parametrize(
    "dockerfile", DOCKERFILES, ids=lambda file: str(file.relative_to(CHECKOUT))
)
def test_what_a_dockerfile_copies_is_there_and_gets_to_the_builder(dockerfile):
    ignored = (CHECKOUT / ".dockerignore").read_text().splitlines()
    let_in = {line.removeprefix("!") for line in ignored if line.startswith("!")}

    for source in copied(dockerfile):
        assert (CHECKOUT / source).exists()
        assert source.split("/")[0] in let_in


def copied(dockerfile):
    """What a Dockerfile copies out of the checkout."""
    lines = (line.split() for line in dockerfile.read_text().splitlines())
    return [
        source.rstrip("/")
        for words in lines
        if words[:1] == ["COPY"] and not words[1].startswith("--from")
        for source in words[1:-1]
    ]


@pytest.mark.parametrize(
    "dockerfile", DOCKERFILES, ids=lambda file: str(file.relative_to(CHECKOUT))
)
def test_an_image_has_all_that_the_wheel_is_made_of(dockerfile):
    wheel = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["hatch"]["build"][
        "targets"
    ]["wheel"]

    assert {*wheel["packages"], *wheel["shared-data"]} <= set(copied(dockerfile))


def test_no_secret_gets_to_a_builder():
    first, *_ = lines = (CHECKOUT / ".dockerignore").read_text().splitlines()[1:]

    assert first == "*"
    let_in = [line.removeprefix("!") for line in lines if line.startswith("!")]
    for name in (".env", "secrets", "incoming", "certificates", ".git", "deploy", "tests"):
        assert not any(fnmatch.fnmatch(name, pattern) for pattern in let_in)


LOCKS = ("triton", "gateway", "build")


def locked(name):
    text = (CHECKOUT / name).read_text()
    return dict(re.findall(r"^([a-z0-9_.-]+)(?:\[[a-z,]+\])?==([^ ;]+)", text, re.M))


@pytest.mark.parametrize("lock", LOCKS)
def test_images_have_the_versions_that_are_tested(lock):
    tested = locked("requirements.lock")
    in_image = locked(f"requirements/{lock}.lock")

    assert in_image
    assert {n: v for n, v in in_image.items() if n in tested} == {
        n: tested[n] for n in in_image if n in tested
    }
    untested = {name for name in in_image if name not in tested}
    assert all(name.startswith("nvidia-") for name in untested), untested


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_of_an_image_has_its_digests(lock):
    text = (CHECKOUT / "requirements" / f"{lock}.lock").read_text()
    blocks = re.split(r"^(?=[a-z])", text, flags=re.M)[1:]

    assert all("--hash=sha256:" in block for block in blocks)


def test_the_image_of_triton_has_cuda_and_no_second_tritonserver():
    found = locked("requirements/triton.lock")

    assert "nvidia-pytriton" not in found
    assert {"nvidia-cudnn-cu12", "nvidia-cublas-cu12", "tensorflow", "openvino"} <= found.keys()
    assert not {"pytest", "playwright", "dcm2niix", "onnxruntime", "ipykernel"} & found.keys()


def test_the_image_of_the_gateway_has_no_tensorflow_and_no_triton():
    found = locked("requirements/gateway.lock")

    assert (
        not {"tensorflow", "keras", "nvidia-pytriton", "openvino", "grpcio", "pytest"}
        & found.keys()
    )


def test_the_gateway_starts_with_what_its_image_has():
    """All of its modules are imported while whatever is not in its lock cannot be."""
    allowed = {re.sub(r"[-_.]+", "-", name) for name in locked("requirements/gateway.lock")}
    ours = {"triton-deep-features"}
    blocked = sorted(
        module
        for module, owners in importlib.metadata.packages_distributions().items()
        if not {re.sub(r"[-_.]+", "-", name).lower() for name in owners} & (allowed | ours)
    )
    program = """
import importlib, json, pkgutil, sys
blocked = set(json.load(sys.stdin)) - {"gateway", "imaging", "tools"}
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in blocked:
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Blocker())
import gateway
for module in pkgutil.walk_packages(gateway.__path__, "gateway."):
    importlib.import_module(module.name)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(blocked),
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "tensorflow" in blocked
    assert done.returncode == 0, done.stderr
