"""What a batch of rollouts is asked to be, and where its rows are kept: a start that was tried is kept and not tried again.

It is kept under its fingerprint, so that a row of other code, other graphs or another machine is never taken for one of this batch.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from vla_demo.core.errors import InvalidInput, MissingPiece
from vla_demo.core.extras import install
from vla_demo.core.package import PolicyPackage
from vla_demo.core.storage import cache_folder, write_whole
from vla_demo.core.variant import Variant
from vla_demo.evaluation.attempts import Attempts
from vla_demo.evaluation.closed_loop import LoopReport, Rollout, TriedStart
from vla_demo.evaluation.fingerprint import RunFingerprint, fingerprint_run
from vla_demo.evaluation.latency import LatencySource
from vla_demo.runtime.action_queue import AGGREGATES
from vla_demo.runtime.control_loop import MODES
from vla_demo.workbench.rollout import worker
from vla_demo.workbench.rollout.worker import RolloutJob

if TYPE_CHECKING:
    from vla_demo.twin.starts import Start

__all__ = ["PATIENCE", "Batch", "RolloutRequest", "RolloutStore", "check_settings", "find_starts"]

PATIENCE = 60.0  # simulated seconds until a rollout has failed
LIBRARIES = ("numpy", "onnxruntime", "mujoco", "tokenizers")  # that decide what a rollout does


class LoopChoices(Protocol):
    """What a loop is asked to be, whatever the policy is."""

    @property
    def mode(self) -> str: ...
    @property
    def aggregate(self) -> str: ...
    @property
    def fps(self) -> float: ...
    @property
    def threshold(self) -> float: ...
    @property
    def patience(self) -> float: ...


@dataclass(frozen=True, slots=True)
class RolloutRequest:
    """What to try."""

    variant: Variant
    latency: LatencySource
    mode: str = "async"  # see `runtime.control_loop.MODES`
    fps: float = 30.0
    starts: str = "all"  # see `twin.protocol.starts_named`
    threshold: float = 0.5
    aggregate: str = "weighted_average"
    actions_per_chunk: int | None = None  # None: in sync mode the checkpoint's n_action_steps, in async mode its whole chunk
    seed: int = 0
    patience: float = PATIENCE


@dataclass(frozen=True, slots=True)
class Batch:
    """A request made definite: which rollouts it means. Raises `InvalidInput` and `MissingPiece` (no MuJoCo)."""

    package: PolicyPackage
    variant: Variant
    job: RolloutJob
    starts: "tuple[Start, ...]"

    @staticmethod
    def of(package: PolicyPackage, request: RolloutRequest) -> "Batch":
        return Batch(package, request.variant, _job(package, request), find_starts(request.starts))

    def fingerprint(self, module: str = worker.__name__) -> RunFingerprint:
        """Of what `module` does with this batch, of each of its rollouts alike. Raises `PackageError` for a graph that is not made yet."""
        from vla_demo.twin.renderer import renderer_name

        settings = {name: value for name, value in asdict(self.job).items() if name != "folder"}
        renderer = renderer_name()
        return fingerprint_run(self.package, [self.variant], settings, module=module, libraries=LIBRARIES, renderer=renderer)

    def start(self, number: int) -> "Start":
        """Raises `InvalidInput` when the batch has no such start."""
        for start in self.starts:
            if start.number == number:
                return start
        raise InvalidInput(f"start {number} is not in this batch; valid: {', '.join(str(start.number) for start in self.starts)}")


@dataclass(frozen=True, slots=True)
class RolloutStore:
    """The rollouts of a batch that were tried before, a file a start."""

    folder: Path
    fingerprint: RunFingerprint

    @staticmethod
    def of(batch: Batch) -> "RolloutStore":
        """Raises `PackageError` for a graph that is not made yet."""
        fingerprint = batch.fingerprint()
        return RolloutStore(cache_folder() / "rollouts" / fingerprint.digest, fingerprint)

    def read(self, batch: Batch) -> dict[int, TriedStart]:
        """By number, what was tried before."""
        found = {start.number: _read(self.folder / f"{start.number}.json") for start in batch.starts}
        return {number: row for number, row in found.items() if row is not None}

    def write(self, row: TriedStart) -> None:
        write_whole(self.folder / f"{row.number}.json", json.dumps(asdict(row)).encode())


def find_starts(text: str) -> "tuple[Start, ...]":
    """As `twin.protocol.starts_named`. Raises `InvalidInput`, and `MissingPiece` without MuJoCo."""
    try:
        from vla_demo.twin.protocol import starts_named
    except ImportError as error:
        raise MissingPiece(f"the twin needs MuJoCo: {install('twin')}") from error
    return tuple(starts_named(text))


def check_settings(settings: LoopChoices) -> None:
    """Raise `InvalidInput` for what is wrong whatever the policy is."""
    if settings.mode not in MODES:
        raise InvalidInput(f"unknown mode {settings.mode!r}; valid: {', '.join(MODES)}")
    if settings.aggregate not in AGGREGATES:
        raise InvalidInput(f"unknown aggregate function {settings.aggregate!r}; valid: {', '.join(AGGREGATES)}")
    if not 1 <= settings.fps <= 60:  # NaN is neither
        raise InvalidInput(f"{settings.fps:g} fps is out of range; 10, 20, 30, 50 and 60 are what the twin's steps fit into")
    if not 0 <= settings.threshold <= 1:
        raise InvalidInput(f"threshold {settings.threshold:g} is out of range; valid: 0 to 1")
    if not settings.patience > 0:
        raise InvalidInput(f"patience {settings.patience:g} s is out of range; valid: more than 0")


def _job(package: PolicyPackage, request: RolloutRequest) -> RolloutJob:
    spec = package.spec
    own = spec.n_action_steps if request.mode == "sync" else spec.chunk_size
    actions = request.actions_per_chunk or own
    if not 1 <= actions <= spec.chunk_size:
        raise InvalidInput(f"actions_per_chunk {actions} is out of range; {spec.checkpoint} plans {spec.chunk_size}, so 1 to that")
    if request.mode == "seamfree" and spec.noise_shape is None:
        raise InvalidInput(f"{spec.family} does not denoise, so it has no seam-free mode; sync and async are valid")
    check_settings(request)
    return RolloutJob(
        folder=str(package.folder),
        variant=str(request.variant),
        mode=request.mode,
        latency=request.latency.seconds,
        fps=request.fps,
        threshold=request.threshold,
        aggregate=request.aggregate,
        actions_per_chunk=actions,
        seed=request.seed,
        patience=request.patience,
    )


def _read(file: Path) -> TriedStart | None:
    """None for a start that was not tried, or whose file is damaged: it is tried again."""
    try:
        row = json.loads(file.read_text(encoding="utf-8"))
        loop = row["rollout"]["loop"] | {"queue_depths": tuple(row["rollout"]["loop"]["queue_depths"])}
        rollout = Rollout(Attempts(**row["rollout"]["attempts"]), LoopReport(**loop))
        return TriedStart(row["number"], row["cluster"], rollout)
    except (OSError, ValueError, TypeError, KeyError):
        return None
