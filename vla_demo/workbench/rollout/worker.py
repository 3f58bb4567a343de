"""One rollout in the twin, in whatever process it is called: opens the policy and the desk once a process."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from vla_demo.core.errors import Stopped
from vla_demo.core.observation import ActionChunk
from vla_demo.core.package import PolicyPackage
from vla_demo.evaluation.closed_loop import Judgement, RolloutTick, TriedStart, rollout, summarize_rollout
from vla_demo.evaluation.metrics import ActionScale
from vla_demo.evaluation.replay import chunk_noise
from vla_demo.runtime import ExportedPolicy, Running, open_policy
from vla_demo.runtime.clocks import ManualClock
from vla_demo.runtime.control_loop import ControlLoop, LoopSettings, Request, SimulatedWorker
from vla_demo.workbench.side_by_side import Stop

if TYPE_CHECKING:
    from vla_demo.twin.starts import Start
    from vla_demo.twin.world import TeaBagTwin

__all__ = ["OngoingRollout", "RolloutJob", "begin_rollout", "stop_on", "try_start"]


@dataclass(frozen=True, slots=True)
class RolloutJob:
    """All that decides a rollout but its start; plain values, to be sent to another process."""

    folder: str  # of the package
    variant: str
    mode: str
    latency: float  # s
    fps: float
    threshold: float
    aggregate: str
    actions_per_chunk: int
    seed: int  # of the denoising noise
    patience: float  # simulated s


@dataclass(frozen=True, slots=True)
class OngoingRollout:
    """A rollout that goes on as its ticks are asked for. A process has one twin: one rollout at a time."""

    ticks: Iterator[RolloutTick]
    twin: "TeaBagTwin"
    scale: ActionScale


_stop: Stop | None = None  # of the pool that this process works for


def stop_on(stop: Stop) -> None:
    """In a process of a pool: from now on rollouts end with `Stopped` at the first tick after `stop` is set."""
    global _stop
    _stop = stop


def try_start(job: RolloutJob, start: "Start") -> TriedStart:
    """Try one start. The same job and start give the same rollout, bit for bit."""
    begun = begin_rollout(job, start)
    return TriedStart(start.number, start.cluster, summarize_rollout(list(begun.ticks), job.fps, begun.scale))


def begin_rollout(job: RolloutJob, start: "Start", opened: "tuple[ExportedPolicy, TeaBagTwin] | None" = None) -> OngoingRollout:
    """The start, prepared; raises `Stopped` from its ticks. `opened`: a policy with one thread and a twin, None: this process's own."""
    from vla_demo.twin.body import TwinBody

    policy, twin = opened or _opened(job.folder, job.variant)
    body, clock = TwinBody(twin, start, job.fps), ManualClock()

    def infer(request: Request) -> ActionChunk:
        noise = chunk_noise(policy.spec, job.seed, start.number, request.number)
        return policy.predict_chunk(request.observation, noise=noise, after=request.after)

    def judge() -> Judgement:
        if _stop is not None and _stop.is_set():
            raise Stopped("asked to stop")
        now = body.measure()
        return Judgement(bool(now.held), bool(now.bag_in_mug), bool(now.success))

    settings = LoopSettings(job.actions_per_chunk, job.fps, job.mode, job.threshold, job.aggregate)
    loop = ControlLoop(body, SimulatedWorker(infer, lambda _: job.latency, clock), clock, settings)
    return OngoingRollout(rollout(loop, judge, round(job.patience * job.fps)), twin, _scale(policy.package))


@cache
def _opened(folder: str, variant: str) -> "tuple[ExportedPolicy, TeaBagTwin]":
    """One thread: rollouts side by side are faster than threads inside one."""
    from vla_demo.twin.world import TeaBagTwin

    return open_policy(folder, variant, running=Running(1)), TeaBagTwin()


def _scale(package: PolicyPackage) -> ActionScale:
    stats, joints = package.preprocessing.action.stats, len(package.spec.joint_names)
    if "mean" in stats and "std" in stats:
        return ActionScale.of(stats["mean"], stats["std"], "checkpoint")
    return ActionScale.of([0.0] * joints, [1.0] * joints, "dataset")
