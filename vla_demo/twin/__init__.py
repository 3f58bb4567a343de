"""Floor 2: the MuJoCo world of the tea-bag task: scene, starts, expert."""

import os
import sys

if sys.platform == "linux":  # read by MuJoCo when it is first imported; its own default needs a display
    os.environ.setdefault("MUJOCO_GL", "egl")
