"""`vla-demo mix`."""

import argparse
from pathlib import Path
from typing import Any

from vla_demo.cli.printing import ProgressLine, last, print_json
from vla_demo.cli.verb import add_verb

__all__ = ["add_to"]

_SUFFIXES = {"k": 1_000, "M": 1_000_000, "G": 1_000_000_000}


def add_to(verbs: Any) -> None:
    """The verb and its arguments."""
    mix = add_verb(verbs, "mix", _mix, "find which layers of a stage can have fewer bits, under a budget")
    mix.add_argument("policy", metavar="POLICY", help="act, smolvla, an exported package, a checkpoint folder or a Hub id")
    mix.add_argument("--stage", required=True, metavar="S", help="vision, llm or expert")
    budget = mix.add_mutually_exclusive_group(required=True)
    budget.add_argument("--max-error", type=_share, metavar="E", help="largest error against FP32, in standard deviations of the action")
    budget.add_argument("--max-bytes", type=_bytes, metavar="B", help="largest size of the stage, such as 5M")
    mix.add_argument("--dataset", metavar="D", help="a LeRobot v3 folder or Hub id with training episodes (default: the bundled ones)")
    mix.add_argument("--out", type=Path, metavar="FILE", help="write the recipe there as well, to read, edit and share")
    mix.add_argument("--revision", metavar="SHA", help="commit of a Hub checkpoint")
    mix.add_argument("--json", action="store_true", help="print one JSON document instead of tables")


def _mix(chosen: argparse.Namespace) -> None:
    from vla_demo.cli.mix_table import mix_json, mix_table
    from vla_demo.quantization.recipes import write_recipe
    from vla_demo.workbench.datasets import dataset_for
    from vla_demo.workbench.mixing import Budget, FoundRecipe, find_mix
    from vla_demo.workbench.policies import prepare_policy

    budget = Budget(max_error=chosen.max_error, max_bytes=chosen.max_bytes)
    dataset = dataset_for(chosen.dataset) if chosen.dataset else None
    with ProgressLine() as line:
        package = last(line.shown(prepare_policy(chosen.policy, chosen.revision)))
        found: FoundRecipe = last(line.shown(find_mix(package, chosen.stage, budget, dataset)))
    if chosen.out is not None:
        write_recipe(found.recipe, chosen.out)
    if chosen.json:
        print_json(mix_json(found, chosen.policy))
    else:
        print(mix_table(found, chosen.policy))


def _share(text: str) -> float:
    value = _number(text, "0.02")
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not more than 0")
    return value


def _number(text: str, example: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"cannot read {text!r}; valid is a number such as {example}") from None


def _bytes(text: str) -> int:
    number, factor = (text[:-1], _SUFFIXES[text[-1]]) if text[-1:] in _SUFFIXES else (text, 1)
    value = round(_number(number, "5M, 800k or 5000000") * factor)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than one byte")
    return value
