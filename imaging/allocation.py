"""How this process takes memory from the system: what slices are decoded into is kept for the next.

glibc maps each allocation of 128 KiB and more anew, and unmaps it when it is freed. A slice is
larger: each would meet a hundred page faults, and threads would wait for one another to unmap.
"""

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Of mallopt(3)."""

KEPT_BYTES = 32 << 20
LARGEST_KEPT_BYTES = 32 << 20
"""The most that glibc takes for M_MMAP_THRESHOLD; what is larger is returned when it is freed."""


def keep_freed_memory() -> None:
    """Keep up to KEPT_BYTES of freed memory; without glibc, nothing is done."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGEST_KEPT_BYTES)
        mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)
