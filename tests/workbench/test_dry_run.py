"""The loop without a world: it starves where the verdict says so, and nowhere else."""

import pytest

from vla_demo.runtime.control_loop import LoopSettings
from vla_demo.runtime.feasibility import feasibility
from vla_demo.workbench.rollout.dry_run import dry_run

BEGUN = 6.0  # s; before that the first chunk is on its way, and the queue settles


def starved_share(mode: str, latency: float, actions: int = 100) -> float:
    ticks = [tick for tick in dry_run(LoopSettings(actions, 30.0, mode), latency, 60.0) if tick.at > BEGUN]
    return sum(tick.action is None for tick in ticks) / len(ticks)


def test_a_short_latency_stalls_sync_and_not_async() -> None:
    assert starved_share("sync", 0.5, 50) > 0.2
    assert starved_share("async", 0.5) == 0


def test_the_article_s_fp32_latency_starves_both() -> None:
    assert starved_share("sync", 2.86, 50) > 0.5
    assert starved_share("async", 2.86) == pytest.approx(feasibility(2.86, 100, 30, 0.5).idle_share, abs=0.05)


@pytest.mark.parametrize(("latency", "actions"), [(0.5, 50), (2.86, 50), (2.86, 100)])
def test_sync_starves_as_the_rule_with_no_reserve_says(latency: float, actions: int) -> None:
    assert starved_share("sync", latency, actions) == pytest.approx(feasibility(latency, actions, 30, 0).idle_share, abs=0.05)


def test_no_latency_starves_nobody() -> None:
    assert starved_share("async", 0) == starved_share("sync", 0) == 0
