"""The twin driven by a control loop."""

import numpy as np
import pytest

from vla_demo.core.errors import InvalidInput
from vla_demo.twin.body import TwinBody
from vla_demo.twin.protocol import protocol_starts
from vla_demo.twin.world import TeaBagTwin

START = protocol_starts("test")[0]


def test_a_tick_lasts_a_control_period_whatever_the_rate() -> None:
    twin = TeaBagTwin((24, 32))
    for fps in (30.0, 60.0):
        body = TwinBody(twin, START, fps)
        for _ in range(int(fps)):
            body.hold()
        assert body.observe().captured_at == pytest.approx(1.0)


def test_it_goes_where_it_is_sent_and_holds_there() -> None:
    body = TwinBody(TeaBagTwin((24, 32)), START)
    there = body.observe().joints + np.array([10, 0, 0, 0, 0, 0], np.float32)
    for _ in range(30):
        body.act(there)
    for _ in range(5):
        body.hold()
    np.testing.assert_allclose(body.observe().joints[0], there[0], atol=1.0)
    assert not body.measure().success


def test_a_rate_that_does_not_fit_the_physics_is_refused() -> None:
    with pytest.raises(InvalidInput, match="10, 20, 30, 50 and 60"):
        TwinBody(TeaBagTwin((24, 32)), START, 45.0)
