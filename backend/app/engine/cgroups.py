"""How much memory and how many cores a container or a service manager leaves this process.

Linux keeps these limits in control groups, in one of two layouts of files (cgroup v1 and v2). A
process is in one group of each layout, and the limits of every group above that one hold for it too.
A container often sees its own group as the topmost one.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MEMORY_FILES = {
    "v2": ("memory.max", "memory.current", "inactive_file"),
    "v1": ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
}
"""Limit and use, and the field of `memory.stat` with the cached files that are dropped when needed."""

NO_LIMIT = 2**60
"""Version 1 writes a number near 2**63 where there is no limit."""


@dataclass(frozen=True, slots=True)
class MemoryLimit:
    """Memory of one control group that has a limit."""

    max_bytes: int
    used_bytes: int
    """Without cached files that are dropped when memory is needed."""

    @property
    def free_bytes(self) -> int:
        return max(0, self.max_bytes - self.used_bytes)


def usable_cores() -> int:
    """Cores that this process may use, by its affinity (or cpuset) and the quota of its control groups."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    # Part of a core counts as one: a thread more uses it up, a thread less would leave it idle.
    return min([cores or 1, *(max(1, math.ceil(quota)) for quota in core_quotas())])


def memory_limits(root: Path = Path("/")) -> list[MemoryLimit]:
    """Limits on memory of the control groups that this process is in."""
    found = []
    for version, folder in _groups(root, "memory"):
        limit_file, use_file, droppable = MEMORY_FILES[version]
        with suppress(OSError, ValueError):
            limit = int((folder / limit_file).read_text())  # "max" is no number
            if limit < NO_LIMIT:
                used = int((folder / use_file).read_text())
                found.append(MemoryLimit(limit, max(0, used - _stat(folder, droppable))))
    return found


def core_quotas(root: Path = Path("/")) -> list[float]:
    """Shares of processor time, in cores, of the control groups that this process is in."""
    found = []
    for version, folder in _groups(root, "cpu"):
        with suppress(OSError, ValueError):
            if version == "v2":
                quota, period = (folder / "cpu.max").read_text().split()
            else:
                quota = (folder / "cpu.cfs_quota_us").read_text()
                period = (folder / "cpu.cfs_period_us").read_text()
            if int(quota) > 0:  # "max" is no number, and -1 no limit
                found.append(int(quota) / int(period))
    return found


def _groups(root: Path, controller: str) -> Iterator[tuple[str, Path]]:
    """Folders of this process's control groups, with the version of each, from its own upwards."""
    mounts = root / "sys/fs/cgroup"
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            version, tops = "v2", [mounts, mounts / "unified"]
        elif controller in controllers.split(","):
            version, tops = "v1", [mounts / controllers]
            if controllers != controller:
                tops.append(mounts / controller)
        else:
            continue
        for top in tops:
            own = top / path.lstrip("/")
            for folder in (own, *own.parents):
                # Version 1 shows in a container the path that the group has outside: only what exists counts.
                if folder.is_dir():
                    yield version, folder
                if folder == top:
                    break


def _stat(folder: Path, field: str) -> int:
    for line in (folder / "memory.stat").read_text().splitlines():
        name, _, value = line.partition(" ")
        if name == field:
            return int(value)
    return 0
