"""How many cores may be used: affinity, and quotas of cgroups in both their forms."""

import pytest

from imaging import cores


def make_cgroups(folder, membership, files):
    """Write what /proc and /sys say of cgroups: the first as `membership`, the others in `fs`."""
    (folder / "membership").write_text(membership)
    for name, text in files.items():
        file = folder / "fs" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


QUOTAS = [
    pytest.param("0::/\n", {"cpu.max": "150000 100000\n"}, 2, id="v2, one and a half"),
    pytest.param("0::/a/b\n", {"a/cpu.max": "100000 100000\n"}, 1, id="v2, of the one above"),
    pytest.param("0::/a\n", {"a/cpu.max": "max 100000\n"}, 8, id="v2, none"),
    pytest.param(
        "4:cpu,cpuacct:/a\n",
        {"cpu/a/cpu.cfs_quota_us": "300000\n", "cpu/a/cpu.cfs_period_us": "100000\n"},
        3,
        id="v1",
    ),
    pytest.param(
        "4:cpu:/a\n",
        {"cpu/a/cpu.cfs_quota_us": "-1\n", "cpu/a/cpu.cfs_period_us": "100000\n"},
        8,
        id="v1, none",
    ),
    pytest.param("", {}, 8, id="no cgroups"),
    pytest.param("0::/\n", {"cpu.max": "10000 100000\n"}, 1, id="a tenth of a core"),
]


@pytest.mark.parametrize(("membership", "files", "expected"), QUOTAS)
def test_a_quota_of_the_cgroup_bounds_the_cores(tmp_path, monkeypatch, membership, files, expected):
    make_cgroups(tmp_path, membership, files)
    monkeypatch.setattr(cores, "MEMBERSHIP", tmp_path / "membership")
    monkeypatch.setattr(cores, "CGROUPS", tmp_path / "fs")
    monkeypatch.setattr(cores.os, "sched_getaffinity", lambda _: set(range(8)))

    assert cores.usable_cores.__wrapped__() == expected
