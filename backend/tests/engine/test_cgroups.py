"""Limits of containers, in the layouts of files that Linux has for them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.engine import cgroups, memory
from app.engine.cgroups import MemoryLimit, core_quotas, memory_limits, usable_cores

GIB = 2**30


def machine(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return root


V2_CONTAINER = {
    "proc/self/cgroup": "0::/\n",
    "sys/fs/cgroup/memory.max": f"{4 * GIB}\n",
    "sys/fs/cgroup/memory.current": f"{3 * GIB}\n",
    "sys/fs/cgroup/memory.stat": f"anon {GIB}\ninactive_file {GIB}\nactive_file 7\n",
    "sys/fs/cgroup/cpu.max": "150000 100000\n",
}
V2_SERVICE = {
    "proc/self/cgroup": "0::/system.slice/explorer.service\n",
    "sys/fs/cgroup/system.slice/memory.max": f"{8 * GIB}\n",
    "sys/fs/cgroup/system.slice/memory.current": f"{2 * GIB}\n",
    "sys/fs/cgroup/system.slice/memory.stat": "anon 1\n",
    "sys/fs/cgroup/system.slice/cpu.max": "max 100000\n",
    "sys/fs/cgroup/system.slice/explorer.service/memory.max": "max\n",
    "sys/fs/cgroup/system.slice/explorer.service/memory.current": "5\n",
    "sys/fs/cgroup/system.slice/explorer.service/cpu.max": "200000 100000\n",
}
V1_CONTAINER = {
    "proc/self/cgroup": "12:freezer:/docker/ab\n4:memory:/docker/ab\n3:cpu,cpuacct:/docker/ab\n0::/\n",
    "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{4 * GIB}\n",
    "sys/fs/cgroup/memory/memory.usage_in_bytes": f"{3 * GIB}\n",
    "sys/fs/cgroup/memory/memory.stat": f"inactive_file 5\ntotal_inactive_file {GIB}\n",
    "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "150000\n",
    "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
}
V1_BESIDE_V2 = {
    "proc/self/cgroup": "4:memory:/job\n3:cpu:/\n0::/\n",
    "sys/fs/cgroup/memory/job/memory.limit_in_bytes": f"{2 * GIB}\n",
    "sys/fs/cgroup/memory/job/memory.usage_in_bytes": f"{GIB}\n",
    "sys/fs/cgroup/memory/job/memory.stat": "total_inactive_file 0\n",
    "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
    "sys/fs/cgroup/memory/memory.usage_in_bytes": "77\n",
    "sys/fs/cgroup/memory/memory.stat": "total_inactive_file 0\n",
    "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
    "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
    "sys/fs/cgroup/unified/cgroup.procs": "",
}


@pytest.mark.parametrize(
    ("files", "limits", "quotas"),
    [
        (V2_CONTAINER, [MemoryLimit(4 * GIB, 2 * GIB)], [1.5]),
        (V2_SERVICE, [MemoryLimit(8 * GIB, 2 * GIB)], [2.0]),
        (V1_CONTAINER, [MemoryLimit(4 * GIB, 2 * GIB)], [1.5]),
        (V1_BESIDE_V2, [MemoryLimit(2 * GIB, GIB)], []),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "nonsense"}, [], []),
        ({}, [], []),
    ],
    ids=["v2 container", "v2 service", "v1 container", "both", "no limits", "not Linux"],
)
def test_limits_of_control_groups_are_read(
    tmp_path: Path, files: dict[str, str], limits: list[MemoryLimit], quotas: list[float]
) -> None:
    root = machine(tmp_path, files)
    assert memory_limits(root) == limits
    assert core_quotas(root) == quotas


@pytest.mark.parametrize(
    ("quotas", "cores"), [([], 64), ([1.5], 2), ([0.1], 1), ([100.0], 64), ([8.0, 3.0], 3)]
)
def test_threads_keep_to_the_quota(
    monkeypatch: pytest.MonkeyPatch, quotas: list[float], cores: int
) -> None:
    """A container with two of 64 cores got 64 threads."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    monkeypatch.setattr(cgroups, "core_quotas", lambda: quotas)
    assert usable_cores() == cores


def test_free_memory_keeps_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container of 4 GiB on a large machine, a packed copy of the weights was made that had no room."""
    limits = [MemoryLimit(9 * GIB, GIB), MemoryLimit(GIB, GIB - 1000)]
    monkeypatch.setattr(memory, "memory_limits", lambda: limits)
    assert memory.free_memory() == 1000
    assert memory.memory_limit() == GIB


def test_use_above_the_limit_leaves_nothing() -> None:
    assert MemoryLimit(5, 9).free_bytes == 0
