"""Real boards for tests: the program in a process of its own, the twin in another, a tiny policy, and what the twin's arm did."""

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from tests.board.faulty_link import FaultyLink
from tests.tiny_packages import CAMERAS, JOINTS
from tests.twin_log import read_log
from tests.waiting import look_on, wait_until
from vla_demo.board.client import BoardClient
from vla_demo.core.package import PolicyPackage, Preprocessing, VectorRecipe
from vla_demo.core.policy import GraphSpec, PolicySpec, StageSpec
from vla_demo.runtime import graph_of_file, write_manifest

ROOT = Path(__file__).parents[2]
CHUNK = 30  # actions: a second
SWING = 40.0  # degrees that the first joint goes to and fro
REST = np.array([0, -65, 65, 60, 0, 20], np.float32)  # where the other joints stay; the first swings about 0


def swinging_package(
    folder: Path, *, bias: float = 0.0, name: str = "swing", int8_bias: float | None = None, layers: int = 0
) -> PolicyPackage:
    """A policy whose plan swings the first joint to and fro for ever, whatever it sees; `bias` shifts every action.

    Of ACT's form, so that it runs as every package does: the pictures are looked at and weigh nothing. With `int8_bias` the package brings
    the action expert in a second precision along, whose actions are shifted by that much: what runs is seen in where the arm is.
    `layers` are convolutions of 9.4 MB each in the vision stage, for a package as heavy as a real one.
    """
    folder.mkdir(parents=True)
    _looking(folder / "vision.onnx", layers)
    _swinging(folder / "transformer.onnx", bias)
    stages = (
        StageSpec("vision", (GraphSpec("vision", ("pixels",), ("features",), False),)),
        StageSpec("expert", (GraphSpec("transformer", ("features", "state"), ("actions",), False),)),
    )
    spec = PolicySpec("act", name, None, CAMERAS, JOINTS, CHUNK, CHUNK, None, None, stages)
    resize = ({"op": "resize", "height": 24, "width": 32, "antialias": True},)
    plain = VectorRecipe("IDENTITY", {}, eps=1e-8, padded_to=None)
    files = (("vision", "vision"), ("expert", "transformer"))
    graphs = tuple(graph_of_file(folder, role=role, name=graph, file=f"{graph}.onnx") for role, graph in files)
    if int8_bias is not None:
        _swinging(folder / "small.onnx", int8_bias)
        small = graph_of_file(folder, role="expert", name="transformer", file="small.onnx")
        graphs += (replace(small, precision="int8", nodes=1, quantized_nodes=1),)
    package = PolicyPackage(folder, spec, graphs, Preprocessing(dict.fromkeys(CAMERAS, resize), plain, plain, None), {}, {})
    write_manifest(package)
    return package


def _looking(path: Path, layers: int) -> None:
    pixels = helper.make_tensor_value_info("pixels", TensorProto.FLOAT, [len(CAMERAS), 3, 24, 32])
    seen = helper.make_tensor_value_info("features", TensorProto.FLOAT, [len(CAMERAS), 1, 1, 1])
    axes = numpy_helper.from_array(np.array([1, 2, 3], np.int64), "axes")
    nodes, weights = [], [axes]
    for layer in range(layers):
        inputs, width = (["pixels"], 3) if layer == 0 else ([f"seen{layer - 1}"], 512)
        random = np.random.default_rng(layer).standard_normal((512, width, 3, 3), np.float32) / 100
        weights.append(numpy_helper.from_array(random, f"weight{layer}"))
        nodes.append(helper.make_node("Conv", [*inputs, f"weight{layer}"], [f"seen{layer}"], strides=[2, 2], pads=[1, 1, 1, 1]))
    last = f"seen{layers - 1}" if layers else "pixels"
    nodes.append(helper.make_node("ReduceMean", [last, "axes"], ["features"], keepdims=1))
    _save(path, nodes, [pixels], [seen], weights)


def _swinging(path: Path, bias: float) -> None:
    swing = np.zeros((1, CHUNK, len(JOINTS)), np.float32)
    swing[0, :, 0] = SWING / 2 * np.sin(np.arange(1, CHUNK + 1) * 2 * np.pi / CHUNK)
    plan = numpy_helper.from_array(swing + REST + np.float32(bias), "plan")
    zero = numpy_helper.from_array(np.zeros(1, np.float32), "zero")
    seen = helper.make_tensor_value_info("features", TensorProto.FLOAT, [len(CAMERAS), 1, 1, 1])
    state = helper.make_tensor_value_info("state", TensorProto.FLOAT, [1, len(JOINTS)])
    actions = helper.make_tensor_value_info("actions", TensorProto.FLOAT, [1, CHUNK, len(JOINTS)])
    nodes = [
        helper.make_node("ReduceMean", ["features"], ["light"], keepdims=0),
        helper.make_node("ReduceMean", ["state"], ["pose"], keepdims=0),
        helper.make_node("Add", ["light", "pose"], ["all"]),
        helper.make_node("Mul", ["all", "zero"], ["nothing"]),
        helper.make_node("Add", ["plan", "nothing"], ["actions"]),
    ]
    _save(path, nodes, [seen, state], [actions], [plan, zero])


def _save(path: Path, nodes: list[object], inputs: list[object], outputs: list[object], weights: list[object]) -> None:
    graph = helper.make_graph(nodes, path.stem, inputs, outputs, initializer=weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.save(model, path, save_as_external_data=True, location=f"{path.name}.data", size_threshold=1_000_000)  # as the exporter does


@dataclass
class BoardProcess:
    """A board that listens."""

    program: subprocess.Popen[str]
    port: int
    stop_port: int
    token: str
    log: Path
    packages: Path

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def client(self, link: FaultyLink | None = None) -> BoardClient:
        """Straight, or through a link that can be broken."""
        if link is None:
            return BoardClient(self.address, self.token)
        return BoardClient(f"127.0.0.1:{link.port}", self.token, stop_port=link.stop_port)

    def link(self, bytes_a_second: float | None = None) -> FaultyLink:
        return FaultyLink(self.port, self.stop_port, bytes_a_second)

    def did(self) -> NDArray[np.float64]:
        """What the arm did so far: rows of the twin's own log."""
        return read_log(self.log)

    def kill(self) -> float:
        """SIGKILL; answers when."""
        self.program.send_signal(signal.SIGKILL)
        killed = time.monotonic()
        self.program.wait(10)
        return killed


@contextmanager
def board_process(folder: Path, *more: str, program: Path | None = None) -> Iterator[BoardProcess]:
    """`vla-board serve --robot twin` on free ports, with a token; ended when the block ends. `program` is another installation's."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [str(program or Path(sys.executable).with_name("vla-board"))]
    token = folder / "token"
    if not token.exists():
        subprocess.run([*command, "token", str(token)], cwd=ROOT, check=True, capture_output=True)
    log, packages = folder / "log", folder / "packages"
    robot = () if "--robot" in more else ("--robot", "twin", "--twin-size", "24x32", "--twin-log", str(log))
    serve = ["serve", *robot, "--listen", "127.0.0.1:0", "--token-file", str(token), "--packages", str(packages)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [*command, *serve, *more],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=(folder / "stderr").open("w"),
        text=True,
        env=environment,
    )
    try:
        ports = re.search(r":(\d+), Stop on (\d+)", _first_line(process, folder))
        assert ports is not None
        yield BoardProcess(process, int(ports[1]), int(ports[2]), token.read_text().strip(), log, packages)
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _first_line(program: subprocess.Popen[str], folder: Path) -> str:
    assert program.stdout is not None
    ready, _, _ = select.select([program.stdout], [], [], 240)
    line = program.stdout.readline() if ready else ""
    assert line, (folder / "stderr").read_text()
    return line


def begin_task(board: BoardClient, package: str) -> None:
    """From a lease to an arm that swings."""
    board.choose(package)
    board.reset()
    board.start()


def goal_changed_last(rows: NDArray[np.float64], after: float) -> float:
    """s from `after` to the last change of what the arm was told, by the twin's log; 0 when nothing changed after it."""
    later = rows[rows[:, 0] > after]
    changed = np.abs(np.diff(later[:, 7:13], axis=0)).max(axis=1) > 1e-6 if len(later) > 1 else np.zeros(0, bool)
    return float(later[1:][changed][-1, 0] - after) if changed.any() else 0.0


def rests_from(rows: NDArray[np.float64], after: float, speed: float = 2.0) -> float:
    """s from `after` until no joint was measured faster than `speed` units/s any more."""
    later = rows[rows[:, 0] > after]
    fast = np.abs(np.diff(later[:, 1:7], axis=0)).max(axis=1) / np.diff(later[:, 0]) > speed
    return float(later[1:][fast][-1, 0] - after) if fast.any() else 0.0


def is_moving(rows: NDArray[np.float64], seconds: float = 1.0) -> bool:
    """Whether any joint went further than a degree in the newest part of the log."""
    newest = rows[rows[:, 0] > rows[-1, 0] - seconds] if len(rows) else rows
    return len(newest) > 0 and bool(np.ptp(newest[:, 1:7], axis=0).max() > 1.0)


def standstills(rows: NDArray[np.float64]) -> list[float]:
    """s of each time between two changes of what the arm was told; one of 0 s when there is no row yet."""
    if not len(rows):
        return [0.0]
    changed = np.abs(np.diff(rows[:, 7:13], axis=0)).max(axis=1) > 1e-6
    return [float(gap) for gap in np.diff([rows[0, 0], *rows[1:][changed][:, 0], rows[-1, 0]])]


def expect_limits(rows: NDArray[np.float64]) -> None:
    """No joint but the gripper was told to go faster than 180 degrees/s. Between two rows there may be one tick more than their time."""
    goals, times = rows[:, 7:12], rows[:, 0]
    assert len(goals) > 50
    assert (np.abs(np.diff(goals, axis=0)).max(axis=1) <= 180 * (np.diff(times) + 2 / 30) + 1e-3).all()


def wait_for_rest(process: BoardProcess, seconds: float = 0.3) -> None:
    """Until no joint has gone further than a degree for so long."""
    wait_until(lambda: not is_moving(process.did(), seconds), what="the arm coming to rest")


def some_phase(seed: int) -> None:
    """Let a swing go on to somewhere in its chunk of one second."""
    look_on(0.4 + float(np.random.default_rng([5, seed]).uniform(0, 1)))


def print_times(what: str, times: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\n  {what}: median {np.median(times):.3f} s, longest {max(times):.3f} s of {len(times)}", end=" ", flush=True)
