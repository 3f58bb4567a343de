import numpy as np
import pytest

from vla_demo.twin.scene import HOME, INSTRUCTION, from_dataset_units, to_dataset_units
from vla_demo.twin.starts import fresh_start, prepare
from vla_demo.twin.world import TeaBagTwin


@pytest.fixture(scope="module")
def twin():
    world = TeaBagTwin((96, 128))
    yield world
    world.close()


def test_units_round_trip_and_the_gripper_is_a_percentage():
    values = to_dataset_units(HOME)
    np.testing.assert_allclose(from_dataset_units(values), HOME, atol=1e-6)
    assert values[0] == 0 and to_dataset_units(np.array([0, 0, 0, 0, 0, 1.745]))[5] == pytest.approx(100)


def begin(twin, seed):
    prepare(twin, fresh_start(seed))
    return twin.observe()


def test_a_tick_takes_a_thirtieth_of_a_second_and_every_camera_shows_something(twin):
    seen = begin(twin, 3)
    assert set(seen.images) == {"top", "gripper", "left"} and seen.instruction == INSTRUCTION
    assert all(p.shape == (96, 128, 3) and p.dtype == np.uint8 and p.std() > 10 for p in seen.images.values())
    twin.advance(from_dataset_units(seen.joints))
    assert twin.observe().captured_at == pytest.approx(seen.captured_at + 1 / 30)
    assert not twin.measure().success


def test_the_arm_follows_its_targets(twin):
    begin(twin, 4)
    target = to_dataset_units(HOME + np.array([0.3, 0.2, -0.2, 0.1, 0.4, 0.3]))
    for _ in range(60):
        twin.advance(from_dataset_units(target))
    np.testing.assert_allclose(to_dataset_units(twin.joints), target, atol=1.0)


def test_the_same_seed_gives_the_same_world_bit_for_bit(twin):
    first = begin(twin, 9)
    state = twin.data.qpos.copy()
    again = begin(twin, 9)
    np.testing.assert_array_equal(twin.data.qpos, state)
    np.testing.assert_array_equal(first.images["top"], again.images["top"])


def test_success_needs_the_bag_in_the_mug_released_and_at_rest(twin):
    start = fresh_start(2)
    twin.place(start.mug_xy, 0.0, start.mug_xy, 0.0, HOME)  # laid into the mug: it falls and settles
    for _ in range(30):
        twin.hold()
    assert twin.measure().success
    twin.place((start.mug_xy[0] + 0.08, start.mug_xy[1]), 0.0, start.mug_xy, 0.0, HOME)
    assert not twin.measure().success and twin.measure().bag_to_mug == pytest.approx(0.08, abs=5e-3)


def test_holding_keeps_the_last_commanded_pose(twin):
    begin(twin, 6)
    before = twin.data.ctrl.copy()
    twin.hold()
    np.testing.assert_array_equal(twin.data.ctrl, before)
