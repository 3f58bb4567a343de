"""The machine this runs on, in words: a measured time means nothing without it."""

import os
import platform
from functools import cache
from pathlib import Path

__all__ = ["machine", "usable_cores"]

CPU_INFO = Path("/proc/cpuinfo")


@cache
def machine() -> str:
    """Such as "AMD EPYC 7B13, 2 of 2 cores"."""
    return f"{_processor()}, {usable_cores()} of {os.cpu_count() or 1} cores"


def usable_cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> str:
    if CPU_INFO.exists():
        for line in CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name" and value.strip():
                return value.strip()
    return platform.processor() or platform.machine()
