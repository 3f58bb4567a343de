"""LeRobot's queue: stamps, stale actions, overlap."""

import numpy as np
import pytest
from numpy.typing import NDArray

from vla_demo.core.errors import InvalidInput
from vla_demo.runtime.action_queue import AGGREGATES, ActionQueue


def chunk(first: float, count: int) -> NDArray[np.float32]:
    return np.arange(first, first + count, dtype=np.float32)[:, None]


def left(queue: ActionQueue) -> list[float]:
    remainder = queue.remainder()
    return [] if remainder is None else [float(action[0]) for action in remainder]


def test_actions_come_out_in_order_and_then_none() -> None:
    queue = ActionQueue()
    queue.merge(chunk(0, 2), 0, 0.0)
    taken = [queue.take() for _ in range(3)]
    assert [t and float(t.action[0]) for t in taken] == [0.0, 1.0, None] and queue.executed == 2


@pytest.mark.parametrize(
    ("aggregate", "blended"), [("weighted_average", 7.0), ("latest_only", 10.0), ("average", 5.0), ("conservative", 3.0)]
)
def test_where_chunks_overlap_they_are_aggregated_as_lerobot_does(aggregate: str, blended: float) -> None:
    queue = ActionQueue(aggregate)
    queue.merge(np.zeros((2, 1), np.float32), 0, 0.0)
    merged = queue.merge(np.full((3, 1), 10, np.float32), 0, 1.0)
    assert left(queue) == pytest.approx([blended, blended, 10.0]) and (merged.overlapping, merged.fresh) == (2, 1)


def test_stale_actions_are_dropped_and_the_rest_lines_up() -> None:
    queue = ActionQueue("latest_only")
    queue.merge(chunk(0, 6), 0, 0.0)
    for _ in range(4):
        queue.take()
    assert queue.merge(chunk(1, 6), 1, 1.0).stale == 3
    assert left(queue) == [4, 5, 6]


def test_a_chunk_that_is_stale_altogether_erases_nothing() -> None:
    queue = ActionQueue("latest_only")
    queue.merge(chunk(0, 10), 0, 0.0)
    for _ in range(5):
        queue.take()
    merged = queue.merge(chunk(0, 3), 0, 1.0)
    assert (merged.stale, merged.fresh) == (3, 0) and left(queue) == [5, 6, 7, 8, 9]


def test_an_unknown_aggregate_is_refused_with_those_there_are() -> None:
    with pytest.raises(InvalidInput, match=", ".join(AGGREGATES)):
        ActionQueue("median")
