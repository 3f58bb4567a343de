"""A link is read part by part: what is good counts, what is bad is named."""

import pytest

from tests.ui.fake_policies import package
from vla_demo.ui.replay.link import read_link
from vla_demo.ui.shared.link import read_variant

BUNDLED = ["act", "smolvla"]
EPISODES = [3, 4, 9]


def test_an_empty_link_is_the_first_bundled_policy_on_the_first_episode() -> None:
    view, wrong = read_link({}, BUNDLED, EPISODES)
    assert (view.policy, view.variant, view.episode, view.seed, view.t, view.run, view.open) == ("act", None, 3, 0, None, False, True)
    assert wrong == []


def test_every_part_of_a_good_link_counts() -> None:
    parts = {"policy": "smolvla", "variant": "vision=int8,steps=4", "episode": "9", "seed": "7", "t": "2.53", "run": "1"}
    view, wrong = read_link(parts, BUNDLED, EPISODES)
    assert (view.policy, view.variant, view.episode, view.seed, view.t, view.run) == ("smolvla", "vision=int8,steps=4", 9, 7, 2.53, True)
    assert wrong == []


@pytest.mark.parametrize(
    ("key", "bad"),
    [
        ("episode", "5"),
        ("episode", "nine"),
        ("seed", "-1"),
        ("seed", "10000"),
        ("t", "nan"),
        ("t", "-2"),
        ("run", "yes"),
        ("policy", "a\x00b"),
        ("variant", "v" * 501),
    ],
)
def test_a_bad_part_is_named_and_replaced_by_its_default(key: str, bad: str) -> None:
    default, _ = read_link({}, BUNDLED, EPISODES)
    view, wrong = read_link({key: bad}, BUNDLED, EPISODES)
    assert view == default
    assert len(wrong) == 1
    assert f"{key}=" in wrong[0]


def test_one_bad_part_leaves_the_others_standing() -> None:
    view, wrong = read_link({"episode": "99", "policy": "smolvla", "t": "1.5"}, BUNDLED, EPISODES)
    assert (view.policy, view.episode, view.t) == ("smolvla", 3, 1.5)
    assert len(wrong) == 1


def test_a_stranger_s_policy_is_named_but_neither_opened_nor_run() -> None:
    view, _ = read_link({"policy": "someone/policy", "run": "1"}, BUNDLED, EPISODES)
    assert (view.policy, view.open, view.run) == ("someone/policy", False, False)


@pytest.mark.parametrize(
    ("text", "kept", "faults"),
    [
        ("vision=int8,llm=int9,expert=int4-b64", "vision=int8,llm=fp32,expert=int4-b64,steps=4", ["int9"]),
        ("vision=int8,wheels=int8,steps=4", "vision=int8,llm=fp32,expert=fp32,steps=4", ["wheels"]),
        ("expert=int8,steps=0,llm", "vision=fp32,llm=fp32,expert=int8,steps=4", ["steps=0", "'llm'"]),
        ("vision=int8,vision=int4", "vision=int8,llm=fp32,expert=fp32,steps=4", ["twice"]),
        ("expert=int8", "vision=fp32,llm=fp32,expert=int8,steps=4", []),
    ],
)
def test_a_bad_stage_of_a_variant_leaves_its_good_ones_standing(text: str, kept: str, faults: list[str]) -> None:
    variant, wrong = read_variant(text, package("smolvla").spec)
    assert str(variant) == kept
    assert len(wrong) == len(faults)
    assert all(fault in sentence for fault, sentence in zip(faults, wrong, strict=True))
