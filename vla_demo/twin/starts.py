"""The protocol's starts: eleven clusters, jittered positions and rotations, and the failed states that recoveries begin from.

After the article's protocol (11 clusters of 10 x 10 cm, cluster 6 held out; 120 = 10 x (10 + 2) training, 20 test, 10 validation).
A 10 x 10 cm cell here is clipped to the points nearest its own centre, so that no training position lies in the held-out cell, and to the
arm's reach. Seeds fix everything.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.errors import InvalidInput
from vla_demo.twin.expert import Expert
from vla_demo.twin.grasping import OPEN, PITCHES
from vla_demo.twin.kinematics import PAN_AXIS_X, Grasp, solve
from vla_demo.twin.scene import HOME
from vla_demo.twin.world import TeaBagTwin

__all__ = ["CLUSTERS", "HELD_OUT", "Start", "cluster_at", "fresh_start", "prepare", "split_starts"]

CLUSTERS = {  # number -> centre (x, y) in m
    1: (0.15, -0.20),
    2: (0.20, -0.20),
    3: (0.15, -0.12),
    4: (0.20, -0.12),
    5: (0.26, -0.12),
    6: (0.23, -0.04),
    7: (0.18, -0.04),
    8: (0.28, -0.04),
    9: (0.20, 0.035),
    10: (0.265, 0.035),
    11: (0.25, 0.12),
}
HELD_OUT = 6
SPLITS = ("train", "extra", "validation", "test")  # extra: more training episodes, with the arm disturbed while it works
_CELL = 0.10  # m
_REACH = (0.115, 0.262)  # m from the pan axis
_MUG = (0.17, 0.13)
_MUG_JITTER = 0.01  # m
_FREE_OF_MUG = 0.078  # m, bag centre to mug axis
_YAW = math.radians(45)  # either way of "string away from the arm"
_JOINT_SPREAD = 0.03  # rad
_FRESH_SEEDS, _SPLIT_SEEDS = 77, {"train": 1, "validation": 2, "test": 3, "extra": 4}
_EPISODES = {"train": 12, "extra": 15, "validation": 10, "test": 2}  # a cluster
_DISTURBANCE = (0.5, 2.5)  # degrees


@dataclass(frozen=True, slots=True)
class Start:
    """Where an episode begins. `failure` names the failed state that is staged first; None begins at home."""

    cluster: int
    bag_xy: tuple[float, float]
    bag_yaw: float
    mug_xy: tuple[float, float]
    mug_yaw: float
    joints: tuple[float, ...]
    failure: str | None
    seed: tuple[int, ...]  # what the start was drawn from
    disturbance: float = 0.0  # degrees, standard deviation of what pushes the arm's joints off while a demonstration is recorded

    @property
    def number(self) -> int:
        """The seed in one integer, as datasets keep it: split, cluster, position and attempt in decimal groups (`1 06 03 0`)."""
        split, cluster, k, attempt = self.seed if len(self.seed) == 4 else (self.seed[0], 0, self.seed[1], self.seed[2])
        return ((split * 100 + cluster) * 100 + k) * 10 + attempt


def cluster_at(x: float, y: float) -> int:
    """The cluster whose centre is nearest."""
    return min(CLUSTERS, key=lambda c: math.hypot(x - CLUSTERS[c][0], y - CLUSTERS[c][1]))


def fresh_start(seed: int) -> Start:
    """A start in no split, its cluster drawn too."""
    rng = np.random.default_rng([_FRESH_SEEDS, seed])
    return _draw(int(rng.integers(1, 12)), None, (_FRESH_SEEDS, seed, 0))


def split_starts(split: str) -> Iterator[list[Start]]:
    """For each episode of a split a list of candidate starts: the first one that the demonstrator solves is recorded."""
    if split not in SPLITS:
        raise InvalidInput(f"there is no split {split!r}; valid: {', '.join(SPLITS)}")
    clusters = [HELD_OUT] if split == "validation" else [c for c in CLUSTERS if c != HELD_OUT]
    for cluster in clusters:
        for k in range(_EPISODES[split]):
            failure = _recovery(cluster, k - 10) if split == "train" and k >= 10 else None
            candidates = [_draw(cluster, failure, (_SPLIT_SEEDS[split], cluster, k, attempt)) for attempt in range(5)]
            yield [_disturb(start) for start in candidates] if split == "extra" else candidates


def prepare(twin: TeaBagTwin, start: Start) -> None:
    """Bring the twin to a start. Raises `InvalidInput` when this failure cannot be staged from here."""
    rng = np.random.default_rng([*start.seed, 99])
    twin.place(start.bag_xy, start.bag_yaw, start.mug_xy, start.mug_yaw, np.array(start.joints))
    if start.failure is None:
        return
    stage = {"missed": _stage_missed, "off_target": _stage_off_target, "dropped": _stage_dropped, "beside_mug": _stage_beside_mug}
    if start.failure not in stage:
        raise InvalidInput(f"there is no failure {start.failure!r}; valid: {', '.join(stage)}")
    stage[start.failure](twin, start, rng)
    now = twin.measure()
    x, y, _ = now.bag_position
    if now.bag_in_mug or not _reachable(x, y) or (cluster_at(x, y) == HELD_OUT != start.cluster):
        raise InvalidInput(f"the failure {start.failure} left the bag in the mug, out of reach or in the held-out cluster")


def _recovery(cluster: int, k: int) -> str:
    """The first recovery of a cluster begins empty-handed at the mug (the article's kind), the second takes turns."""
    return "missed" if k == 0 else ("off_target", "dropped", "beside_mug")[cluster % 3]


def _disturb(start: Start) -> Start:
    return replace(start, disturbance=float(np.random.default_rng([*start.seed, 7]).uniform(*_DISTURBANCE)))


def _draw(cluster: int, failure: str | None, seed: tuple[int, ...]) -> Start:
    rng = np.random.default_rng(seed)
    mug = tuple(float(v) for v in np.add(_MUG, rng.uniform(-_MUG_JITTER, _MUG_JITTER, 2)))
    x, y = _position_in(cluster, mug, rng)
    away = math.atan2(y, x - PAN_AXIS_X)
    return Start(
        cluster=cluster,
        bag_xy=(x, y),
        bag_yaw=away + rng.uniform(-_YAW, _YAW),
        mug_xy=(mug[0], mug[1]),
        mug_yaw=float(rng.uniform(-0.5, 0.5)) - 0.9,
        joints=tuple(float(v) for v in HOME + rng.normal(0, _JOINT_SPREAD, 6)),
        failure=failure,
        seed=seed,
    )


def _position_in(cluster: int, mug: tuple[float, ...], rng: np.random.Generator) -> tuple[float, float]:
    while True:
        x, y = np.add(CLUSTERS[cluster], rng.uniform(-_CELL / 2, _CELL / 2, 2))
        if cluster_at(x, y) == cluster and _reachable(x, y) and math.hypot(x - mug[0], y - mug[1]) > _FREE_OF_MUG:
            return float(x), float(y)


def _reachable(x: float, y: float) -> bool:
    return _REACH[0] < math.hypot(x - PAN_AXIS_X, y) < _REACH[1]


# --- failed states -----------------------------------------------------------------------------------------------------


def _stage_missed(twin: TeaBagTwin, start: Start, rng: np.random.Generator) -> None:
    """The hand is over the mug, open and empty; the bag still lies in its cluster."""
    arm = _first_reachable((*start.mug_xy, rng.uniform(0.11, 0.14)), float(rng.uniform(-0.5, 0.5)))
    twin.place(start.bag_xy, start.bag_yaw, start.mug_xy, start.mug_yaw, np.array([*arm, OPEN]))


def _stage_beside_mug(twin: TeaBagTwin, start: Start, rng: np.random.Generator) -> None:
    """As `missed`, with the bag on the desk next to the mug."""
    angle, distance = rng.uniform(-math.pi, math.pi), rng.uniform(0.082, 0.105)
    beside = (start.mug_xy[0] + distance * math.cos(angle), start.mug_xy[1] + distance * math.sin(angle))
    arm = _first_reachable((*start.mug_xy, 0.12), float(rng.uniform(-0.5, 0.5)))
    twin.place(beside, start.bag_yaw, start.mug_xy, start.mug_yaw, np.array([*arm, OPEN]))


def _stage_off_target(twin: TeaBagTwin, start: Start, rng: np.random.Generator) -> None:
    """The hand went down 3 to 5 cm beside the bag."""
    angle, off = rng.uniform(-math.pi, math.pi), rng.uniform(0.03, 0.05)
    point = (start.bag_xy[0] + off * math.cos(angle), start.bag_xy[1] + off * math.sin(angle), 0.015)
    arm = _first_reachable(point, float(rng.uniform(-0.6, 0.6)))
    twin.place(start.bag_xy, start.bag_yaw, start.mug_xy, start.mug_yaw, np.array([*arm, rng.choice([-0.1, 0.3, 0.6])]))


def _stage_dropped(twin: TeaBagTwin, start: Start, rng: np.random.Generator) -> None:
    """The bag fell on the way to the mug, or beside it."""
    expert, wait = Expert(twin), int(rng.integers(5, 45))
    while expert.phase != "carry" and not expert.done:
        twin.advance(expert.act())
    for _ in range(wait):
        if expert.phase in ("carry", "lower"):
            twin.advance(expert.act())
    expert.play(expert.grip(OPEN, 8))
    expert.play(expert.hold(15))


def _first_reachable(point: tuple[float, ...], roll: float) -> NDArray[np.float64]:
    x, y, z = point
    for pitch in PITCHES:
        arm = solve(Grasp((x, y, z), pitch, roll=roll))
        if arm is not None:
            return arm
    raise InvalidInput(f"the point ({x:.3f}, {y:.3f}, {z:.3f}) m is out of reach")
