"""What several rooms test with: recorded episodes, a cache that is not the user's, checkpoints, exported policies, the wheel."""

import os
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

from tests.fakes import CAMERAS, INSTRUCTION, JOINTS, fake_episode
from tests.made_once import exported_policy, made_once, shared_folder
from tests.tiny_checkpoints import tiny_act, tiny_smolvla
from tests.wheels import build_wheel
from vla_demo.core.demo import ASSETS_VARIABLE
from vla_demo.core.package import PolicyPackage

ROOT = Path(__file__).parents[1]
os.environ.setdefault("OMP_NUM_THREADS", "1")  # tiny models gain nothing from more, and on a busy machine threads wait for each other

REAL_TIME = {"tests/twin/test_live.py", "tests/workbench/test_robots.py", "tests/ui/test_real_robot.py"}  # besides all of tests/board


@pytest.fixture(scope="session")
def episodes_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LeRobot dataset of two episodes of 20 frames: validation in cluster 6, then a test recovery in cluster 3."""
    from vla_demo.episodes.recording import EpisodeWriter

    folder = tmp_path_factory.mktemp("recorded") / "episodes"
    with EpisodeWriter(folder, CAMERAS, (48, 64), [f"{joint}.pos" for joint in JOINTS], 30) as writer:
        for index, tags in enumerate([{"cluster": 6, "split": "validation"}, {"cluster": 3, "split": "test", "is_recovery": True}]):
            episode = fake_episode(index, frames=20)
            frames = [episode.frame(i) for i in range(len(episode))]
            writer.add([(f.observation, f.action) for f in frames], INSTRUCTION, **tags)
    return folder


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where packages and quantized graphs are kept during this test; child processes see it too, and the tests' own modules."""
    monkeypatch.setenv("VLA_DEMO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return tmp_path / "cache"


@pytest.fixture
def no_clone(tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As installed from a wheel: the demo is only there when it was fetched."""
    monkeypatch.delenv(ASSETS_VARIABLE, raising=False)
    monkeypatch.setattr("vla_demo.core.demo._CLONE", tmp_path / "installed")


@pytest.fixture(scope="session")
def act_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny ACT checkpoint; a test that changes it copies it first."""
    return tiny_act(tmp_path_factory.mktemp("checkpoints") / "act")


@pytest.fixture(scope="session")
def smolvla_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny SmolVLA checkpoint; a test that changes it copies it first."""
    return tiny_smolvla(tmp_path_factory.mktemp("checkpoints") / "smolvla")


@pytest.fixture(scope="session")
def bundled_act(tmp_path_factory: pytest.TempPathFactory) -> PolicyPackage:
    """The bundled ACT, exported once for all tests; a test that changes it copies it first."""
    return exported_policy(tmp_path_factory, "act")


@pytest.fixture(scope="session")
def bundled_smolvla(tmp_path_factory: pytest.TempPathFactory) -> PolicyPackage:
    """The bundled SmolVLA, exported once for all tests; a test that changes it copies it first."""
    return exported_policy(tmp_path_factory, "smolvla")


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's wheel, built once for all tests."""
    return made_once(shared_folder(tmp_path_factory, "wheel"), build_wheel)


class RoomsScheduling(LoadFileScheduling):
    """Of `pytest -n 2 --dist loadfile`: a file's tests share a process, and all that move an arm in real time share one."""

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(super()._split_scope(nodeid))


def scope_of(file: str) -> str:
    """Files of the same scope run in one process, one after another."""
    return "real time" if file.startswith("tests/board/") or file in REAL_TIME else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> RoomsScheduling | None:
    return RoomsScheduling(config, log) if config.getvalue("dist") == "loadfile" else None
