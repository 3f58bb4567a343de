"""What the trap report asks: which moments of which episodes, and which variants. Runs nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vla_demo.core.errors import InvalidInput
from vla_demo.core.observation import Episode
from vla_demo.core.policy import PolicySpec
from vla_demo.core.precision import OFFERED_PRECISIONS, Precision
from vla_demo.core.variant import REFERENCE_PRECISION, Variant
from vla_demo.episodes import Dataset
from vla_demo.evaluation.conclusions import Question
from vla_demo.evaluation.replay import chunk_noise
from vla_demo.evaluation.sensitivity import ALL_STAGES
from vla_demo.evaluation.study import Moment

__all__ = [
    "DEFAULT_STEPS",
    "STANDARD_LAYERS",
    "SensitivityRequest",
    "check_episodes",
    "moments_of",
    "question_about",
    "standard_precisions",
]

DEFAULT_STEPS = (1, 2, 5, 10, 20)
STANDARD_LAYERS = ("int8", "int4")
OTHER_SEEDS = 2  # more noises of each observation, for the spread from seed to seed


@dataclass(frozen=True, slots=True)
class SensitivityRequest:
    """What to study."""

    policy: str  # as a person named it
    episodes: tuple[int, ...] = ()  # none: all of the dataset
    variants: tuple[str, ...] = ()  # none: every stage alone and all together in every precision
    steps: tuple[int, ...] = ()  # denoising steps to compare; none: `DEFAULT_STEPS` of a policy that denoises
    layers: tuple[str, ...] = ()  # precisions in which every layer is tried alone
    observations_per_episode: int = 3
    seed: int = 0  # of the denoising noise


def standard_precisions() -> tuple[str, ...]:
    """What each stage is asked for when nobody names variants."""
    return tuple(p for p in OFFERED_PRECISIONS if p != REFERENCE_PRECISION)


def question_about(variant: Variant, spec: PolicySpec) -> Question:
    """Filed under the stages that differ from FP32, as "vision+llm", or under "all". Raises `InvalidInput` for what says nothing new."""
    differs = {s.role: s.precision for s in variant.stages if s.precision != REFERENCE_PRECISION}
    if not differs:
        raise InvalidInput(f"{variant} is FP32, with which every variant is compared; name a stage, as in vision=int8")
    if variant.denoise_steps != spec.denoise_steps:
        raise InvalidInput(f"{variant} changes the denoising steps; they have a sweep of their own, leave steps= out")
    precisions = dict.fromkeys(differs.values())
    stage = ALL_STAGES if len(differs) == len(variant.stages) else "+".join(differs)
    label = next(iter(precisions)) if len(precisions) == 1 else ",".join(f"{r}={p}" for r, p in differs.items())
    operands = " ".join(dict.fromkeys(Precision.parse(p).operands for p in precisions))
    return Question(stage, label, operands, str(variant), tuple(differs))


def moments_of(dataset: Dataset, spec: PolicySpec, request: SensitivityRequest) -> Iterator[Moment]:
    """Moments at which a replay would plan, spread over each episode; two of each episode follow each other.

    Which ones turns from episode to episode, so that over all of them every phase of the task is seen.
    """
    before = 0
    for turn, index in enumerate(request.episodes or [e.index for e in dataset.episodes]):
        episode = dataset.episode(index)
        starts = _starts(len(episode), spec.n_action_steps, request.observations_per_episode, turn)
        for start in starts:
            previous = start - spec.n_action_steps
            yield _moment(episode, spec, start, request.seed, before + starts.index(previous) if previous in starts else None)
        before += len(starts)


def _starts(frames: int, taken: int, count: int, turn: int) -> list[int]:
    """`count` frames out of 0, taken, 2 taken, ..., or all of them where there are fewer."""
    grid = list(range(0, frames, taken))
    if count >= len(grid):
        return grid
    first = turn % (len(grid) - 1)
    spread = [first, first + 1] + [first + 1 + round(len(grid) * i / (count - 1)) for i in range(1, count - 1)]
    chosen = dict.fromkeys(i % len(grid) for i in spread)
    chosen |= dict.fromkeys(i for i in range(len(grid)))  # rounding may have met one twice
    return sorted(grid[i] for i in list(chosen)[:count])


def _moment(episode: Episode, spec: PolicySpec, start: int, seed: int, follows: int | None) -> Moment:
    """With the noise of a replay of the same seed."""
    noise, *others = (chunk_noise(spec, seed + i, episode.index, start // spec.n_action_steps) for i in range(1 + OTHER_SEEDS))
    return Moment(
        episode=episode.index,
        frame=start,
        observation=episode.frame(start).observation,
        recorded=episode.actions[start : start + spec.chunk_size],
        before=episode.actions[start - 1] if start else None,
        follows=follows,
        noise=noise,
        other_noises=tuple(n for n in others if n is not None),
    )


def check_episodes(dataset: Dataset, episodes: Sequence[int]) -> None:
    """Raises `UnknownEpisode` naming what there is."""
    for index in episodes:
        dataset.summary(index)
