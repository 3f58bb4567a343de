"""`vla-demo rollout`."""

import argparse
from typing import Any

from vla_demo.cli.printing import ProgressLine, last, print_json
from vla_demo.cli.verb import add_verb, natural, positive

__all__ = ["add_to"]


def add_to(verbs: Any) -> None:
    """The verb and its arguments."""
    rollout = add_verb(verbs, "rollout", _rollout, "let a policy act in the twin, with the latency of a board")
    rollout.add_argument("policy", metavar="POLICY", help="act, smolvla, an exported package, a checkpoint folder or a Hub id")
    rollout.add_argument("--variant", default="", metavar="V", help="such as vision=int8,steps=5; stages it does not name run in FP32")
    rollout.add_argument("--mode", default="async", help="sync, async or, for flow-matching policies, seamfree (default: async)")
    rollout.add_argument("--latency", default="0", metavar="L", help="measured, imx95-published, imx95-predicted or ms (default: 0)")
    rollout.add_argument("--fps", type=float, default=30.0, help="control rate (default: 30)")
    rollout.add_argument("--starts", default="all", metavar="S", help="test (20), validation (10), all, or N-fresh (default: all)")
    rollout.add_argument("--threshold", type=float, default=0.5, help="async: ask when the queue is down to this share (default: 0.5)")
    rollout.add_argument("--aggregate", default="weighted_average", help="async: LeRobot's aggregate function (default: weighted_average)")
    rollout.add_argument("--actions", type=positive, metavar="K", help="actions used of each chunk (default: as the checkpoint says)")
    rollout.add_argument("--patience", type=float, default=60.0, metavar="SEC", help="simulated seconds before it has failed (default: 60)")
    rollout.add_argument("--seed", type=natural, default=0, metavar="S", help="of the denoising noise (default: 0)")
    rollout.add_argument("--jobs", type=positive, default=1, metavar="N", help="processes (default: 1)")
    rollout.add_argument("--json", action="store_true", help="print one JSON document instead of a table")


def _rollout(chosen: argparse.Namespace) -> None:
    from vla_demo.core.variant import Variant
    from vla_demo.workbench.policies import prepare_policy
    from vla_demo.workbench.replays import prepare_variant
    from vla_demo.workbench.rollout_table import rollout_table
    from vla_demo.workbench.rollouts import RolloutRequest, latency_named, roll_out

    with ProgressLine() as line:
        package = last(line.shown(prepare_policy(chosen.policy)))
        variant = Variant.parse(chosen.variant, package.spec)
        for _ in line.shown(prepare_variant(package, variant)):
            pass
        request = RolloutRequest(
            variant=variant,
            latency=latency_named(chosen.latency, package, variant),
            mode=chosen.mode,
            fps=chosen.fps,
            starts=chosen.starts,
            threshold=chosen.threshold,
            aggregate=chosen.aggregate,
            actions_per_chunk=chosen.actions,
            seed=chosen.seed,
            patience=chosen.patience,
        )
        report = last(line.shown(roll_out(package, request, chosen.jobs)))
    if chosen.json:
        print_json({"policy": chosen.policy, **report.as_json()})
    else:
        print(rollout_table(report, chosen.policy))
