"""The sentences on the page. Every figure says how it was obtained and over how many; pure functions of plain data.

A section is a dict the page sets as it is: title, value and aside (the big figure), notes (sentences).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from vla_demo.core.formats import cosine, count, in_megabytes, milliseconds, seconds, with_unit
from vla_demo.core.labels import MODE_SENTENCES, MODES, family_label, joint_label, joint_unit
from vla_demo.core.package import StageGraph
from vla_demo.core.policy import PolicySpec, StageSpec
from vla_demo.evaluation.replay import ReplayReport, ReplayStep
from vla_demo.workbench.replay.episodes import EpisodeCard, PlayableEpisode

__all__ = [
    "Section",
    "chunk",
    "episode_label",
    "how",
    "measured",
    "modes",
    "proof",
    "recorded",
    "reference",
    "running",
    "stage",
    "unit_means",
]

Section = dict[str, Any]

HELD_OUT = 6  # the protocol's cluster that no training demonstration comes from


def section(title: str, value: str = "", aside: str = "", notes: Sequence[str] = ()) -> Section:
    return {"title": title, "value": value, "aside": aside, "notes": [note for note in notes if note]}


def episode_label(card: EpisodeCard) -> str:
    parts = [f"Episode {card.index}", card.split, f"cluster {card.cluster}" if card.cluster else None]
    return " · ".join([part for part in parts if part] + (["recovery"] if card.is_recovery else []))


def stage(stage: StageSpec, spec: PolicySpec) -> str:
    """What the stage takes and how often it runs, read from its graphs."""
    if any(graph.runs_per_denoise_step for graph in stage.graphs):
        return "flow matching, one pass per denoising step"
    takes = {name for graph in stage.graphs for name in graph.inputs}
    if "pixels" in takes:
        return f"{count(len(spec.cameras), 'camera')}, once a chunk"
    if "token_ids" in takes:
        return "pictures, words and joints, once a chunk"
    return f"one pass gives all {spec.chunk_size} actions"


def chunk(spec: PolicySpec, fps: float) -> str:
    motion = f"a chunk: {seconds(spec.chunk_size / fps, 2)} of motion at {fps:g} fps"
    return motion if spec.n_action_steps == spec.chunk_size else f"{motion}, {spec.n_action_steps} carried out"


def modes(spec: PolicySpec) -> list[dict[str, str]]:
    """Each with what keeps this policy from it, if anything does."""
    name = family_label(spec.family)
    problem = "" if spec.noise_shape is not None else f"{name} does not denoise, so no chunk can go on from another."
    return [
        {"mode": mode, "label": label, "about": MODE_SENTENCES[mode], "problem": problem if mode == "seamfree" else ""}
        for mode, label in MODES.items()
    ]


def recorded(shown: PlayableEpisode) -> list[Section]:
    """Before a run: what is playing, and what Run will do."""
    episode = shown.episode
    length = seconds((len(episode) - 1) / episode.fps)
    return [
        section("recorded demonstration", length, f"{len(episode)} frames", [f"“{episode.instruction}”", _start_of(shown.card)]),
        section(
            "next",
            notes=[
                "Choose a precision for each stage and press Run. The policy plans from these very pictures, "
                "and its traces grow over the recorded ones, beside its own FP32 reference."
            ],
        ),
    ]


def _start_of(card: EpisodeCard) -> str:
    if card.cluster is None:
        return ""
    fresh = "no training demonstration starts there" if card.cluster == HELD_OUT else "training saw others from there"
    return f"The bag starts in cluster {card.cluster}: {fresh}."


def running(step: ReplayStep, chunks: int) -> list[Section]:
    planned = sum(step.stage_ms.values())
    return [
        section("running", f"{step.frame + 1}", f"of {step.frames} frames", [f"Chunk {chunks} took {milliseconds(planned)} to plan, here."])
    ]


def reference(takes_noise: bool) -> str:
    """What a variant is compared with, beside the recording."""
    return "FP32 reference, same noise" if takes_noise else "FP32 reference"


def measured(report: ReplayReport, takes_noise: bool) -> list[Section]:
    """After a run, stopped or not: the two comparisons, which never share a name."""
    return [_vs_reference(report, takes_noise), _vs_recorded(report)]


def _vs_reference(report: ReplayReport, takes_noise: bool) -> Section:
    title = f"vs {reference(takes_noise)}"
    if report.is_reference:
        note = "This run is the reference itself. Choose another precision for a stage, or fewer steps, to see what it costs."
        return section(title, notes=[note])
    means = unit_means(report.reference_mae)
    units = ", gripper ".join(means)
    return section(
        title,
        _mean_text(means),
        f"mean abs{_gripper_text(means)}",
        [
            f"Largest gap of one joint {report.reference_max_abs:.2f} ({units}); least cosine {cosine(report.reference_min_cosine)}. "
            f"Over {count(report.chunks, 'whole chunk')}."
        ],
    )


def _vs_recorded(report: ReplayReport) -> Section:
    means, reference = unit_means(report.executed_mae), unit_means(report.reference_executed_mae)
    inside = round(report.within_tolerance * report.frames)
    beside = "" if report.is_reference else f"; FP32 {_mean_text(reference)}"
    return section(
        "vs recorded demonstration",
        _mean_text(means),
        f"mean abs{_gripper_text(means)}{beside}",
        [f"{inside} of {report.frames} executed actions have every joint within {_tolerance_text(report.tolerance)}."],
    )


def how(report: ReplayReport, takes_noise: bool) -> str:
    """The small print under a run: what ran, what it can and cannot say, where the times come from."""
    whole = report.frames == report.episode_frames
    ran = f"All {report.frames} frames" if whole else f"Stopped after {report.frames} of {report.episode_frames} frames"
    noise = f", noise seed {report.seed}" if takes_noise else ""
    return (
        f"{ran} of episode {report.episode}{noise}. Open loop: at each chunk the policy sees the recorded pictures, whatever it planned "
        "before; what the arm would have met instead, this does not say. Errors are over the actions that would be executed; over whole "
        f"chunks the mean vs recorded is {_mean_text(unit_means(report.chunk_mae))}. Times are medians of {count(report.chunks, 'chunk')} "
        f"on {report.measured_on}."
    )


def proof(graphs: Sequence[StageGraph], differences: Sequence[float]) -> list[tuple[str, str]]:
    """That a stage really is quantized, each with its small print: products, bytes of FP32 weights, what came of it, the files' hashes.

    `differences` are the largest ones of each output of the graphs; none where nothing was compared.
    """
    nodes, quantized = sum(g.nodes for g in graphs), sum(g.quantized_nodes for g in graphs)
    weights, of = sum(g.quantized_weight_bytes for g in graphs), sum(g.weight_bytes for g in graphs)
    return [
        (f"{quantized}/{nodes} nodes", "products of an activation with weights that were quantized"),
        (f"{_quantized_share(weights, of)} weights", "weights that were quantized, counted as they were in FP32"),
        *(
            [(_difference(max(differences)), "largest difference of the outputs of this stage's graphs, on random inputs")]
            if differences
            else []
        ),
        ("+".join(g.sha256[:7] for g in graphs), "\n".join(f"{g.name}: sha256 {g.sha256}" for g in graphs)),
    ]


def _quantized_share(quantized: int, of: int) -> str:
    """`15.50/15.52 MB`: as many digits as it takes to see that something was left out."""

    def amounts(digits: int) -> tuple[str, str]:
        return in_megabytes(quantized, digits), in_megabytes(of, digits)

    digits = next(n for n in range(1, 7) if n == 6 or quantized == of or len(set(amounts(n))) == 2)
    return f"{'/'.join(amounts(digits))} MB"


def _difference(largest: float) -> str:
    return f"differs from FP32 by up to {largest:.2g}" if largest > 0 else "equal to FP32: stored losslessly"


def unit_means(values: Mapping[str, float]) -> dict[str, float]:
    """The mean over the joints of each unit: degrees and percent are never averaged together."""
    units = sorted({joint_unit(joint) for joint in values}, reverse=True)  # "°" before "%"
    groups = {u: [value for joint, value in values.items() if joint_unit(joint) == u] for u in units}
    return {u: sum(group) / len(group) for u, group in groups.items()}


def _mean_text(means: Mapping[str, float]) -> str:
    unit, mean = next(iter(means.items()))
    return with_unit(mean, unit)


def _gripper_text(means: Mapping[str, float]) -> str:
    return f", gripper {with_unit(means['%'], '%')}" if len(means) > 1 else ""


def _tolerance_text(tolerance: Mapping[str, float]) -> str:
    """5° (gripper 5 %) when the joints of a unit share theirs, else joint by joint."""
    units = {u: {value for joint, value in tolerance.items() if joint_unit(joint) == u} for u in unit_means(tolerance)}
    if any(len(values) > 1 for values in units.values()):
        return ", ".join(f"{with_unit(value, joint_unit(joint), 1)} ({joint_label(joint)})" for joint, value in tolerance.items())
    first, *rest = [with_unit(next(iter(values)), u, 0) for u, values in units.items()]
    return first + "".join(f" (gripper {text})" for text in rest)
