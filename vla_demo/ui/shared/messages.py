"""What the server says to the page: plain data in, plain JSON out. Knows no Gradio and runs nothing.

Each message is a dict with a `kind`; the page's `receive` has a function of that name. `run` is the page's name for the piece of work
it belongs to: the page drops what is late. Numbers are rounded to what a screen can show.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.errors import VlaDemoError
from vla_demo.core.labels import joint_label, joint_unit, stage_label
from vla_demo.core.package import PolicyPackage, StageGraph
from vla_demo.core.policy import PolicySpec, StageSpec
from vla_demo.core.precision import OFFERED_PRECISIONS, REFERENCE_PRECISION, Precision
from vla_demo.core.variant import Variant
from vla_demo.evaluation.replay import ReplayReport, ReplayStep
from vla_demo.runtime.graph_store import Receipt
from vla_demo.ui.shared import words
from vla_demo.ui.shared.bench import Run
from vla_demo.ui.shared.link import View
from vla_demo.ui.shared.precisions import dial
from vla_demo.workbench.progress import Preparing
from vla_demo.workbench.replay.recordings import EpisodeCard, Recording

__all__ = ["MOST_STEPS", "Message", "Recipes", "Strip", "episode", "failed", "opening", "policy", "progress", "report", "sketch", "steps"]

Message = dict[str, Any]
Url = Callable[[Path], str]
Recipes = Mapping[str, Mapping[str, str]]  # role -> the mixed precisions known for it, each with a sentence

MOST_STEPS = 20  # end of the steps slider; a link may ask for more
_number = count(time.time_ns() // 1_000_000)  # not from 0: a page that outlives a restart must not take a new message for an old one


def message(kind: str, **content: Any) -> Message:
    """`number` makes equal messages differ: the page only hears of changes."""
    return {"kind": kind, "number": next(_number), **content}


def opening(view: View, bundled: Mapping[str, str], cards: Sequence[EpisodeCard], recording: Recording, url: Url) -> Message:
    """The first message of a visit."""
    return message(
        "view",
        view=asdict(view),
        policies=[{"id": name, "label": label} for name, label in bundled.items()],
        episodes=[{"index": card.index, "label": words.episode_label(card)} for card in cards],
        recording=_recording(recording, url),
    )


def episode(recording: Recording, url: Url) -> Message:
    return message("episode", recording=_recording(recording, url))


def progress(step: Preparing, run: str) -> Message:
    return message("progress", run=run, text=step.text, fraction=step.fraction)


def failed(what: str, run: str | None, error: VlaDemoError | None = None) -> Message:
    """`error`: what went wrong, if that is for a person to know; its code says to the page what kind it is."""
    return message("failed", what=what, run=run, **({} if error is None else {"code": error.code, "why": str(error)}))


@dataclass(frozen=True, slots=True)
class Strip:
    """What the strip of stages is drawn from. A block for each stage, in running order."""

    spec: PolicySpec
    variant: Variant  # where its dials stand
    fps: float
    recipes: Recipes


def policy(run: str, package: PolicyPackage, strip: Strip) -> Message:
    """The policy can run."""
    return message("policy", run=run, policy=_strip(strip, package.graphs))


def sketch(run: str, strip: Strip) -> Message:
    """The same strip while the package is still being made: it can be dialed, its bytes are not known."""
    return message("sketch", run=run, policy=_strip(strip, ()))


def _strip(strip: Strip, graphs: Sequence[StageGraph]) -> Message:
    spec = strip.spec
    return {
        "stages": [_stage(strip, stage, graphs) for stage in spec.stages],
        "takesNoise": spec.noise_shape is not None,
        "reference": words.reference(spec.noise_shape is not None),
        "chunk": {"actions": spec.chunk_size, "seconds": spec.n_action_steps / strip.fps, "about": words.chunk(spec, strip.fps)},
    }


def steps(run: str, batch: Sequence[ReplayStep], chunks_so_far: int) -> Message:
    """New frames of a run, one list a joint."""
    return message("steps", run=run, **traces(batch), words=words.running(batch[-1], chunks_so_far))


def traces(batch: Sequence[ReplayStep]) -> Message:
    return {
        "start": batch[0].frame,
        "predicted": columns(np.array([s.predicted for s in batch])),
        "reference": columns(np.array([s.reference for s in batch])),
        "chunks": [s.frame for s in batch if s.starts_chunk],
    }


def columns(rows: NDArray[np.floating]) -> list[list[float]]:
    """(N, J) as J lists of N numbers with two decimals."""
    return [[round(float(v), 2) for v in column] for column in rows.T]


def _recording(recording: Recording, url: Url) -> Message:
    episode = recording.episode
    return {
        "index": episode.index,
        "fps": episode.fps,
        "frames": len(episode),
        "joints": [{"name": name, "label": joint_label(name), "unit": joint_unit(name)} for name in episode.joint_names],
        "actions": columns(episode.actions),
        "cameras": [{"name": c.name, "url": url(c.file), "start": c.start} for c in recording.cameras],
        "words": words.recorded(recording),
    }


def _stage(strip: Strip, stage: StageSpec, graphs: Sequence[StageGraph]) -> Message:
    choice = strip.variant.precision(stage.role)
    return {
        "role": stage.role,
        "label": stage_label(stage.role),
        "about": words.stage(stage, strip.spec),
        "precisions": dial(_recipes(choice, strip.recipes.get(stage.role, {}))),
        "choice": choice,
        "bytes": sum(graph.size_bytes for graph in graphs if graph.role == stage.role) or None,
        "steps": _steps(stage, strip.variant),
    }


def _recipes(choice: str, known: Mapping[str, str]) -> Mapping[str, str]:
    """The stage's recipes; one a link names is on the dial even when nobody here knows it: running it says what is missing."""
    if choice in known or Precision.parse(choice).scheme in OFFERED_PRECISIONS:
        return known
    return {**known, choice: "A recipe that is not on this machine."}


def _steps(stage: StageSpec, variant: Variant) -> Message | None:
    if not any(graph.runs_per_denoise_step for graph in stage.graphs):
        return None
    chosen = variant.denoise_steps or 1
    return {"choice": chosen, "most": max(MOST_STEPS, chosen)}


def report(run_id: str, run: Run, played: Sequence[ReplayStep], takes_noise: bool) -> Message:
    """What a finished or stopped run measured, with all its traces: whoever missed a message has them now. `played` is not empty."""
    found, graphs, receipts = run.report(), run.graphs(), run.receipts()
    return message(
        "report",
        run=run_id,
        steps=traces(played),
        stages={role: _measured_stage(role, found, graphs, receipts) for role in found.stage_ms},
        total=sum(ms["p50"] for ms in found.stage_ms.values()),
        source=f"median of {found.chunks}, here",
        vsRecorded=[found.executed_mae[joint] for joint in found.joint_names],
        vsReference=None if found.is_reference else [found.reference_mae[joint] for joint in found.joint_names],
        words=words.measured(found, takes_noise),
        how=words.how(found, takes_noise),
    )


def _measured_stage(role: str, found: ReplayReport, graphs: Sequence[StageGraph], receipts: Sequence[Receipt]) -> Message:
    mine = [graph for graph in graphs if graph.role == role]
    ms, reference_ms = found.stage_ms[role]["p50"], found.reference_stage_ms[role]["p50"]
    quantized = any(graph.precision != REFERENCE_PRECISION for graph in mine)
    # The stage that denoises runs last; with fewer steps than FP32's its time says nothing about the precision.
    same_work = role != found.variant.stages[-1].role or found.variant.denoise_steps == found.reference.denoise_steps
    return {
        "bytes": found.stage_bytes[role],
        "ms": ms,
        "speed": reference_ms / ms if quantized and same_work and ms > 0 else None,
        "proof": words.proof(mine, [found for one in receipts if one.graph.role == role for found in one.difference.values()])
        if quantized
        else [],
    }
