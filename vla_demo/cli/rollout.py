"""`vla-demo rollout`."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vla_demo.cli.printing import ProgressLine, last, print_json
from vla_demo.cli.verb import add_verb, natural, positive

if TYPE_CHECKING:
    from vla_demo.workbench.rollout.plan import RolloutPlan, RolloutResult

__all__ = ["add_to"]


def add_to(verbs: Any) -> None:
    """The verb and its arguments."""
    rollout = add_verb(verbs, "rollout", _rollout, "let a policy act in the twin, with the latency of a board")
    rollout.add_argument("policy", metavar="POLICY", help="act, smolvla, an exported package, a checkpoint folder or a Hub id")
    rollout.add_argument("--variant", default="", metavar="V", help="such as vision=int8,steps=5; stages it does not name run in FP32")
    rollout.add_argument("--mode", default="async", help="sync, async or, for flow-matching policies, seamfree (default: async)")
    rollout.add_argument(
        "--latency", default="0", metavar="L", help="measured, board:NAME, imx95-published, imx95-predicted or ms (default: 0)"
    )
    rollout.add_argument("--fps", type=float, default=30.0, help="control rate (default: 30)")
    rollout.add_argument("--starts", default="all", metavar="S", help="test (20), validation (10), all, or N-fresh (default: all)")
    rollout.add_argument("--threshold", type=float, default=0.5, help="async: ask when the queue is down to this share (default: 0.5)")
    rollout.add_argument("--aggregate", default="weighted_average", help="async: LeRobot's aggregate function (default: weighted_average)")
    rollout.add_argument("--actions", type=positive, metavar="K", help="actions used of each chunk (default: as the checkpoint says)")
    rollout.add_argument("--patience", type=float, default=60.0, metavar="SEC", help="simulated seconds before it has failed (default: 60)")
    rollout.add_argument("--seed", type=natural, default=0, metavar="S", help="of the denoising noise (default: 0)")
    rollout.add_argument("--jobs", type=positive, default=1, metavar="N", help="processes (default: 1)")
    _add_comparison(rollout)
    _add_videos(rollout)
    rollout.add_argument("--json", action="store_true", help="print one JSON document instead of a table")
    rollout.add_argument("--traces", action="store_true", help="with --json: the queue depth of every start, tick by tick")


def _add_comparison(rollout: argparse.ArgumentParser) -> None:
    against = rollout.add_argument_group("a second batch from the same starts, compared in pairs (McNemar's exact test)")
    against.add_argument("--against", metavar="V", help="its variant (default: as the first)")
    against.add_argument("--against-mode", metavar="M", help="its mode (default: as the first)")
    against.add_argument("--against-latency", metavar="L", help="its latency (default: as the first)")


def _add_videos(rollout: argparse.ArgumentParser) -> None:
    videos = rollout.add_argument_group(
        "videos",
        "One MP4 a start, with the timeline below: green acting, red starved. Made by trying the start again: it comes out the same.",
    )
    videos.add_argument("--video", type=Path, metavar="DIR", help="write them there; of a second batch into DIR/against")
    videos.add_argument("--video-of", choices=("failures", "all"), default="failures", help="which starts (default: failures)")


def _rollout(chosen: argparse.Namespace) -> None:
    from vla_demo.workbench.rollout.plan import RolloutRun

    run = RolloutRun(_plan(chosen))
    try:
        with ProgressLine() as line:
            result = last(line.shown(run.steps()))
    except KeyboardInterrupt:
        if kept := run.kept():
            print(f"\nvla-demo: {kept}", file=sys.stderr)
        raise
    if chosen.json:
        print_json(_document(chosen, result))
    else:
        print(_text(chosen, result))


def _plan(chosen: argparse.Namespace) -> "RolloutPlan":
    from vla_demo.workbench.rollout.plan import RolloutPlan, Side

    first = (chosen.variant, chosen.mode, chosen.latency)
    other = (chosen.against, chosen.against_mode, chosen.against_latency)
    second = (one if asked is None else asked for one, asked in zip(first, other, strict=True))
    return RolloutPlan(
        policy=chosen.policy,
        sides=(Side(*first),) if other == (None, None, None) else (Side(*first), Side(*second)),
        fps=chosen.fps,
        starts=chosen.starts,
        threshold=chosen.threshold,
        aggregate=chosen.aggregate,
        actions_per_chunk=chosen.actions,
        seed=chosen.seed,
        patience=chosen.patience,
        jobs=chosen.jobs,
        videos=chosen.video,
        videos_of=chosen.video_of,
    )


def _document(chosen: argparse.Namespace, result: "RolloutResult") -> dict[str, Any]:
    from vla_demo.runtime.strict_json import to_json

    found = [report.as_json(chosen.traces) for report in result.reports]
    for each, files in zip(found, result.videos, strict=False):
        each["videos"] = [str(file) for file in files]
    document = {"policy": chosen.policy, **found[0]}
    if result.pairs is not None:
        document |= {"against": found[1], "paired": to_json(result.pairs)}
    return document


def _text(chosen: argparse.Namespace, result: "RolloutResult") -> str:
    from vla_demo.cli.rollout_table import rollout_table
    from vla_demo.core.formats import count

    parts = [rollout_table(report, chosen.policy) for report in result.reports]
    if result.pairs is not None:
        parts.append(result.pairs.sentence)
    if chosen.video:
        made = sum(len(files) for files in result.videos)
        parts.append(f"{count(made, 'video')} in {chosen.video}" if made else "no start failed, so no video was made")
    return "\n\n".join(parts)
