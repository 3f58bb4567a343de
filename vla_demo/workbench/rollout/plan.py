"""What somebody at a command line wants of rollouts: one batch, or two from the same starts to be compared in pairs, and films of them.

A plan names variants and latencies in text; what they mean is found once the policy is there, and both batches are checked before the
first start is tried.
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vla_demo.core.errors import InvalidInput
from vla_demo.core.package import PolicyPackage
from vla_demo.core.variant import Variant
from vla_demo.evaluation.rollout_report import PairedStarts, RolloutReport, name_apart, paired
from vla_demo.workbench.policies import prepare_policy
from vla_demo.workbench.preparation import prepare_variant
from vla_demo.workbench.progress import Preparing
from vla_demo.workbench.rollout.batch import PATIENCE, Batch, RolloutRequest, RolloutStore, check_settings, find_starts
from vla_demo.workbench.rollout.run import check_latency, film_rollouts, resolve_latency, roll_out
from vla_demo.workbench.rollout.video import prepare_folder

__all__ = ["RolloutPlan", "RolloutResult", "RolloutRun", "Side"]


@dataclass(frozen=True, slots=True)
class Side:
    """What the two batches may differ in."""

    variant: str = ""  # such as "vision=int8"; stages it does not name run in FP32
    mode: str = "async"
    latency: str = "0"  # see `resolve_latency`


@dataclass(frozen=True, slots=True)
class RolloutPlan:
    """What to try, and what to make of it. The fields from `fps` on are those of `RolloutRequest`."""

    policy: str
    sides: tuple[Side, ...]  # 1 or 2
    fps: float = 30.0
    starts: str = "all"
    threshold: float = 0.5
    aggregate: str = "weighted_average"
    actions_per_chunk: int | None = None
    seed: int = 0
    patience: float = PATIENCE
    jobs: int = 1  # processes
    videos: Path | None = None  # a folder for films; those of the second batch go into its subfolder `against`
    videos_of: str = "failures"  # or "all"


@dataclass(frozen=True, slots=True)
class _LoopChoices:
    mode: str
    aggregate: str
    fps: float
    threshold: float
    patience: float


@dataclass(frozen=True, slots=True)
class RolloutResult:
    """A report, and the films made, a batch."""

    reports: tuple[RolloutReport, ...]
    videos: tuple[tuple[Path, ...], ...]  # empty when none were asked for
    pairs: PairedStarts | None  # of two batches


class RolloutRun:
    """Iterate `steps` once."""

    def __init__(self, plan: RolloutPlan) -> None:
        self._plan = plan
        self._batch: Batch | None = None  # that is being tried

    def steps(self) -> Iterator[Preparing | RolloutResult]:
        """Progress, then the result. Raises `InvalidInput`, `MissingPiece`, `UnknownVariant`, and as `prepare_policy` does.

        Closing the iterator stops; what was tried is kept.
        """
        plan = self._plan
        self._check()
        package = yield from _package(plan.policy)
        requests = yield from self._requests(package)
        reports = []
        for request in requests:
            reports.append((yield from self._roll_out(package, request)))
        videos = []
        if plan.videos is not None:
            for request, folder in zip(requests, (plan.videos, plan.videos / "against"), strict=False):
                videos.append((yield from self._film(package, request, folder)))
        pairs = paired(reports[0], reports[1], name_apart(reports[0], reports[1])) if len(reports) > 1 else None
        yield RolloutResult(tuple(reports), tuple(videos), pairs)

    def _check(self) -> None:
        """Everything that needs no policy, before an export that may take minutes."""
        plan = self._plan
        find_starts(plan.starts)
        for side in plan.sides:
            check_settings(_LoopChoices(side.mode, plan.aggregate, plan.fps, plan.threshold, plan.patience))
            check_latency(side.latency)
        if plan.videos is not None:
            prepare_folder(plan.videos)

    def kept(self) -> str:
        """A sentence on how far the batch has come that was being tried; empty when none was."""
        if self._batch is None:
            return ""
        done = len(RolloutStore.of(self._batch).read(self._batch))
        return f"{done} of {len(self._batch.starts)} starts are kept; the same command goes on from there"

    def _requests(self, package: PolicyPackage) -> Generator[Preparing, None, Sequence[RolloutRequest]]:
        requests = []
        for side in self._plan.sides:
            requests.append((yield from self._request(package, side)))
        if len(set(requests)) < len(requests):
            raise InvalidInput("the two batches would be the same; change the second by --against, --against-mode or --against-latency")
        for request in requests:
            Batch.of(package, request)
        return requests

    def _request(self, package: PolicyPackage, side: Side) -> Generator[Preparing, None, RolloutRequest]:
        plan, variant = self._plan, Variant.parse(side.variant, package.spec)
        yield from prepare_variant(package, variant)
        return RolloutRequest(
            variant=variant,
            latency=resolve_latency(side.latency, package, variant),
            mode=side.mode,
            fps=plan.fps,
            starts=plan.starts,
            threshold=plan.threshold,
            aggregate=plan.aggregate,
            actions_per_chunk=plan.actions_per_chunk,
            seed=plan.seed,
            patience=plan.patience,
        )

    def _roll_out(self, package: PolicyPackage, request: RolloutRequest) -> Generator[Preparing, None, RolloutReport]:
        self._batch = Batch.of(package, request)
        for step in roll_out(package, request, self._plan.jobs):
            if isinstance(step, RolloutReport):
                self._batch = None
                return step
            yield step
        raise AssertionError("a batch ends with its report")

    def _film(self, package: PolicyPackage, request: RolloutRequest, folder: Path) -> Generator[Preparing, None, tuple[Path, ...]]:
        files = []
        for step in film_rollouts(package, request, self._plan.videos_of, folder, self._plan.jobs):
            if isinstance(step, Path):
                files.append(step)
            else:
                yield step
        return tuple(files)


def _package(policy: str) -> Generator[Preparing, None, PolicyPackage]:
    for step in prepare_policy(policy):
        if isinstance(step, PolicyPackage):
            return step
        yield step
    raise AssertionError("preparing a policy ends with its package")
