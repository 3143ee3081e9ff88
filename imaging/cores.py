"""How many processor cores this process may use: by its affinity, and by its cgroup's quota."""

import math
import os
from functools import cache
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")


@cache
def usable_cores() -> int:
    """Return the cores that threads of this process can keep busy, 1 or more.

    A container's limit (`cpus: 2`) is a quota of its cgroup: cores stay visible, time does not.
    """
    cores = len(os.sched_getaffinity(0))
    quotas = (
        quota
        for folder in _folders(MEMBERSHIP, CGROUPS)
        if (quota := _quota_cores(folder)) is not None
    )
    return max(1, min([cores, *map(math.ceil, quotas)]))


def _folders(membership: Path, root: Path) -> list[Path]:
    """Return the cgroup of this process and all above it: any of them may have a quota."""
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return []
    folders = [root, root / "cpu"]
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        top = root / "cpu" if controllers else root
        own = top / path.lstrip("/")
        folders += [own, *(above for above in own.parents if above.is_relative_to(top))]
    return list(dict.fromkeys(folders))


def _quota_cores(folder: Path) -> float | None:
    """Return the quota of one cgroup in cores, None if it has none (cgroup v2, then v1)."""
    try:
        quota, period = (folder / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            quota = (folder / "cpu.cfs_quota_us").read_text().strip()
            period = (folder / "cpu.cfs_period_us").read_text().strip()
        except OSError:
            return None
    return int(quota) / int(period) if quota.isdigit() else None
