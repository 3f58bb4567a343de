"""The verb that makes data: the twin's scripted expert, recorded as a LeRobot dataset."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from vla_demo.core.errors import MissingPiece
from vla_demo.core.extras import install
from vla_demo.episodes.recording import EpisodeWriter, VideoEncoding
from vla_demo.workbench.progress import Preparing

__all__ = ["PICTURE", "record_twin"]

PICTURE = (240, 320)  # (H, W)
FPS = 30


def record_twin(
    out: Path, splits: Sequence[str], jobs: int = 1, encoding: VideoEncoding | None = None, only: Collection[int] | None = None
) -> Iterator[Preparing]:
    """Record every episode of `splits`, in that order, into the new folder `out`; progress once an episode.

    With `only`, of each split the episodes that stand there, counted from 0. The starts are fixed by the protocol, so that the same call
    makes the same demonstrations anywhere. Only solved ones are recorded.
    Raises `InvalidInput` when `out` exists or a split does not. Closing the iterator leaves nothing behind.
    """
    try:
        from vla_demo.twin.demonstrations import demonstrations
        from vla_demo.twin.scene import CAMERAS, INSTRUCTION, JOINT_NAMES
        from vla_demo.twin.starts import split_starts
    except ImportError as error:
        raise MissingPiece(f"the twin needs MuJoCo: {install('twin,export')}") from error
    total = sum(only is None or place in only for split in splits for place, _ in enumerate(split_starts(split)))
    with EpisodeWriter(out, CAMERAS, PICTURE, JOINT_NAMES, FPS, encoding) as writer:
        yield Preparing("Setting up the twin", 0.0)
        for split in splits:
            for demonstration in demonstrations(split, PICTURE, jobs, only):
                start = demonstration.start
                index = writer.add(
                    demonstration.frames,
                    INSTRUCTION,
                    cluster=start.cluster,
                    is_recovery=start.failure is not None,
                    split="train" if split == "extra" else split,
                    seed=start.number,
                )
                kind = f"recovery: {start.failure}" if start.failure else f"{len(demonstration.frames)} frames"
                yield Preparing(f"Episode {index} of {total}, {split}, cluster {start.cluster}, {kind}", (index + 1) / total)
