"""Peak memory of one stage."""

from __future__ import annotations

import resource
from pathlib import Path


def reset_peak_memory() -> None:
    """Forget the process's peak resident size (Linux), so that the next stage's own peak can be read."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def peak_memory_mb() -> int:
    """Peak resident size in MiB since the last reset; since the start of the process where it cannot be reset."""
    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8")
        return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) // 1024
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
