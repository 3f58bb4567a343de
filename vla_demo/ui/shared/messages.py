"""What the server says to the page: plain data in, plain JSON out. Knows no Gradio and runs nothing.

Each message is a dict with a `kind`; the page's `receive` has a function of that name. `run` is the page's name for the piece of work
it belongs to: the page drops what is late. Numbers are rounded to what a screen can show.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.demo import NO_DEMO
from vla_demo.core.errors import VlaDemoError
from vla_demo.core.labels import stage_label
from vla_demo.core.package import PolicyPackage, StageGraph
from vla_demo.core.policy import PolicySpec, StageSpec
from vla_demo.core.precision import OFFERED_PRECISIONS, Precision
from vla_demo.core.variant import Variant
from vla_demo.ui.shared import words
from vla_demo.ui.shared.precisions import dial
from vla_demo.workbench.progress import Preparing

__all__ = [
    "MOST_STEPS",
    "Message",
    "Recipes",
    "Strip",
    "columns",
    "failed",
    "file_url",
    "message",
    "offered",
    "policy",
    "progress",
    "sketch",
]

Message = dict[str, Any]
Recipes = Mapping[str, Mapping[str, str]]  # role -> the mixed precisions known for it, each with a sentence

MOST_STEPS = 20  # end of the steps slider; a link may ask for more
_number = count(time.time_ns() // 1_000_000)  # not from 0: a page that outlives a restart must not take a new message for an old one


def message(kind: str, **content: Any) -> Message:
    """`number` makes equal messages differ: the page only hears of changes."""
    return {"kind": kind, "number": next(_number), **content}


def offered(bundled: Mapping[str, str]) -> Message:
    """The policies to choose from; and in sentences what is missing: where no policy came with the app, how to get some."""
    return {"policies": [{"id": name, "label": label} for name, label in bundled.items()], "missing": [] if bundled else [NO_DEMO]}


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


def columns(rows: NDArray[np.floating]) -> list[list[float]]:
    """(N, J) as J lists of N numbers with two decimals."""
    return [[round(float(v), 2) for v in column] for column in rows.T]


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


def file_url(file: Path) -> str:
    """Relative to the app's root, which only the browser knows; answered with byte ranges, so that a video can be sought."""
    return f"gradio_api/file={quote(str(file))}"
