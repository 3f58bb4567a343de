"""How the board itself is: temperature, memory, processor. Read from Linux; where it does not tell, the answer says so."""

import contextlib
import math
import os
from pathlib import Path

__all__ = ["governors", "memory_bytes", "temperature", "total_memory_bytes"]


def temperature() -> float:
    """Degrees Celsius of the hottest thermal zone; NaN where there is none."""
    found = []
    for zone in Path("/sys/class/thermal").glob("thermal_zone*/temp"):
        with contextlib.suppress(OSError, ValueError):  # a zone that is switched off
            found.append(int(zone.read_text()) / 1000)
    return max(found, default=math.nan)


def memory_bytes() -> int:
    """Resident memory of this process; 0 where the system does not tell."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def total_memory_bytes() -> int:
    """Of the machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def governors() -> tuple[str, ...]:
    """How the processors' frequency is chosen, each way once; nothing where the system does not tell."""
    files = Path("/sys/devices/system/cpu/cpufreq").glob("policy*/scaling_governor")
    return tuple(sorted({file.read_text().strip() for file in files}))
