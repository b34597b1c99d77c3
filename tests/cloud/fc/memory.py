"""How much memory a process has used at most, as the kernel counts it; known on Linux only."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def peak_mb(pid: int) -> float:
    """The highest resident size since `forget_peak`, in MB (VmHWM); 0.0 when the process is gone."""
    with suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0


def forget_peak(pid: int) -> None:
    """Start counting anew, so that a warm instance's earlier invocations do not show in this one's peak."""
    with suppress(OSError):
        Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")
