"""How many processor cores this process may keep busy: by its affinity, and by its cgroup's quota.

A container's limit (`cpus: 2`) is a quota: all cores of the machine stay visible, and a thread for
each of them would only wait for the others.
"""

import math
import os
from collections.abc import Iterator
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")


def usable_cores() -> int:
    """Return the number of cores, 1 or more; a part of a core counts as one."""
    quotas = filter(None, map(_quota_cores, _folders(MEMBERSHIP, CGROUPS)))
    return max(1, min([len(os.sched_getaffinity(0)), *map(math.ceil, quotas)]))


def _folders(membership: Path, root: Path) -> Iterator[Path]:
    """Yield the cgroups that this process may be in: any that contains its own may have a quota.

    Inside a container its own is often shown as the root, whatever /proc calls it.
    """
    yield from (root, root / "cpu")
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)  # "0::/a/b" (v2), "4:cpu,cpuacct:/a/b" (v1)
        if not controllers or "cpu" in controllers.split(","):
            top = root / "cpu" if controllers else root
            own = top / path.lstrip("/")
            yield from (own, *(above for above in own.parents if above.is_relative_to(top)))


def _quota_cores(folder: Path) -> float | None:
    """Return the quota of one cgroup in cores, None if it has none."""
    for names in (("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us")):  # v2, v1
        try:
            quota, period = " ".join((folder / name).read_text() for name in names).split()
        except (OSError, ValueError):
            continue
        return int(quota) / int(period) if quota.isdigit() else None  # "max", "-1"
    return None
