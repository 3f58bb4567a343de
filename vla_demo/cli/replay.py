"""`vla-demo replay`."""

import argparse
from contextlib import suppress
from pathlib import Path
from typing import Any

from vla_demo.cli.printing import ProgressLine, last, print_json
from vla_demo.cli.verb import add_verb, natural
from vla_demo.core.errors import CheckpointError

__all__ = ["add_to"]


def add_to(verbs: Any) -> None:
    """The verb and its arguments."""
    replay = add_verb(verbs, "replay", _replay, "run a policy over a recorded episode, beside FP32")
    replay.add_argument("policy", metavar="POLICY", help="act, smolvla, an exported package, a checkpoint folder or a Hub id")
    replay.add_argument("--episode", type=int, default=0, metavar="N", help="default: 0")
    replay.add_argument("--dataset", metavar="D", help="a LeRobot v3 folder or Hub id (default: the bundled episodes)")
    replay.add_argument("--variant", default="", metavar="V", help="such as vision=int8,steps=5; stages it does not name run in FP32")
    replay.add_argument("--recipe", type=Path, metavar="FILE", help="what `mixed` in the variant stands for, as `vla-demo mix` writes it")
    replay.add_argument("--horizon", type=int, metavar="K", help="actions executed of each chunk (default: as the checkpoint says)")
    replay.add_argument("--seed", type=natural, default=0, metavar="S", help="of the denoising noise (default: 0)")
    replay.add_argument("--revision", metavar="SHA", help="commit of a Hub checkpoint")
    replay.add_argument("--json", action="store_true", help="print one JSON document instead of tables")


def _replay(chosen: argparse.Namespace) -> None:
    from vla_demo.cli.tables import replay_json, replay_table
    from vla_demo.core.variant import Variant
    from vla_demo.workbench.datasets import dataset_for
    from vla_demo.workbench.mixing import with_recipe
    from vla_demo.workbench.policies import prepare_policy, sketch_policy
    from vla_demo.workbench.replay.run import Replay, RunRequest

    dataset = dataset_for(chosen.dataset)
    dataset.summary(chosen.episode)  # this and the variant before an export that may take minutes
    text = with_recipe(chosen.variant, chosen.recipe)
    with suppress(CheckpointError):  # preparing says it better
        if (sketch := sketch_policy(chosen.policy)) is not None:
            Variant.parse(text, sketch)
    with ProgressLine() as line:
        package = last(line.shown(prepare_policy(chosen.policy, chosen.revision)))
        variant = Variant.parse(text, package.spec)
        replay = Replay(RunRequest(chosen.policy, variant, chosen.episode, chosen.seed), package, dataset, chosen.horizon)
        for step in line.shown(replay.steps()):
            line.tell(f"Frame {step.frame + 1} of {step.frames}", (step.frame + 1) / step.frames)
    report, receipts = replay.report(), replay.receipts()
    if chosen.json:
        print_json({"policy": chosen.policy, "dataset": dataset.name, **replay_json(report, replay.graphs(), receipts)})
    else:
        print(replay_table(report, chosen.policy, receipts))
