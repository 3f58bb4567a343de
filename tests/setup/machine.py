"""A machine of its own for a test of setup/: an empty home, and a PATH that holds what a shell needs and the stand-ins a test adds."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

SETUP = Path(__file__).parents[2] / "setup"
SHELL_NEEDS = ["sh", "cat", "cp", "dirname", "env", "grep", "mkdir", "mktemp", "rm", "tail"]


@dataclass(frozen=True, slots=True)
class Machine:
    """Its stand-ins are scripts; what they did is in `log`."""

    root: Path

    @classmethod
    def bare(cls, root: Path) -> "Machine":
        shutil.copytree(SETUP, root / "clone" / "setup")
        (root / "bin").mkdir()
        for name in SHELL_NEEDS:
            (root / "bin" / name).symlink_to(shutil.which(name) or name)
        return cls(root)

    @property
    def log(self) -> list[str]:
        path = self.root / "log"
        return path.read_text().splitlines() if path.exists() else []

    def add(self, command: str, body: str) -> None:
        """A command, by its path below the machine's root: "bin/..." is on PATH, "home/..." is in the home folder."""
        path = self.root / command
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)

    def run(self, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {"ROOT": str(self.root), "PATH": str(self.root / "bin"), "HOME": str(self.root / "home")}
        command = ["sh", f"clone/setup/{script}", *arguments]
        return subprocess.run(command, cwd=self.root, env=environment, capture_output=True, text=True, check=False)
