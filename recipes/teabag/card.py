"""Writes a checkpoint's model card from what its run recorded: data, recipe, steps, and its closed loop."""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vla_demo.checkpoints.saving import loading_section

__all__ = ["card"]

_TITLES = {"act": "ACT on the tea-bag twin", "smolvla": "A small SmolVLA on the tea-bag twin"}
_MODELS = {
    "act": "LeRobot's `ACTPolicy`: ResNet-18 at 3 x 96x128, 256 wide, 4 encoder layers and 1 decoder layer, chunks of 100, no VAE.",
    "smolvla": (
        "LeRobot's `SmolVLAPolicy` on a local SmolVLM config (vision 192 x 6 layers at 128x128, language 256 x 6 layers, expert 192 x 6 "
        "layers), chunks of 50, 10 denoising steps. No pretrained language model: it knows this task's sentence and no other."
    ),
}
_STAGES = {
    "vision": "vision pretrained on {pictures} pictures of the simulated desk, labelled with where bag, mug, fingers and joints are "
    "(no scene begins with a bag in the held-out cluster); it stands in for ImageNet or SigLIP weights",
    "policy": "everything else on the frozen features of the demonstrations",
    "finetune": "everything end to end on pictures",
}


def card(family: str, run: Path, scores: dict[str, Any], stages: tuple[str, ...] = tuple(_STAGES), note: str = "") -> str:
    """Markdown. `scores`: of `vla-demo rollout --mode sync --json`; `stages`: what the checkpoint went through; `note`: of its data."""
    low, high = scores["wilson95"]
    every = json.loads((run / "checkpoint" / "config.json").read_text())["n_action_steps"]
    clusters = ", ".join(f"{cluster}: {share}" for cluster, share in scores["by_cluster"].items())
    return (
        f"# {_TITLES[family]}\n\n{_MODELS[family]}\n\n"
        "Grabs a tea bag and drops it into a mug in simulation (`vla_demo.twin`). It shows how policies react to quantization; it "
        "is not for a real arm.\n\n"
        "## Scores\n\n"
        f"**{scores['successes']}/{scores['n']}** (Wilson 95 %: {low:.2f} to {high:.2f}) in closed loop: the 20 test starts of the "
        "training clusters and the 10 validation starts of held-out cluster 6, FP32, synchronous, no latency, the twin's own judge, "
        f"60 s each, {every} actions of each chunk carried out. By cluster: {clusters}.\n\n"
        "## Data and recipe\n\n"
        "120 demonstrations by the twin's scripted expert (10 clusters x 10 positions + 2 recoveries), 30 Hz, three cameras. "
        f"{note + ' ' if note else ''}`recipes/teabag/train.py`, on CPU cores:\n\n"
        + "".join(f"- {line}\n" for line in _stage_lines(run, stages))
        + "\n"
        + loading_section(family)
    )


def _stage_lines(run: Path, stages: tuple[str, ...]) -> list[str]:
    pictures = sum(3 * len(np.load(file)) for file in (run.parent / "scenes").glob("*_labels.npy"))
    lines = []
    for name, what in _STAGES.items():
        file = run / f"{name}.state.pt"
        if name in stages and file.is_file():
            state = torch.load(file, weights_only=False, mmap=True)
            lines.append(f"{name}: {what.format(pictures=pictures)}; {state['step']} steps, {state['elapsed'] / 60:.0f} processor minutes")
    return lines


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--policy", choices=tuple(_TITLES), required=True)
    parser.add_argument("--run", type=Path, required=True, help="train.py's --out")
    parser.add_argument("--scores", type=Path, required=True, help="what vla-demo rollout --mode sync --json printed")
    parser.add_argument("--stages", nargs="+", choices=tuple(_STAGES), default=tuple(_STAGES), help="what the checkpoint went through")
    parser.add_argument("--note", default="", help="a sentence on the data, where it was not only that")
    arguments = parser.parse_args()
    text = card(arguments.policy, arguments.run, json.loads(arguments.scores.read_text()), tuple(arguments.stages), arguments.note)
    (arguments.run / "checkpoint" / "README.md").write_text(text)
    print(text)
