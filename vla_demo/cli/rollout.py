"""`vla-demo rollout`."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vla_demo.cli.printing import ProgressLine, last, print_json
from vla_demo.cli.verb import add_verb, natural, positive

if TYPE_CHECKING:
    from vla_demo.core.package import PolicyPackage
    from vla_demo.evaluation.rollout_report import RolloutReport
    from vla_demo.workbench.rollout.run import RolloutRequest

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
    from vla_demo.workbench.policies import prepare_policy
    from vla_demo.workbench.rollout.video import prepare_folder

    if chosen.video:
        prepare_folder(chosen.video)
    with ProgressLine() as line:
        package = last(line.shown(prepare_policy(chosen.policy)))
        requests = _requests(line, package, chosen)
        reports = [_rolled_out(line, package, request, chosen.jobs) for request in requests]
        places = [chosen.video, chosen.video and chosen.video / "against"]
        videos = [_filmed(line, package, *one, chosen) for one in zip(requests, places, strict=False)] if chosen.video else []
    if chosen.json:
        print_json(_document(chosen, reports, videos))
    else:
        print(_text(chosen, reports, videos))


def _requests(line: ProgressLine, package: "PolicyPackage", chosen: argparse.Namespace) -> "list[RolloutRequest]":
    """One, or two to be compared. Both are checked before the work begins."""
    from vla_demo.core.errors import InvalidInput
    from vla_demo.workbench.rollout.batch import Batch

    first = (chosen.variant, chosen.mode, chosen.latency)
    asked = (chosen.against, chosen.against_mode, chosen.against_latency)
    second = tuple(one if other is None else other for one, other in zip(first, asked, strict=True))
    requests = [_request(line, package, chosen, *first)]
    if second != first or asked != (None, None, None):
        requests.append(_request(line, package, chosen, *second))
    if len(requests) == 2 and requests[0] == requests[1]:
        raise InvalidInput("the two batches would be the same; change the second by --against, --against-mode or --against-latency")
    for request in requests:
        Batch.of(package, request)
    return requests


def _request(
    line: ProgressLine, package: "PolicyPackage", chosen: argparse.Namespace, named: str, mode: str, latency: str
) -> "RolloutRequest":
    from vla_demo.core.variant import Variant
    from vla_demo.workbench.preparation import prepare_variant
    from vla_demo.workbench.rollout.run import RolloutRequest, latency_named

    variant = Variant.parse(named, package.spec)
    for _ in line.shown(prepare_variant(package, variant)):
        pass
    return RolloutRequest(
        variant=variant,
        latency=latency_named(latency, package, variant),
        mode=mode,
        fps=chosen.fps,
        starts=chosen.starts,
        threshold=chosen.threshold,
        aggregate=chosen.aggregate,
        actions_per_chunk=chosen.actions,
        seed=chosen.seed,
        patience=chosen.patience,
    )


def _rolled_out(line: ProgressLine, package: "PolicyPackage", request: "RolloutRequest", jobs: int) -> "RolloutReport":
    from vla_demo.evaluation.rollout_report import RolloutReport
    from vla_demo.workbench.rollout.run import roll_out

    with _telling_what_is_kept(package, request):
        report = last(line.shown(roll_out(package, request, jobs)))
    assert isinstance(report, RolloutReport)
    return report


@contextmanager
def _telling_what_is_kept(package: "PolicyPackage", request: "RolloutRequest") -> Iterator[None]:
    from vla_demo.workbench.rollout.batch import Batch, RolloutStore

    try:
        yield
    except KeyboardInterrupt:
        batch = Batch.of(package, request)
        kept = f"{len(RolloutStore.of(batch).read(batch))} of {len(batch.starts)} starts are kept"
        print(f"\nvla-demo: {kept}; the same command goes on from there", file=sys.stderr)
        raise


def _filmed(
    line: ProgressLine, package: "PolicyPackage", request: "RolloutRequest", folder: Path, chosen: argparse.Namespace
) -> list[Path]:
    from vla_demo.workbench.rollout.run import film_rollouts

    return [file for file in line.shown(film_rollouts(package, request, chosen.video_of, folder, chosen.jobs)) if isinstance(file, Path)]


def _document(chosen: argparse.Namespace, reports: "list[RolloutReport]", videos: list[list[Path]]) -> dict[str, Any]:
    from vla_demo.evaluation.rollout_report import name_apart, paired
    from vla_demo.runtime.strict_json import to_json

    found = [report.as_json(chosen.traces) for report in reports]
    for each, files in zip(found, videos, strict=False):
        each["videos"] = [str(file) for file in files]
    document = {"policy": chosen.policy, **found[0]}
    if len(reports) == 2:
        document |= {"against": found[1], "paired": to_json(paired(reports[0], reports[1], name_apart(reports[0], reports[1])))}
    return document


def _text(chosen: argparse.Namespace, reports: "list[RolloutReport]", videos: list[list[Path]]) -> str:
    from vla_demo.cli.rollout_table import rollout_table
    from vla_demo.core.formats import count
    from vla_demo.evaluation.rollout_report import name_apart, paired

    parts = [rollout_table(report, chosen.policy) for report in reports]
    if len(reports) == 2:
        parts.append(paired(reports[0], reports[1], name_apart(reports[0], reports[1])).sentence)
    if chosen.video:
        made = sum(len(files) for files in videos)
        parts.append(f"{count(made, 'video')} in {chosen.video}" if made else "no start failed, so no video was made")
    return "\n\n".join(parts)
