"""What the server says to the Replay tab: plain data in, plain JSON out. Knows no Gradio and runs nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np

from vla_demo.core.labels import joint_label, joint_unit
from vla_demo.core.package import StageGraph
from vla_demo.core.precision import REFERENCE_PRECISION
from vla_demo.evaluation.replay import ReplayReport, ReplayStep
from vla_demo.runtime.graph_store import Receipt
from vla_demo.ui.replay.contract import Run
from vla_demo.ui.replay.link import View
from vla_demo.ui.shared import words
from vla_demo.ui.shared.messages import Message, columns, file_url, message, offered
from vla_demo.workbench.replay.episodes import EpisodeCard, PlayableEpisode

__all__ = ["episode", "opening", "report", "steps", "traces"]


def opening(view: View, bundled: Mapping[str, str], cards: Sequence[EpisodeCard], shown: PlayableEpisode) -> Message:
    """The first message of a visit."""
    return message(
        "view",
        view=asdict(view),
        **offered(bundled),
        episodes=[{"index": card.index, "label": words.episode_label(card)} for card in cards],
        recording=_episode(shown),
    )


def episode(shown: PlayableEpisode) -> Message:
    return message("episode", recording=_episode(shown))


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


def _episode(shown: PlayableEpisode) -> Message:
    episode = shown.episode
    return {
        "index": episode.index,
        "fps": episode.fps,
        "frames": len(episode),
        "joints": [{"name": name, "label": joint_label(name), "unit": joint_unit(name)} for name in episode.joint_names],
        "actions": columns(episode.actions),
        "cameras": [{"name": c.name, "url": file_url(c.file), "start": c.start} for c in shown.cameras],
        "words": words.recorded(shown),
    }


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
