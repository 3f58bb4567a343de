"""What a board installs: the wheel alone, into an environment of its own, and every wheel it needs is there for its processor."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.board.boards import begin_task, board_process, is_moving
from tests.waiting import wait_until
from tests.wheels import install_wheel, packages_in, uv
from vla_demo.core.errors import BoardError
from vla_demo.core.extras import install

HEAVY = {"torch", "lerobot", "gradio", "transformers"}
ONLY_THE_RUNTIME = """
import sys, numpy as np
from vla_demo.core.observation import Observation
from vla_demo.runtime import open_policy
policy = open_policy(sys.argv[1])
images = {name: np.zeros((24, 32, 3), np.uint8) for name in policy.spec.cameras}
print(policy.predict_chunk(Observation(images, np.zeros(6, np.float32), "", 0.0)).actions.shape)
"""


def test_the_wheel_alone_drives_the_twin_through_the_link(wheel: Path, tmp_path: Path, swing: Path) -> None:
    programs = install_wheel(wheel, tmp_path / "env", "board", "twin")
    there = packages_in(programs)
    assert not there & HEAVY and {"onnxruntime", "grpcio", "mujoco"} <= there
    shutil.copytree(swing, tmp_path / "board" / "packages" / "swing")
    with board_process(tmp_path / "board", program=programs / "vla-board") as process, process.client() as board:
        assert f"{programs.parent}/" in Path(f"/proc/{process.program.pid}/maps").read_text()
        board.acquire("Ada")
        with pytest.raises(BoardError, match=re.escape(f"lacks av and pyarrow; there, {install('record')}")):
            board.episodes.record(True)
        begin_task(board, "swing")
        wait_until(lambda: is_moving(process.did()))
        board.stop("Ada")
        wait_until(lambda: not board.watch().moving)


def test_a_board_without_any_body_runs_a_policy_and_says_what_a_body_wants(wheel: Path, tmp_path: Path, swing: Path) -> None:
    programs = install_wheel(wheel, tmp_path / "env", "board")
    assert not packages_in(programs) & (HEAVY | {"mujoco"})
    ran = subprocess.run([programs / "python", "-c", ONLY_THE_RUNTIME, swing], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "(30, 6)"
    serve = [programs / "vla-board", "serve", "--packages", tmp_path, "--robot"]
    for body, extra in (["twin"], "twin"), (["so101", "--port", "/dev/null", "--robot-id", "tea", "--cameras", "top=0"], "board,robot"):
        refused = subprocess.run([*serve, *body], capture_output=True, text=True, check=False)
        assert refused.returncode == 2 and install(extra) in refused.stderr
    doctor = subprocess.run([programs / "vla-board", "doctor"], capture_output=True, text=True, check=True).stdout
    assert "no torch, lerobot or gradio, as it should be" in doctor


@pytest.mark.index
def test_the_wheel_finds_all_it_needs_in_todays_index(wheel: Path, tmp_path: Path) -> None:
    uv("venv", "--python", "3.12", str(tmp_path / "env"))
    uv("pip", "install", "--python", str(tmp_path / "env" / "bin" / "python"), f"vla-demo[board,twin] @ file://{wheel}")
    assert {"onnxruntime", "grpcio", "mujoco"} <= packages_in(tmp_path / "env" / "bin")


def compiled(python: str, *extras: str) -> str:
    """The versions of every wheel that a board with an ARM processor would install; fails where one has none."""
    wheels = ["--python-platform", "aarch64-unknown-linux-gnu", "--only-binary", ":all:", "--no-binary", "feetech-servo-sdk"]
    wanted = [part for extra in extras for part in ("--extra", extra)]
    return uv("pip", "compile", "--quiet", "--no-header", "--python-version", python, *wheels, *wanted, "pyproject.toml")


@pytest.mark.index
@pytest.mark.parametrize("python", ["3.12", "3.13", "3.14"])
def test_every_python_of_the_boards_systems_has_all_wheels_for_its_processor(python: str) -> None:
    found = set(re.findall(r"^([\w-]+)==", compiled(python, "board", "record"), re.MULTILINE))
    assert {"onnxruntime", "grpcio", "protobuf", "tokenizers", "numpy", "av", "pyarrow"} <= found


@pytest.mark.index
def test_the_real_arms_driver_has_its_wheels_too() -> None:
    assert "lerobot==0.6.1" in compiled("3.13", "robot")


@pytest.mark.index
def test_where_a_wheel_is_missing_the_check_fails() -> None:
    """LeRobot 0.6.1 wants a NumPy that has no wheel for Python 3.14."""
    with pytest.raises(subprocess.CalledProcessError) as failed:
        compiled("3.14", "robot")
    assert "numpy" in failed.value.stderr
