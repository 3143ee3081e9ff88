"""The command line of Tritons of several versions, by what their --help lists."""

import inspect
import re

import pytest

from tools.engine.command import Launch, command
from tools.engine.installation import find_installation
from tools.engine.settings import EngineSettings

NEW_SINCE = {
    "2.51": frozenset(),
    "25.06": frozenset({"--http-max-input-size"}),
    "26.04": frozenset({"--http-max-input-size", "--allow-client-shm"}),
}
"""Flags of the launcher that came after 2.51: Triton's release notes of 25.06 and 26.04."""


@pytest.fixture(scope="module")
def installed():
    """The flags of the Triton of the wheel, which is 2.51."""
    return find_installation().flags


def flags_of(version, installed, tmp_path, **settings):
    launch = Launch(tmp_path / "models", tmp_path / "backends", "key", "prefix")
    words = command(
        "tritonserver", EngineSettings(**settings), launch, installed | NEW_SINCE[version]
    )
    return dict(word.split("=", 1) for word in words if "=" in word)


def test_the_wheels_triton_knows_neither_of_the_later_flags(installed):
    assert not installed & NEW_SINCE["26.04"]


@pytest.mark.parametrize("version", NEW_SINCE)
def test_each_version_gets_the_flags_that_it_knows(version, installed, tmp_path):
    flags = flags_of(version, installed, tmp_path)

    assert NEW_SINCE[version] == flags.keys() & NEW_SINCE["26.04"]
    assert flags.keys() <= installed | NEW_SINCE[version]


def test_bodies_may_be_as_large_as_the_largest_study(installed, tmp_path):
    assert flags_of("25.06", installed, tmp_path)["--http-max-input-size"] == str(2048 << 20)


@pytest.mark.parametrize(("address", "allowed"), [("127.0.0.1", "true"), ("0.0.0.0", "false")])  # noqa: S104
def test_clients_have_shared_memory_on_this_machine_alone(address, allowed, installed, tmp_path):
    flags = flags_of("26.04", installed, tmp_path, address=address)

    assert flags["--allow-client-shm"] == allowed


@pytest.mark.parametrize("version", NEW_SINCE)
def test_no_version_leaves_more_than_inference_open(version, installed, tmp_path):
    flags = flags_of(version, installed, tmp_path)

    for flag in ("--http-restricted-api", "--grpc-restricted-protocol"):
        open_to_all = {"health", "metadata", "inference"}
        restricted = set(flags[flag].partition(":")[0].split(","))
        known = {"shared-memory", "model-config", "model-repository", "statistics", "trace"}
        assert restricted == known | {"logging"}
        assert not restricted & open_to_all


def test_no_flag_is_unknown_to_every_version(installed):
    """Left out by all of them, it would be a misspelling that nobody notices."""
    written = set(re.findall(r'"(--[a-z-]+)"', inspect.getsource(command)))

    assert written <= installed | NEW_SINCE["26.04"]
