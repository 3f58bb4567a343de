"""The recipe's labelled pictures of the twin say where things are."""

import numpy as np
import pytest
from scenes import labels_of

from vla_demo.twin.scene import HOME
from vla_demo.twin.world import TeaBagTwin


@pytest.fixture(scope="module")
def twin() -> TeaBagTwin:
    return TeaBagTwin()


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
