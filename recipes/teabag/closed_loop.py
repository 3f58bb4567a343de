"""Measure the closed-loop rows that ship with the app and stand in docs/results.md: `assets/demo/rollouts.json`.

    uv run recipes/teabag/closed_loop.py --jobs 2

Each row is a `vla-demo rollout` over the protocol's 20 test and 10 validation starts at 30 fps, 60 simulated seconds each. What was
tried is kept, so that it goes on where it was stopped; what was tried with other code or graphs is tried again.

    uv run recipes/teabag/closed_loop.py --verify 3

measures nothing, but tries some starts of each shipped row again and stamps the row with today's fingerprint where they come out the same.
"""

import argparse
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("MUJOCO_GL", "egl")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from vla_demo.core.demo import require_demo
from vla_demo.core.storage import write_whole
from vla_demo.core.variant import Variant
from vla_demo.evaluation.fingerprint import Verification
from vla_demo.evaluation.rollout_report import RolloutReport
from vla_demo.workbench.machine import machine
from vla_demo.workbench.policies import prepare_policy
from vla_demo.workbench.preparation import prepare_variant
from vla_demo.workbench.rollout.run import RolloutRequest, resolve_latency, roll_out
from vla_demo.workbench.rollout.shipped import MeasuredRollout, batch_of, markdown_table, measured_rollouts, try_again

_SAME = {"act": "vision={0},expert={0}", "smolvla": "vision={0},llm={0},expert={0}"}
ROWS = (
    ("act", "fp32", "sync", "0"),
    ("act", "int8", "sync", "0"),
    ("act", "int4", "sync", "0"),
    ("act", "fp32", "sync", "imx95-published"),
    ("act", "fp32", "async", "imx95-published"),
    ("act", "int8", "sync", "imx95-published"),
    ("act", "int8", "async", "imx95-published"),
    ("smolvla", "fp32", "sync", "0"),
    ("smolvla", "int8", "sync", "0"),
    ("smolvla", "vision=int4,llm=int4", "sync", "0"),
    ("smolvla", "expert=int4", "sync", "0"),
    ("smolvla", "int2", "sync", "0"),
    ("smolvla", "fp32,steps=2", "sync", "0"),
    ("smolvla", "int8", "sync", "400"),
    ("smolvla", "int8", "async", "400"),
    ("smolvla", "int8", "seamfree", "400"),
    ("smolvla", "int8", "sync", "imx95-published"),
    ("smolvla", "int8", "async", "imx95-published"),
    ("smolvla", "fp32", "async", "imx95-published"),
)
"""Policy, precision of every stage (or a variant), mode, latency as `vla-demo rollout` takes it."""


def measured(policy: str, text: str, mode: str, latency: str, jobs: int) -> Iterator[MeasuredRollout | str]:
    """Progress in words, then the row."""
    *_, package = prepare_policy(policy)
    precision, _, rest = text.partition(",")
    named = text if "=" in precision else ",".join(filter(None, [_SAME[policy].format(precision), rest]))
    variant = Variant.parse(named, package.spec)
    list(prepare_variant(package, variant))
    request = RolloutRequest(variant, resolve_latency(latency, package, variant), mode)
    for step in roll_out(package, request, jobs):
        if isinstance(step, RolloutReport):
            yield MeasuredRollout(policy, package.spec.revision, step)
        else:
            yield step.text


def verify(row: MeasuredRollout, count: int) -> MeasuredRollout:
    """The row with today's fingerprint, after `count` of its starts came out as shipped. Raises `SystemExit` when one did not."""
    *_, package = prepare_policy(row.policy)
    batch = batch_of(row, package)
    list(prepare_variant(package, batch.variant))
    for shipped, found in try_again(row, batch, count):
        if shipped != found:
            raise SystemExit(
                f"{row.policy} {row.report.variant} {row.report.mode}: shipped {shipped}, found {found}; measure the row again"
            )
    report = replace(row.report, fingerprint=batch.fingerprint())
    return replace(row, report=report, verified=Verification(min(count, row.report.n), row.report.n, _now()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--verify", type=int, metavar="N", help="measure nothing: try N starts of each shipped row again, in this process")
    parser.add_argument("--policy", choices=sorted(_SAME), help="with --verify: only this one's rows")
    chosen = parser.parse_args()
    if chosen.verify is None:
        _write({"when": _now(), "machine": machine()}, _measure(chosen.jobs))
        return
    rows = measured_rollouts()
    for number, row in enumerate(rows):
        if row.policy == (chosen.policy or row.policy):
            rows[number] = verify(row, chosen.verify)
            print(f"{row.policy} {row.report.variant} {row.report.mode}: {chosen.verify} starts came out as shipped", flush=True)
    shipped = json.loads(require_demo().rollouts.read_text(encoding="utf-8"))
    _write({"when": shipped["when"], "machine": shipped["machine"]}, rows)


def _measure(jobs: int) -> list[MeasuredRollout]:
    rows: list[MeasuredRollout] = []
    for number, row in enumerate(ROWS, 1):
        for step in measured(*row, jobs):
            if isinstance(step, MeasuredRollout):
                rows.append(step)
            else:
                print(f"{number}/{len(ROWS)} {' '.join(row)}: {step}", flush=True)
    return rows


def _write(about: Mapping[str, str], rows: Sequence[MeasuredRollout]) -> None:
    content = {**about, "rows": [row.as_json() for row in rows]}
    write_whole(require_demo().rollouts, (json.dumps(content, indent=1) + "\n").encode())
    print(markdown_table(rows))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


if __name__ == "__main__":
    main()
