"""Grasps and drops from what the fingers touch, tick by tick."""

from vla_demo.evaluation.attempts import Attempts, AttemptTally


def told(*story: tuple[int, str]) -> Attempts:
    """(ticks, what): "free", "held", "goal" (let go in the goal), "done"."""
    tally = AttemptTally()
    for ticks, what in story:
        for _ in range(ticks):
            tally.add(held=what == "held", in_goal=what in ("goal", "done"), success=what == "done")
    return tally.attempts()


def test_one_grasp_and_a_release_in_the_goal_is_a_plain_success() -> None:
    attempts = told((20, "free"), (40, "held"), (5, "goal"), (1, "done"))
    assert attempts == Attempts(success=True, ticks=66, grasps=1, drops=0) and attempts.retries == 0


def test_a_drop_and_a_second_grasp_are_counted() -> None:
    attempts = told((20, "free"), (20, "held"), (10, "free"), (20, "held"), (5, "goal"), (1, "done"))
    assert (attempts.grasps, attempts.drops, attempts.retries) == (2, 1, 1)


def test_a_touch_of_two_ticks_is_no_grasp_and_a_gap_of_two_no_drop() -> None:
    assert told((5, "free"), (2, "held"), (5, "free")).grasps == 0
    attempts = told((5, "held"), (2, "free"), (5, "held"))
    assert (attempts.grasps, attempts.drops) == (1, 0)


def test_time_that_ran_out_with_the_thing_in_hand_is_neither_success_nor_drop() -> None:
    assert told((5, "free"), (50, "held")) == Attempts(success=False, ticks=55, grasps=1, drops=0)
