"""The guard under anything at all: whatever a policy plans, what is written keeps the limits."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.board.arms import FLOOR, JOINTS, PERIOD, SMALL_ARM
from vla_demo.board.guard import ChunkRejected, Guard
from vla_demo.core.errors import InvalidInput

HOME = [20.0, 0.0, 50.0]
anything = st.floats(allow_nan=True, allow_infinity=True, width=32)
sane = st.floats(-300, 300)
targets = st.lists(st.tuples(anything, sane, sane) | st.tuples(sane, sane, sane) | st.none(), max_size=60)  # None: brake


def begun(limits: object = SMALL_ARM, pose: list[float] = HOME) -> Guard:
    guard = Guard(limits, PERIOD)  # type: ignore[arg-type]
    guard.begin(pose)
    return guard


def driven(guard: Guard, asked: list[tuple[float, ...] | None]) -> NDArray[np.float64]:
    """(N + 1, J) the poses commanded, beginning with the first."""
    poses = [guard.commanded]
    for target in asked:
        guard.brake() if target is None else guard.step(target)
        poses.append(guard.commanded)
    return np.array(poses)


@given(targets)
@settings(max_examples=300, deadline=None)
def test_whatever_is_asked_the_limits_hold(asked: list[tuple[float, ...] | None]) -> None:
    poses = driven(begun(), asked)
    velocity = np.diff(poses, axis=0, prepend=poses[:1]) / PERIOD
    assert np.isfinite(poses).all()
    assert (poses >= SMALL_ARM.low - 1e-6).all() and (poses <= SMALL_ARM.high + 1e-6).all()
    assert (np.abs(velocity) <= SMALL_ARM.max_velocity + 1e-6).all()
    assert (np.abs(np.diff(velocity, axis=0)) <= SMALL_ARM.max_acceleration * PERIOD + 1e-6).all()
    assert (FLOOR.heights(poses) >= FLOOR.lowest - 1e-9).all()


@given(targets, st.lists(st.floats(0.0, 0.1), min_size=60, max_size=60))
@settings(max_examples=300, deadline=None)
def test_however_unevenly_the_ticks_come_the_limits_hold_in_real_time(asked: list[tuple[float, ...] | None], gaps: list[float]) -> None:
    guard, now, seen = begun(), 0.0, [(0.0, np.array(HOME))]
    for target, gap in zip(asked, gaps, strict=False):
        guard.brake(gap) if target is None else guard.step(target, elapsed=gap)
        now += max(gap, 1e-4)
        assert guard.commanded is not None
        seen.append((now, guard.commanded))
    times, poses = np.array([at for at, _ in seen]), np.array([pose for _, pose in seen])
    assert (np.abs(np.diff(poses, axis=0)) <= np.diff(times)[:, None] * SMALL_ARM.max_velocity + 1e-6).all()
    assert (poses >= SMALL_ARM.low - 1e-6).all() and (poses <= SMALL_ARM.high + 1e-6).all()
    assert (FLOOR.heights(poses) >= FLOOR.lowest - 0.002).all()


@given(targets)
@settings(max_examples=100, deadline=None)
def test_from_wherever_it_is_it_comes_to_rest_within_the_fastest_joints_braking_time(asked: list[tuple[float, ...] | None]) -> None:
    guard = begun()
    driven(guard, asked)
    most = int(np.ceil((SMALL_ARM.max_velocity / SMALL_ARM.max_acceleration / PERIOD).max()))
    for _ in range(most):
        guard.brake()
    assert guard.standing
    resting = guard.commanded
    guard.brake()
    np.testing.assert_array_equal(guard.commanded, resting)


def test_a_wider_limit_would_be_noticed_by_that_test() -> None:
    """The negative control: an arm that is allowed more does more."""
    strong = replace(SMALL_ARM, joints=tuple(replace(j, max_velocity=1e4, max_acceleration=1e6) for j in JOINTS), floor=None)
    poses = driven(begun(strong), [(-90.0, 110.0, 0.0)])
    velocity = np.diff(poses, axis=0) / PERIOD
    assert (np.abs(velocity) > SMALL_ARM.max_velocity).any() and (FLOOR.heights(poses) < FLOOR.lowest).any()


def test_a_motion_within_the_limits_is_followed_exactly() -> None:
    guard = begun()
    path = [(20 + 15 * np.sin(t / 15), 40 * np.sin(t / 20) ** 2, 50 + 30 * np.sin(t / 12) ** 2) for t in range(90)]
    np.testing.assert_allclose(driven(guard, path)[5:], path[4:], atol=1e-6)
    assert not guard.limited


def test_a_far_target_is_reached_without_going_past_it() -> None:
    turn = driven(begun(), [(20.0, 60.0, 50.0)] * 40)[:, 1]
    assert turn.max() <= 60 + 1e-6 and abs(turn[-1] - 60) < 0.01


def test_at_the_floor_the_arm_still_turns_and_grips() -> None:
    poses = driven(begun(), [(-80.0, 90.0, 0.0)] * 60)
    assert FLOOR.heights(poses).min() < 0.02
    assert poses[-1, 1] == pytest.approx(90, abs=0.1) and poses[-1, 2] == pytest.approx(0, abs=0.1)


def test_an_arm_that_was_put_below_the_floor_can_come_up_and_not_go_down() -> None:
    assert driven(begun(pose=[-40.0, 0.0, 50.0]), [(-80.0, 0.0, 50.0)] * 20)[-1, 0] == -40
    assert driven(begun(pose=[-40.0, 0.0, 50.0]), [(10.0, 0.0, 50.0)] * 40)[-1, 0] == pytest.approx(10, abs=0.1)


def test_the_gripper_does_not_close_further_than_it_may_press() -> None:
    guard = begun()
    for _ in range(60):
        guard.step([20.0, 0.0, 0.0], measured=[20.0, 0.0, 45.0])  # something 45 wide is in its way
    assert guard.commanded is not None and guard.commanded[2] == pytest.approx(25, abs=0.1)


def test_a_guard_that_could_not_write_for_a_second_does_not_go_on_with_the_motion_of_before() -> None:
    """The servos have reached the last goal meanwhile: what was speed then is none now."""
    moving = begun()
    for _ in range(5):
        goal = moving.step([180, 0, 50])
    assert not moving.standing
    np.testing.assert_array_equal(moving.brake(elapsed=1.0), goal)
    assert moving.standing


@pytest.mark.parametrize("wrong", [[np.nan, 0, 50], [np.inf, 0, 50], [0, 50], [[20, 0, 50]], []])
def test_what_is_no_action_is_a_hold_and_never_zeros(wrong: list[float]) -> None:
    guard = begun()
    np.testing.assert_allclose(guard.step(wrong), HOME)
    assert guard.limited


def chunk(*changes: tuple[int, int, float]) -> NDArray[np.float32]:
    plan = np.tile(np.array(HOME, np.float32), (8, 1))
    for action, joint, value in changes:
        plan[action:, joint] = value
    return plan


@pytest.mark.parametrize(
    ("plan", "why"),
    [
        (chunk((3, 1, np.nan)), "action 4 of 8: turn at nan is not a finite number"),
        (chunk((0, 0, np.inf)), "action 1 of 8: lift at inf is not a finite number"),
        (chunk((0, 0, 110.0)), "lift at 110 is far outside"),
        (chunk((2, 1, 60.0)), "action 3 of 8: turn at 60 is a jump"),
        (chunk()[:, :2], "3 joints"),
        (chunk()[:0], "1 to 1000 actions"),
        (chunk()[0], "1 to 1000 actions"),
        (np.tile(chunk(), (200, 1)), "1 to 1000 actions"),
    ],
)
def test_a_plan_that_is_nonsense_is_refused_with_its_place(plan: NDArray[np.float32], why: str) -> None:
    with pytest.raises(ChunkRejected, match=why):
        begun().check_chunk(plan)


def test_a_plan_that_goes_a_little_too_far_or_too_fast_is_taken_and_cut() -> None:
    guard = begun()
    guard.check_chunk(chunk((2, 1, 12.0), (4, 0, 0.0)))
    guard.check_chunk(chunk((0, 2, 105.0)))


def test_an_arm_that_does_not_say_where_it_is_does_not_begin() -> None:
    with pytest.raises(InvalidInput, match="does not say"):
        begun(pose=[np.nan, 0, 0])
    with pytest.raises(InvalidInput, match="was not told"):
        Guard(SMALL_ARM, PERIOD).brake()


def test_limits_that_allow_nothing_are_refused() -> None:
    for wrong in ({"low": 100.0}, {"max_velocity": 0.0}, {"max_acceleration": np.nan}):
        with pytest.raises(InvalidInput, match="empty"):
            replace(JOINTS[0], **wrong)
