"""Processes of models are known by their command lines, as Triton starts them."""

import subprocess

from tools.engine.processes import STUB, kill_stub, stubs_of_regions


def test_a_stub_is_found_by_its_region_and_ended_whoever_is_its_parent(tmp_path):
    """As one is that Triton had begun to load when it died."""
    program = tmp_path / "waits"
    program.write_text("read _")
    rest = ["1048576", "1048576", "0", "backends", "python", "net__v1_extractor_0_1"]
    process = subprocess.Popen(
        [f"backends/{STUB}", program, "deepfeatures-1-2-3-region", *rest],
        executable="/bin/sh",
        stdin=subprocess.PIPE,
    )
    with process:
        assert stubs_of_regions("deepfeatures-1-2-4-") == []
        (stub,) = stubs_of_regions("deepfeatures-1-2-3-")
        assert (stub.pid, stub.model) == (process.pid, "net__v1_extractor")

        kill_stub(stub)

        assert process.wait() == -9
        assert stubs_of_regions("deepfeatures-1-2-3-") == []
