"""Where the demo lies: two policies, recorded episodes, and what was measured of them. It knows the files' names, not what is in them.

The first of these that is there: the folder in `$VLA_DEMO_ASSETS`, `assets/demo` of a clone, what `vla-demo demo fetch` put in the cache.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from vla_demo.core.errors import InvalidInput, MissingPiece
from vla_demo.core.storage import cache_folder

__all__ = ["ASSETS_VARIABLE", "DEMO_POLICIES", "NO_DEMO", "Demo", "demo_in", "fetched_folder", "find_demo", "require_demo"]

ASSETS_VARIABLE = "VLA_DEMO_ASSETS"
DEMO_POLICIES = ("act", "smolvla")
NO_DEMO = (
    "the demo's policies and episodes are not on this machine: `vla-demo demo fetch FOLDER-OR-HUB-ID` gets them, from a clone of the "
    "project or from the Hub; or name your own, a dataset with `--dataset D`, and a checkpoint or an exported package"
)
_CLONE = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Demo:
    """The demo's folder and what stands where in it."""

    folder: Path

    @property
    def episodes(self) -> Path:
        """A LeRobot dataset of validation and test episodes, none of which a policy was trained on."""
        return self.folder / "episodes"

    @property
    def calibration(self) -> Path:
        """A LeRobot dataset of a few training episodes."""
        return self.folder / "calibration"

    @property
    def rollouts(self) -> Path:
        """The closed-loop rows."""
        return self.folder / "rollouts.json"

    def checkpoint(self, policy: str) -> Path:
        """A LeRobot checkpoint; `policy` is one of `DEMO_POLICIES`."""
        return self.folder / "checkpoints" / policy

    def sensitivity(self, policy: str) -> Path:
        """The sensitivity report of a policy."""
        return self.folder / "trap" / f"{policy}.json"


def demo_in(folder: Path) -> Demo | None:
    """The demo that `folder` is, or has in `assets/demo` as a clone does; None when it has none."""
    found = (Demo(place) for place in (folder, folder / "assets" / "demo"))
    return next((demo for demo in found if (demo.episodes / "meta" / "info.json").is_file()), None)


def fetched_folder() -> Path:
    """Where `vla-demo demo fetch` puts the demo. Need not exist yet."""
    return cache_folder() / "demo"


def find_demo() -> Demo | None:
    """The demo on this machine, or None. Raises `InvalidInput` when `$VLA_DEMO_ASSETS` names a folder without it."""
    named = os.environ.get(ASSETS_VARIABLE)
    if not named:
        return demo_in(_CLONE) or demo_in(fetched_folder())
    demo = demo_in(Path(named).expanduser())
    if demo is None:
        raise InvalidInput(f"{ASSETS_VARIABLE} names {named}, which is not the demo; name a clone of the project, or its assets/demo")
    return demo


def require_demo() -> Demo:
    """As `find_demo`. Raises `MissingPiece` that says how to get it when it is nowhere."""
    demo = find_demo()
    if demo is None:
        raise MissingPiece(NO_DEMO)
    return demo
