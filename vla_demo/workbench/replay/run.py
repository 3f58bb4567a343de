"""The verb of the bench: replay a variant of a policy over a recorded episode, beside its FP32 reference."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.errors import Stopped, VlaDemoError
from vla_demo.core.observation import ActionChunk, Episode, Observation
from vla_demo.core.package import PolicyPackage, StageGraph
from vla_demo.core.policy import PolicySpec
from vla_demo.core.storage import cache_folder
from vla_demo.core.variant import Variant
from vla_demo.episodes import Dataset
from vla_demo.evaluation.replay import ReplayReport, ReplayStep, replay
from vla_demo.evaluation.tally import ReplaySubject, ReplayTally
from vla_demo.runtime import ExportedPolicy, open_policy
from vla_demo.runtime.graph_store import Receipt, receipts
from vla_demo.workbench.datasets import check_fit
from vla_demo.workbench.machine import machine
from vla_demo.workbench.preparation import action_scale, prepare_variant
from vla_demo.workbench.progress import Preparing

__all__ = ["Replay", "RunRequest"]


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What to replay."""

    policy: str  # bundled name, package folder, checkpoint folder or Hub id
    variant: Variant
    episode: int
    seed: int = 0  # of the denoising noise


@dataclass(slots=True)
class Replay:
    """One replay of a prepared package. `steps` once; `report`, `graphs` and `stop` at any time, from any thread."""

    request: RunRequest
    package: PolicyPackage
    dataset: Dataset
    horizon: int | None = None  # actions executed before the next chunk is planned; None: as the checkpoint says
    _tally: ReplayTally | None = field(default=None, init=False)
    _policy: ExportedPolicy | None = field(default=None, init=False)
    _asked_to_stop: threading.Event = field(default_factory=threading.Event, init=False)

    def steps(self) -> Iterator[Preparing | ReplayStep]:
        """Progress while graphs are made and loaded, then a step a frame as inference goes. Ends early, without an error, after `stop`.

        Raises `InvalidInput` when episode and policy do not fit, `QuantizationError`, `PackageError`.
        """
        check_fit(self.dataset, self.package.spec)
        episode = self.dataset.episode(self.request.episode)
        yield from prepare_variant(self.package, self.request.variant, self.dataset)
        yield Preparing("Loading the graphs")
        policy, reference = self._opened()
        self._policy = policy
        self._tally = ReplayTally(self._subject(episode, policy))
        watched = _Stoppable(policy, self._asked_to_stop)
        beside = watched if reference is policy else _Stoppable(reference, self._asked_to_stop)
        try:
            for step in replay(watched, beside, episode, seed=self.request.seed, horizon=self.horizon):
                self._tally.add(step)
                yield step
        except Stopped:
            return

    def stop(self) -> None:
        """Ask the running replay to end: at the next frame, or in the middle of a chunk after the denoising step that is running."""
        self._asked_to_stop.set()

    def report(self) -> ReplayReport:
        """About the steps given out so far. Raises `VlaDemoError` before the first."""
        if self._tally is None:
            raise VlaDemoError("the replay has not begun, so there is nothing to report")
        return self._tally.report()

    def graphs(self) -> Sequence[StageGraph]:
        """The graphs as they run: bytes and counts of quantized nodes; none before the policy is open."""
        return self._policy.graphs if self._policy is not None else ()

    def receipts(self) -> Sequence[Receipt]:
        """What made the quantized graphs of this variant, on what they were calibrated, and the proof that they are not FP32."""
        return receipts(self.package, self.request.variant, cache_folder())

    def _opened(self) -> tuple[ExportedPolicy, ExportedPolicy]:
        """The variant and its FP32 reference with the checkpoint's own number of steps; the same object when they are the same."""
        plain = Variant.reference(self.package.spec)
        policy = open_policy(self.package.folder, self.request.variant)
        reference = policy if self.request.variant == plain else open_policy(self.package.folder, plain)
        for opened in (policy, reference):
            opened.load()
        return policy, reference

    def _subject(self, episode: Episode, policy: ExportedPolicy) -> ReplaySubject:
        return ReplaySubject(
            variant=self.request.variant,
            reference=Variant.reference(self.package.spec),
            episode=episode.index,
            seed=self.request.seed,
            joint_names=episode.joint_names,
            scale=action_scale(self.package, self.dataset, episode),
            stage_bytes={s.role: sum(g.size_bytes for g in policy.graphs if g.role == s.role) for s in self.package.spec.stages},
            measured_on=machine(),
        )


@dataclass(frozen=True, slots=True)
class _Stoppable:
    """A policy that can be interrupted between two chunks and between two denoising steps."""

    policy: ExportedPolicy
    asked_to_stop: threading.Event

    @property
    def spec(self) -> PolicySpec:
        return self.policy.spec

    def reset(self) -> None:
        self.policy.reset()

    def predict_chunk(self, observation: Observation, *, noise: NDArray[np.float32] | None = None) -> ActionChunk:
        self._check()
        return self.policy.predict_chunk(observation, noise=noise, watch=self._check)

    def _check(self, *_: object) -> None:
        if self.asked_to_stop.is_set():
            raise Stopped("the replay was stopped")
