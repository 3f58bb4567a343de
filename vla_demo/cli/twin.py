"""`vla-demo twin record`."""

import argparse
from pathlib import Path
from typing import Any

from vla_demo.cli.printing import ProgressLine
from vla_demo.cli.verb import add_verb, natural, positive

__all__ = ["add_to"]


def add_to(verbs: Any) -> None:
    """The verb and its arguments."""
    twin = verbs.add_parser("twin", help="the simulated arm, tea bag and mug", description="The simulated arm, tea bag and mug.")
    inner = twin.add_subparsers(title="verbs", metavar="VERB", required=True)
    record = add_verb(inner, "record", _record_twin, "record the scripted demonstrator as a LeRobot dataset")
    record.add_argument("--out", type=Path, required=True, metavar="DIR", help="a folder that does not exist yet")
    record.add_argument(
        "--split",
        nargs="+",
        default=["train"],
        metavar="S",
        help="train, extra (more of it, the arm disturbed), validation or test, or several (default: train)",
    )
    record.add_argument("--only", type=natural, nargs="+", metavar="N", help="of each split these episodes, counted from 0 (default: all)")
    record.add_argument("--jobs", type=positive, default=1, metavar="N", help="processes that draw (default: 1)")
    record.add_argument("--crf", type=int, default=23, help="H.264 quality, 0 best to 51 (default: 23)")
    record.add_argument("--key-frames", type=positive, default=30, metavar="G", help="frames from one key frame to the next (default: 30)")


def _record_twin(chosen: argparse.Namespace) -> None:
    from vla_demo.episodes import open_dataset
    from vla_demo.episodes.recording import VideoEncoding
    from vla_demo.workbench.twin_recording import record_twin

    encoding = VideoEncoding(crf=chosen.crf, g=chosen.key_frames)
    with ProgressLine() as line:
        for _ in line.shown(record_twin(chosen.out, chosen.split, chosen.jobs, encoding, chosen.only)):
            pass
    episodes = open_dataset(chosen.out).episodes
    print(f"{chosen.out}: {sum(e.frames for e in episodes)} frames, episodes: {len(episodes)}")
