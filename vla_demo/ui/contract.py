"""What the page needs of the world: policies, and a contract a tab. The product hands in the workbench, tests a small synthetic one.

Knows no Gradio; whoever keeps these contracts can stand behind the page.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from vla_demo.ui.loop.contract import Rollouts
from vla_demo.ui.replay.contract import Replays
from vla_demo.ui.robot.contract import Robots
from vla_demo.ui.shared.contract import Library
from vla_demo.ui.trap.contract import Studies

__all__ = ["Wings"]


class Wings(Protocol):
    """One serves all visitors."""

    @property
    def policies(self) -> Library: ...

    @property
    def replay(self) -> Replays: ...

    @property
    def sensitivity(self) -> Studies: ...

    @property
    def rollout(self) -> Rollouts: ...

    @property
    def robot(self) -> Robots: ...

    def folders(self) -> Sequence[Path]:
        """Whose files the page may serve: videos, films, downloaded datasets."""
        ...
