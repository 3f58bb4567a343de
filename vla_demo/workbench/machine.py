"""The machine this runs on, in words: a measured time means nothing without it."""

import os
from functools import cache

from vla_demo.core.processor import this_processor

__all__ = ["machine", "usable_cores"]


@cache
def machine() -> str:
    """Such as "AMD EPYC 7B13, 2 of 2 cores"."""
    return f"{this_processor().name}, {usable_cores()} of {os.cpu_count() or 1} cores"


def usable_cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
