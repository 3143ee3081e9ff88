"""What Triton starts for a model runs for an account that is not root, too."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from tools.engine.installation import STUB, find_installation

NOBODY = 65534


@pytest.fixture
def backend():
    """The folder of the Python backend, of an account that is not root."""
    folder = Path(tempfile.mkdtemp(prefix="stub-"))
    find_installation().make_backend_directory(folder / "backends")
    if os.getuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    yield folder / "backends" / "python"
    shutil.rmtree(folder)


def test_a_stub_that_may_only_be_executed_runs_and_keeps_its_arguments(backend):
    """Triton 2.51 leaves no other right to its owner before it starts it."""
    (backend / STUB).chmod(0o100)
    (backend / "stub" / STUB).write_text('#!/bin/sh\necho "$@" "${MALLOC_ARENA_MAX-none}"\n')

    done = subprocess.run(
        [backend / STUB, "a b", "c"],
        env={"PATH": os.defpath, "MALLOC_ARENA_MAX": "1"},
        user=NOBODY if os.getuid() == 0 else None,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.stdout, done.stderr) == ("a b c none\n", "")
