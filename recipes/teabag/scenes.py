"""Labelled pictures of the twin for pretraining vision: what each camera sees, and where things are in that camera's frame.

Every scene is a moment of a scripted episode whose bag or arm was moved a little, so that bag, arm and mug vary independently. Starts are
fresh seeds, none of a recorded split, and no bag lies in the held-out cluster. No action is kept: it is about seeing, not about doing.
"""

import argparse
import math
import os
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("MUJOCO_GL", "egl")  # no display is needed

import mujoco
import numpy as np
from numpy.typing import NDArray
from pictures import CAMERAS, SIZE, shrink

from vla_demo.twin.expert import Expert
from vla_demo.twin.scene import to_dataset_units
from vla_demo.twin.starts import HELD_OUT, cluster_at, fresh_start, prepare
from vla_demo.twin.world import Measurements, TeaBagTwin

__all__ = ["FLAGS", "JOINTS", "LABELS", "labels_of", "render"]

POINTS = ("bag", "mug", "tip")  # u, v (picture half-widths from its centre), log of the depth in m
POINT_LABELS, DIRECTIONS = slice(0, 9), slice(9, 13)  # string and side of the bag as unit vectors in the picture
FLAGS, JOINTS = slice(13, 15), slice(15, 21)  # held, in the mug; joints in dataset units
LABELS = 21
_PER_EPISODE = 40
_MARGIN = 1.1  # a point this far out (1 is the picture's edge) is not asked for
_PAN_AXIS_X = 0.0388  # m
_MUG_MIDDLE = np.array([0, 0, 0.04])  # m above its foot


def render(out: Path, count: int, seed: int) -> None:
    """Write `count` scenes as `<out>_pictures.npy` uint8 (n, 3, 96, 128, 3) and `<out>_labels.npy` float32 (n, 3, 21)."""
    out.parent.mkdir(parents=True, exist_ok=True)
    images = np.lib.format.open_memmap(f"{out}_pictures.part.npy", "w+", np.uint8, (count, len(CAMERAS), *SIZE, 3))
    labels = np.full((count, len(CAMERAS), LABELS), np.nan, np.float32)
    for i, (pictures, values) in zip(range(count), _scenes(seed), strict=False):
        images[i], labels[i] = shrink(pictures), values
        if i % 500 == 0:
            print(f"scenes {out.name}: {i}/{count}", flush=True)
    images.flush()
    np.save(f"{out}_labels.npy", labels)
    Path(f"{out}_pictures.part.npy").rename(f"{out}_pictures.npy")


def labels_of(twin: TeaBagTwin, camera: str) -> NDArray[np.float32]:
    """(21,) for one camera now; NaN where the camera does not show the thing."""
    now = twin.measure()
    label = np.full(LABELS, np.nan, np.float32)
    points = {"bag": now.bag_position, "mug": now.mug_position + _MUG_MIDDLE, "tip": now.tip_position}
    for i, name in enumerate(POINTS):
        label[3 * i : 3 * i + 3] = _seen(twin, camera, points[name])
    if not np.isnan(label[0]):
        label[DIRECTIONS] = np.concatenate([_direction(twin, camera, now, axis) for axis in (0, 1)])
    label[FLAGS] = now.held, now.bag_in_mug
    label[JOINTS] = to_dataset_units(twin.joints)
    return label


def _scenes(seed: int) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.float32]]]:
    twin = TeaBagTwin(cameras=CAMERAS)
    while True:
        start = fresh_start(seed)
        rng = np.random.default_rng([4, seed])
        seed += 1
        if start.cluster == HELD_OUT:
            continue
        prepare(twin, start)
        moments = _moments(twin)
        for pick in rng.choice(len(moments), min(_PER_EPISODE, len(moments)), replace=False):
            twin.data.qpos[:] = moments[pick]
            mujoco.mj_forward(twin.model, twin.data)
            _vary(twin, rng)
            observed = twin.observe().images
            yield np.stack([observed[c] for c in CAMERAS]), np.stack([labels_of(twin, c) for c in CAMERAS])


def _moments(twin: TeaBagTwin) -> list[NDArray[np.float64]]:
    expert, states = Expert(twin), []
    while not expert.done and len(states) < 600:
        twin.advance(expert.act())
        states.append(np.array(twin.data.qpos))
    return states


def _vary(twin: TeaBagTwin, rng: np.random.Generator) -> None:
    """A bag that lies free is put somewhere else; the arm is moved unless it holds the bag."""
    now = twin.measure()
    if not now.released:
        return
    if now.bag_position[2] < 0.012 and not now.bag_in_mug and rng.random() < 0.65:
        _move_bag(twin, rng)
    if rng.random() < 0.5:
        address = [
            twin.model.joint(j).qposadr[0] for j in ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")
        ]
        twin.data.qpos[address] += rng.normal(0, 0.06, 6)
    mujoco.mj_forward(twin.model, twin.data)


def _move_bag(twin: TeaBagTwin, rng: np.random.Generator) -> None:
    now = twin.measure()
    address = int(twin.model.joint("bag").qposadr[0])
    yaw = math.atan2(now.bag_axes[1, 0], now.bag_axes[0, 0])
    yaw = rng.uniform(-math.pi, math.pi) if rng.random() < 0.35 else yaw + rng.normal(0, 0.4)
    while True:
        if rng.random() < 0.4:
            x, y = rng.uniform(0.08, 0.32), rng.uniform(-0.26, 0.22)
        else:
            x, y = now.bag_position[:2] + rng.normal(0, 0.025, 2)
        if _allowed(x, y, now):
            break
    twin.data.qpos[address : address + 2] = x, y
    twin.data.qpos[address + 3 : address + 7] = math.cos(yaw / 2), 0, 0, math.sin(yaw / 2)


def _allowed(x: float, y: float, now: Measurements) -> bool:
    reach = math.hypot(x - _PAN_AXIS_X, y)
    clear = math.hypot(x - now.mug_position[0], y - now.mug_position[1]) > 0.07
    return 0.09 < reach < 0.29 and clear and cluster_at(x, y) != HELD_OUT


def _seen(twin: TeaBagTwin, camera: str, point: NDArray[np.float64]) -> NDArray[np.float64]:
    """u, v, log depth, or NaN when outside the picture. The camera looks along its own -z."""
    position, rotation = twin.camera_pose(camera)
    x, y, z = rotation.T @ (point - position)
    if z > -0.01:
        return np.full(3, np.nan)
    half = math.tan(math.radians(float(twin.model.camera(camera).fovy[0])) / 2)
    u, v = x / -z / half * SIZE[0] / SIZE[1], y / -z / half
    return np.array([u, v, math.log(-z)]) if max(abs(u), abs(v)) < _MARGIN else np.full(3, np.nan)


def _direction(twin: TeaBagTwin, camera: str, now: Measurements, axis: int) -> NDArray[np.float64]:
    position, rotation = twin.camera_pose(camera)
    a, b = (rotation.T @ (p - position) for p in (now.bag_position, now.bag_position + 0.01 * now.bag_axes[:, axis]))
    arrow = b[:2] / -b[2] - a[:2] / -a[2]
    return np.asarray(arrow / max(float(np.linalg.norm(arrow)), 1e-9))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=1_000_000)
    arguments = parser.parse_args()
    render(arguments.out, arguments.count, arguments.seed)
