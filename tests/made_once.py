"""What is expensive to make and only read: made once in a run of the tests, by one of its processes. Who changes it copies it."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from vla_demo.core.package import PolicyPackage


def shared_folder(factory: pytest.TempPathFactory, name: str) -> Path:
    """The same for every process of this run of the tests."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "made-once" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def made_once(folder: Path, make: Callable[[Path], Path]) -> Path:
    """What `make` left in `folder`, which one process of this run calls while the others wait."""
    done = folder / "where"
    with (folder / "turn").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not done.exists():
            done.write_text(str(make(folder)))
    return Path(done.read_text())


def exported_policy(factory: pytest.TempPathFactory, name: str) -> PolicyPackage:
    """The package of a bundled policy, exported as a user's first click exports it."""
    from vla_demo.runtime import read_manifest
    from vla_demo.workbench.policies import prepare_policy

    def export(folder: Path) -> Path:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("VLA_DEMO_CACHE", str(folder / "cache"))
            *_, package = prepare_policy(name)
        assert isinstance(package, PolicyPackage)
        return package.folder

    return read_manifest(made_once(shared_folder(factory, name), export))
