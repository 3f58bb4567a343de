"""The recipe is a folder of plain scripts; tests import them as they import each other."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "recipes" / "teabag"))
os.environ.setdefault("MUJOCO_GL", "egl")  # no display is needed
