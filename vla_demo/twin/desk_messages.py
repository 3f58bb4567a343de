"""What the desk's process and the program that drives it send each other over a pipe: a letter, then plain bytes.

It loads no MuJoCo: the program that drives a desk must not.
"""

from dataclasses import dataclass

import numpy as np

__all__ = ["ANSWER", "FACTS", "GOAL", "JOINTS", "NUMBER", "PICTURES", "QUIT", "REARRANGE", "DeskSettings"]

FACTS = b"F"  # first of all: joints, their ranges, cameras, as JSON; or {"error": why there is no desk}
JOINTS = b"J"  # s of this machine's monotonic clock, then the measured joints
PICTURES = b"P"  # as `JOINTS`, then the pictures of all cameras, RGB
ANSWER = b"A"  # to `REARRANGE`: nothing, or why not
GOAL = b"G"  # to the desk: joints to head for
REARRANGE = b"R"  # to the desk: the name of a start
QUIT = b"Q"  # to the desk
NUMBER = np.dtype("<f8")  # of times and joints; joints in dataset units


@dataclass(frozen=True, slots=True)
class DeskSettings:
    """Plain values, to be sent to another process."""

    start: str = "test:0"
    image_size: tuple[int, int] = (240, 320)
    camera_fps: float = 10.0
    log: str | None = None  # a file for what the arm did
    outlive: float = 3.0  # s that the desk goes on when whoever opened it has gone
