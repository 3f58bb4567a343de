"""What Python sends is what the page's types say: real messages of every tab, checked as literals by the type checker of the scripts."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.page.test_scripts import PAGE, ROOT, checkers, copy, faults
from tests.ui.fake_workbench import FakeWorkbench
from tests.ui.test_loop import LANES
from tests.ui.test_loop import run as run_lanes
from tests.ui.test_replay import asked, run, visitor
from tests.ui.test_robot import HOW
from vla_demo.ui.loop.handlers import LoopTab
from vla_demo.ui.replay.handlers import ReplayTab
from vla_demo.ui.robot.handlers import RobotTab
from vla_demo.ui.trap.handlers import TrapTab

__all__ = ["checkers", "copy"]

Message = Mapping[str, Any]
HEAD = """
import type { Answer } from "./vla_demo/ui/page/js/shared/messages";
import type { LoopMessages, Verdict } from "./vla_demo/ui/page/js/loop/messages";
import type { ReplayMessages } from "./vla_demo/ui/page/js/replay/messages";
import type { ChoiceMessages, Checks, News, Rates, RobotMessages } from "./vla_demo/ui/page/js/robot/messages";
import type { TrapMessages } from "./vla_demo/ui/page/js/trap/messages";
type Said<Heard, Kind extends keyof Heard> = Heard[Kind] extends (message: infer Content) => void
  ? Content & { kind: Kind; number: number } : never;
"""


@pytest.fixture
def workbench() -> FakeWorkbench:
    return FakeWorkbench(Path("/videos"))


def check(folder: Path, literals: Iterable[tuple[str, Message]]) -> str:
    """What the type checker has against these messages, each with the type it should have."""
    lines = [f"export const m{i}: {kind} = {json.dumps(said)};" for i, (kind, said) in enumerate(literals)]
    (folder / "said.ts").write_text(HEAD + "\n".join(lines))
    settings = json.loads((ROOT / "tsconfig.json").read_text())
    settings["include"] = ["said.ts", f"{PAGE}/shared/elements.d.ts"]
    settings["compilerOptions"]["noUnusedLocals"] = False  # of all the types a test names its own
    (folder / "tsconfig.json").write_text(json.dumps(settings))
    return faults(folder, "tsc")


def typed(messages: str, said: Iterable[Message]) -> dict[str, Message]:
    """The last message of every kind, by its type."""
    return {f'Said<{messages}, "{one["kind"]}">': one for one in said}


def test_replay_says_what_its_types_say(copy: Path, workbench: FakeWorkbench) -> None:
    tab = ReplayTab(workbench.policies, workbench.replay)
    opened = tab.open_policy(asked(run="o1", source="act", variant=None), visitor())
    said = [*tab.visit(visitor()), *opened, *tab.open_episode(asked(index=1)), *tab.run_variant(run(), visitor())]
    found = typed("ReplayMessages", said)
    assert {kind.split('"')[1] for kind in found} >= {"view", "sketch", "policy", "episode", "steps", "report"}
    assert check(copy, found.items()) == ""


@pytest.mark.parametrize("source", ["act", "smolvla"])
def test_the_trap_says_what_its_types_say(copy: Path, workbench: FakeWorkbench, source: str) -> None:
    tab = TrapTab(workbench.policies, workbench.sensitivity)
    computed = tab.compute_trap(asked(run="t1", source=source), visitor())
    said = [*tab.visit(visitor()), *tab.open_trap(asked(source="someone/policy")), *computed]
    found = typed("TrapMessages", said)
    assert {kind.split('"')[1] for kind in found} >= {"policies", "nothing", "progress", "report"}
    assert check(copy, found.items()) == ""


def test_the_closed_loop_says_what_its_types_say(copy: Path, workbench: FakeWorkbench) -> None:
    tab = LoopTab(workbench.policies, workbench.rollout)
    opened = tab.open_loop(asked(run="o1", source="act", variants=["", ""]), visitor())
    said = [*tab.visit(visitor()), *opened, *tab.show_start(asked(start=301000)), *tab.run_loop(run_lanes(), visitor())]
    found = typed("LoopMessages", said)
    assert {kind.split('"')[1] for kind in found} >= {"setting", "scene", "policy", "frames", "report"}
    lanes = [{**lane, "actions": 100} for lane in LANES]
    weighed = tab.weigh({"latency": 500, "fps": 30, "threshold": 0.5, "chunk": 100, "window": 12, "policy": "act", "lanes": lanes})
    assert check(copy, [*found.items(), ("Verdict", weighed)]) == ""


def test_the_robot_says_what_its_types_say(copy: Path, workbench: FakeWorkbench) -> None:
    tab = RobotTab(workbench.policies, workbench.robot)
    connected = list(tab.open_simulated(asked(run="c1"), visitor()))
    key = str(connected[-1]["key"])
    loaded = list(tab.load_robot(asked(run="l1", key=key, source="act", variant="vision=int8,expert=int8")))
    found = typed("RobotMessages", [*tab.visit(visitor()), *connected, *loaded])
    assert {kind.split('"')[1] for kind in found} >= {"setting", "connected", "loaded"}
    chosen = typed("ChoiceMessages", tab.choose_robot(asked(run="p1", source="act")))
    checks = tab.checks({"key": key})
    for verb in ("reset", "start"):
        tab.command({"key": key, "verb": verb, **HOW})
    answers = {"Checks": checks, "News": tab.watch({"key": key, "tick": 0, "seen": 0.0}), "Rates": tab.rates({"key": key})}
    directly = {f"Answer<{name}>": answer for name, answer in answers.items()}
    assert check(copy, [*found.items(), *chosen.items(), *directly.items()]) == ""


def test_a_part_that_is_missing_unknown_or_of_another_type_is_found(copy: Path, workbench: FakeWorkbench) -> None:
    (view,) = ReplayTab(workbench.policies, workbench.replay).visit(visitor())
    kind = 'Said<ReplayMessages, "view">'
    missing = {key: part for key, part in view.items() if key != "episodes"}
    unknown = {**view, "more": 1}
    other = {**view, "recording": {**view["recording"], "fps": "30"}}
    for spoiled, fault in ((missing, "TS2322"), (unknown, "TS2353"), (other, "TS2322")):
        assert fault in check(copy, [(kind, spoiled)])
