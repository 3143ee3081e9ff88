"""Freed memory is kept for the next slice: pages are not asked of the system again and again."""

import subprocess
import sys

import pytest

DECODING = """
import resource
from imaging.allocation import keep_freed_memory

if {kept}:
    keep_freed_memory()
bytearray(4 << 20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(50):
    bytearray(b"x" * (4 << 20))
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc is what is set")
def test_slice_after_slice_takes_the_same_pages():
    faults = {
        kept: int(
            subprocess.run(
                [sys.executable, "-c", DECODING.format(kept=kept)],
                capture_output=True,
                text=True,
                check=True,
                # Else glibc itself learns of such sizes after the first of them is freed.
                env={"MALLOC_MMAP_THRESHOLD_": "131072", "MALLOC_TRIM_THRESHOLD_": "131072"},
            ).stdout
        )
        for kept in (False, True)
    }

    assert faults[True] < faults[False] / 10
