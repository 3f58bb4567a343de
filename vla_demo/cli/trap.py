"""`vla-demo trap`."""

import argparse
import json
import re
from pathlib import Path
from typing import Any

from vla_demo.cli.printing import ProgressLine, last, print_json
from vla_demo.cli.verb import add_verb, natural, positive

__all__ = ["add_to"]

_RANGE = re.compile(r"(\d+)(?:-(\d+))?")
MOST_NUMBERS = 10_000


def add_to(verbs: Any) -> None:
    """The verb and its arguments."""
    trap = add_verb(verbs, "trap", _trap, "what each precision of each stage costs a policy, and where the error arises")
    trap.add_argument("policy", metavar="POLICY", help="act, smolvla, an exported package, a checkpoint folder or a Hub id")
    trap.add_argument("--episodes", type=_numbers, default=(), metavar="E", help="such as 0,1,5-9 (default: all)")
    trap.add_argument("--dataset", metavar="D", help="a LeRobot v3 folder or Hub id (default: the bundled episodes)")
    trap.add_argument(
        "--variant", action="append", default=[], metavar="V", help="such as vision=int8; may be given again (default: all of them)"
    )
    trap.add_argument("--steps", type=_numbers, metavar="N", help="denoising steps to compare, such as 1,2,5,10 (default: 1,2,5,10,20)")
    trap.add_argument(
        "--layers", metavar="P", help="precisions to try each layer in alone, or none (default: int8,int4; with --variant none)"
    )
    trap.add_argument("--observations-per-episode", type=positive, default=3, metavar="K", help="default: 3")
    trap.add_argument("--seed", type=natural, default=0, metavar="S", help="of the denoising noise (default: 0)")
    trap.add_argument("--revision", metavar="SHA", help="commit of a Hub checkpoint")
    trap.add_argument("--json", action="store_true", help="print one JSON document instead of tables")
    trap.add_argument("--out", type=Path, metavar="FILE", help="write the JSON document there as well")


def _trap(chosen: argparse.Namespace) -> None:
    from vla_demo.cli.sensitivity_table import trap_table
    from vla_demo.core.precision import canonical_precision
    from vla_demo.core.storage import write_whole
    from vla_demo.evaluation.sensitivity import SensitivityReport
    from vla_demo.workbench.datasets import dataset_for
    from vla_demo.workbench.policies import prepare_policy
    from vla_demo.workbench.sensitivity.plan import STANDARD_LAYERS, SensitivityRequest, check_episodes
    from vla_demo.workbench.sensitivity.study import SensitivityStudy

    layers: tuple[str, ...] = () if chosen.variant else STANDARD_LAYERS
    if chosen.layers is not None:
        layers = () if chosen.layers == "none" else tuple(canonical_precision(p.strip()) for p in chosen.layers.split(","))
    request = SensitivityRequest(
        policy=chosen.policy,
        episodes=chosen.episodes,
        variants=tuple(chosen.variant),
        steps=chosen.steps or (),
        layers=layers,
        observations_per_episode=chosen.observations_per_episode,
        seed=chosen.seed,
    )
    dataset = dataset_for(chosen.dataset)
    check_episodes(dataset, request.episodes)  # before an export that may take minutes
    with ProgressLine() as line:
        package = last(line.shown(prepare_policy(chosen.policy, chosen.revision)))
        report: SensitivityReport = last(line.shown(SensitivityStudy(request, package, dataset).steps()))
    document = report.as_json()
    if chosen.out is not None:
        write_whole(chosen.out, (json.dumps(document, allow_nan=False, ensure_ascii=False) + "\n").encode())
    if chosen.json:
        print_json(document)
    else:
        print(trap_table(report))


def _numbers(text: str) -> tuple[int, ...]:
    """`0,1,5-9` as numbers, each once, in order."""
    found: dict[int, None] = {}
    for part in text.split(","):
        match = _RANGE.fullmatch(part.strip())
        if match is None:
            raise argparse.ArgumentTypeError(f"cannot read {part.strip()!r}; numbers are written like 0,1,5-9")
        low, high = int(match[1]), int(match[2] or match[1])
        if not low <= high < low + MOST_NUMBERS:
            raise argparse.ArgumentTypeError(f"{part.strip()} counts backwards or too far; numbers are written like 0,1,5-9")
        found |= dict.fromkeys(range(low, high + 1))
    return tuple(found)
