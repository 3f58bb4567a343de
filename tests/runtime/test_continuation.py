"""Chunks that go on from the one before."""

from itertools import islice

import numpy as np
import pytest

from tests.runtime.loops import RememberingBody
from vla_demo.core.errors import InvalidInput
from vla_demo.core.observation import ActionChunk
from vla_demo.runtime.clocks import ManualClock
from vla_demo.runtime.continuation import Inpainting, hold
from vla_demo.runtime.control_loop import ControlLoop, LoopSettings, Request, SimulatedWorker

NOISE = np.random.default_rng(0).standard_normal((8, 2)).astype(np.float32)
KNOWN = np.arange(10, dtype=np.float32).reshape(5, 2)


def test_what_is_frozen_is_held_what_is_known_less_and_less_and_the_rest_not_at_all() -> None:
    weights = hold(8, known=5, frozen=2)
    assert list(weights[:2]) == [1, 1] and list(weights[5:]) == [0, 0, 0]
    assert 1 > weights[2] > weights[3] > weights[4] > 0


def test_at_the_end_frozen_actions_are_the_known_ones_and_free_ones_untouched() -> None:
    x = np.full((8, 2), 7, np.float32)
    done = Inpainting(KNOWN, 3, NOISE).apply(x, 0.0)
    np.testing.assert_array_equal(done[:3], KNOWN[:3])
    np.testing.assert_array_equal(done[5:], x[5:])


def test_at_the_beginning_frozen_actions_are_noise() -> None:
    np.testing.assert_allclose(Inpainting(KNOWN, 5, NOISE).apply(NOISE, 1.0), NOISE, atol=1e-6)


def test_a_remainder_longer_than_a_chunk_is_cut_and_more_frozen_than_known_is_refused() -> None:
    assert Inpainting(np.ones((20, 2), np.float32), 20, NOISE).apply(NOISE, 0.0).min() == 1
    with pytest.raises(InvalidInput, match="5 are known"):
        Inpainting(KNOWN, 6, NOISE)


def test_the_loop_hands_over_what_is_left_and_how_much_of_it_will_be_executed() -> None:
    clock, asked = ManualClock(), list[Request]()

    def infer(request: Request) -> ActionChunk:
        asked.append(request)
        return ActionChunk(np.zeros((10, 1), np.float32), request.observation.captured_at)

    loop = ControlLoop(RememberingBody(clock), SimulatedWorker(infer, lambda _: 0.3, clock), clock, LoopSettings(10, 10, "seamfree"))
    list(islice(loop.ticks(), 40))
    assert asked[0].after is None
    assert all(r.after is not None and (len(r.after.actions), r.after.frozen) == (5, 3) for r in asked[1:])
