"""The recipe's two uses of the twin: labelled pictures that say where things are, and closed-loop rollouts that a judge decides."""

import numpy as np
import pytest
from evaluate import fresh_starts, report, rollout
from scenes import labels_of

from vla_demo.core.observation import ActionChunk, Observation
from vla_demo.twin.demonstrations import solve
from vla_demo.twin.scene import HOME, to_dataset_units
from vla_demo.twin.starts import HELD_OUT, Start
from vla_demo.twin.world import TeaBagTwin


class Recorded:
    """A policy that knows its actions by heart, 100 at a time."""

    def __init__(self, actions: list[np.ndarray]) -> None:
        self.spec = type("Spec", (), {"noise_shape": None})
        self._actions, self._at = actions, 0

    def reset(self) -> None:
        self._at = 0

    def predict_chunk(self, observation: Observation, *, noise: np.ndarray | None = None) -> ActionChunk:
        block = self._actions[self._at : self._at + 100] or [self._actions[-1]] * 100
        self._at += 100
        return ActionChunk(np.stack(block), 0.0)


@pytest.fixture(scope="module")
def twin() -> TeaBagTwin:
    return TeaBagTwin()


@pytest.fixture(scope="module")
def start() -> Start:
    return fresh_starts(1)[0]


def test_the_demonstrators_actions_succeed_in_a_rollout(twin: TeaBagTwin, start: Start) -> None:
    actions = solve(twin, start)
    assert actions is not None
    success, seconds = rollout(Recorded(actions), twin, start, None, 0)
    assert success and seconds < 20


def test_an_arm_that_stays_at_home_fails_after_20_seconds(twin: TeaBagTwin, start: Start) -> None:
    assert rollout(Recorded([to_dataset_units(HOME)]), twin, start, None, 0) == (False, 20.0)


def test_fresh_starts_are_new_and_in_training_clusters() -> None:
    starts = fresh_starts(40)
    assert len({s.bag_xy for s in starts}) == 40
    assert HELD_OUT not in {s.cluster for s in starts}


def test_a_report_counts_by_cluster() -> None:
    rows = [{"cluster": c, "success": s, "seconds": 5.0} for c, s in ((1, True), (1, False), (2, True))]
    found = report(rows)
    assert (found["successes"], found["n"], found["clusters"]) == (2, 3, {1: "1/2", 2: "1/1"})
    assert found["wilson_95"][0] < 2 / 3 < found["wilson_95"][1]


def test_the_label_points_at_the_bright_bag(twin: TeaBagTwin) -> None:
    """Paper and leaves are reddish on a dark mat; the arm is folded away. An eighth of a picture beside the label it is dark."""
    twin.place((0.24, -0.12), 0.4, (0.17, 0.13), -0.9, HOME)
    u, v, depth = labels_of(twin, "top")[:3]
    red = twin.picture("top")[..., 0].astype(int)
    row, column = round((1 - v) * 120), round((1 + u) * 160)
    assert red[row, column] > 2 * red[row, column + 40]
    assert abs(np.exp(depth) - 0.575) < 0.01  # m below the camera


def test_what_a_camera_cannot_see_has_no_label(twin: TeaBagTwin) -> None:
    twin.place((0.24, -0.12), 0.4, (0.17, 0.13), -0.9, HOME)
    twin.data.qpos[int(twin.model.joint("bag").qposadr[0])] = 3.0  # m away
    import mujoco

    mujoco.mj_forward(twin.model, twin.data)
    assert np.isnan(labels_of(twin, "top")[:3]).all()
