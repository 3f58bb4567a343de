"""The project as strangers install it: its wheel, in an environment with the versions of the lock and nothing else. No index is asked."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]


def uv(*arguments: str, **environment: str) -> str:
    """What it printed. Raises `CalledProcessError`."""
    command = ["sh", "setup/uv", *arguments]
    return subprocess.run(command, cwd=ROOT, env=os.environ | environment, check=True, capture_output=True, text=True).stdout


def build_wheel(folder: Path) -> Path:
    uv("build", "--wheel", "--out-dir", str(folder))
    return next(folder.glob("*.whl"))


def install_wheel(wheel: Path, folder: Path, *extras: str) -> Path:
    """The programs of a new environment with the wheel, what its extras need by the lock, and nothing else."""
    wanted = [part for extra in extras for part in ("--extra", extra)]
    lock = ["--frozen", "--no-dev", "--no-install-project", "--python", "3.12"]
    uv("sync", *lock, *wanted, UV_PROJECT_ENVIRONMENT=str(folder))
    python = ["--python", str(folder / "bin" / "python")]
    uv("pip", "install", "--offline", "--no-deps", *python, str(wheel))
    uv("pip", "check", *python)
    return folder / "bin"


def packages_in(programs: Path) -> set[str]:
    """Names of what is installed there."""
    listed = uv("pip", "list", "--python", str(programs / "python"), "--format", "freeze")
    return {line.partition("==")[0].partition(" @")[0] for line in listed.splitlines()}
