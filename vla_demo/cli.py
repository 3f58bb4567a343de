"""The second face of the workbench: the same verbs on a command line. Progress goes to standard error, results to standard output.

It reads arguments and prints; what is done is the workbench's business. Libraries load when a verb needs them.
"""

import argparse
import importlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import vla_demo
from vla_demo.core.errors import CheckpointError, MissingPiece, VlaDemoError

if TYPE_CHECKING:
    from vla_demo.core.package import PolicyPackage
    from vla_demo.workbench.progress import Preparing

__all__ = ["main"]

ERROR, INTERRUPTED = 2, 130
EPILOG = """\
a first look:
  vla-demo app                                             the page, on the bundled demo
  vla-demo replay act --variant vision=int8                what int8 pictures do to ACT, over a recorded episode
  vla-demo replay smolvla --variant expert=int8,steps=2    a coarser action expert and fewer denoising steps
  vla-demo export your-name/your-policy --out package      a checkpoint of yours, cut into stages

"vla-demo VERB --help" tells what a verb takes.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and answer its exit code: 0, 2 for what the user can mend, 130 for Ctrl-C."""
    chosen = _parser().parse_args(arguments)
    try:
        chosen.verb(chosen)
        sys.stdout.flush()
    except VlaDemoError as error:
        print(f"vla-demo: {error}", file=sys.stderr)
        return ERROR
    except KeyboardInterrupt:
        print("vla-demo: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader, `head` perhaps, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="vla-demo",
        formatter_class=raw,
        description="See what quantization, fewer denoising steps and slow inference do to a robot policy, before the robot does.",
        epilog=EPILOG,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {vla_demo.__version__}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    for add in (_add_app, _add_replay, _add_export, _add_twin):
        add(verbs)
    return parser


def _add_verb(verbs: Any, name: str, run: Callable[[argparse.Namespace], None], help: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=help, description=f"{help[0].upper()}{help[1:]}.")
    parser.set_defaults(verb=run)
    return parser


# --- app ---------------------------------------------------------------------------------------------------------------


def _add_app(verbs: Any) -> None:
    app = _add_verb(verbs, "app", _app, "open the page in a browser")
    app.add_argument("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 lets the whole network in (default: this machine)")
    app.add_argument("--port", type=int, help="default: 7860, or the next free one")
    app.add_argument("--dataset", metavar="D", help="a LeRobot v3 folder or Hub id instead of the bundled episodes")


def _app(chosen: argparse.Namespace) -> None:
    from vla_demo.workbench.bench import Workbench

    try:
        # By name: the page is the other face of the workbench, and neither face stands on the other.
        page = importlib.import_module("vla_demo.ui.page")
    except ImportError as error:
        raise MissingPiece(f"the page needs Gradio ({error}): pip install 'vla-demo[app]'") from error
    page.serve(Workbench(chosen.dataset), chosen.host, chosen.port)


# --- replay ------------------------------------------------------------------------------------------------------------


def _add_replay(verbs: Any) -> None:
    replay = _add_verb(verbs, "replay", _replay, "run a policy over a recorded episode, beside FP32")
    replay.add_argument("policy", metavar="POLICY", help="act, smolvla, an exported package, a checkpoint folder or a Hub id")
    replay.add_argument("--episode", type=int, default=0, metavar="N", help="default: 0")
    replay.add_argument("--dataset", metavar="D", help="a LeRobot v3 folder or Hub id (default: the bundled episodes)")
    replay.add_argument("--variant", default="", metavar="V", help="such as vision=int8,steps=5; stages it does not name run in FP32")
    replay.add_argument("--horizon", type=int, metavar="K", help="actions executed of each chunk (default: as the checkpoint says)")
    replay.add_argument("--seed", type=_natural, default=0, metavar="S", help="of the denoising noise (default: 0)")
    replay.add_argument("--revision", metavar="SHA", help="commit of a Hub checkpoint")
    replay.add_argument("--json", action="store_true", help="print one JSON document instead of tables")


def _replay(chosen: argparse.Namespace) -> None:
    from vla_demo.core.variant import Variant
    from vla_demo.workbench.datasets import dataset_for
    from vla_demo.workbench.policies import prepare_policy, sketch_policy
    from vla_demo.workbench.replays import Replay, RunRequest
    from vla_demo.workbench.tables import replay_json, replay_table

    dataset = dataset_for(chosen.dataset)
    dataset.summary(chosen.episode)  # this and the variant before an export that may take minutes
    with suppress(CheckpointError):  # preparing says it better
        if (sketch := sketch_policy(chosen.policy)) is not None:
            Variant.parse(chosen.variant, sketch)
    with _ProgressLine() as line:
        package = _last(line.shown(prepare_policy(chosen.policy, chosen.revision)))
        variant = Variant.parse(chosen.variant, package.spec)
        replay = Replay(RunRequest(chosen.policy, variant, chosen.episode, chosen.seed), package, dataset, chosen.horizon)
        for step in line.shown(replay.steps()):
            line.tell(f"Frame {step.frame + 1} of {step.frames}", (step.frame + 1) / step.frames)
    report, graphs = replay.report(), replay.graphs()
    if chosen.json:
        _print_json({"policy": chosen.policy, "dataset": dataset.name, **replay_json(report, graphs)})
    else:
        print(replay_table(report, graphs, chosen.policy))


# --- export ------------------------------------------------------------------------------------------------------------


def _add_export(verbs: Any) -> None:
    export = _add_verb(verbs, "export", _export, "cut a checkpoint into stages, proven to compute the same")
    export.add_argument("checkpoint", metavar="CHECKPOINT", help="act, smolvla, a LeRobot checkpoint folder or a Hub id")
    export.add_argument("--out", type=Path, required=True, metavar="DIR", help="the package's folder; an older package there is replaced")
    export.add_argument("--revision", metavar="SHA", help="commit of a Hub checkpoint")
    export.add_argument("--json", action="store_true", help="print one JSON document instead of a table")


def _export(chosen: argparse.Namespace) -> None:
    from vla_demo.workbench.policies import export_policy
    from vla_demo.workbench.tables import package_json, package_table

    with _ProgressLine() as line:
        package: PolicyPackage = _last(line.shown(export_policy(chosen.checkpoint, chosen.out, chosen.revision)))
    if chosen.json:
        _print_json(package_json(package))
    else:
        print(package_table(package))


# --- twin record -------------------------------------------------------------------------------------------------------


def _add_twin(verbs: Any) -> None:
    twin = verbs.add_parser("twin", help="the simulated arm, tea bag and mug", description="The simulated arm, tea bag and mug.")
    inner = twin.add_subparsers(title="verbs", metavar="VERB", required=True)
    record = _add_verb(inner, "record", _record_twin, "record the scripted demonstrator as a LeRobot dataset")
    record.add_argument("--out", type=Path, required=True, metavar="DIR", help="a folder that does not exist yet")
    record.add_argument("--split", nargs="+", default=["train"], metavar="S", help="train, validation or test, or several (default: train)")
    record.add_argument("--jobs", type=_positive, default=1, metavar="N", help="processes that draw (default: 1)")
    record.add_argument("--crf", type=int, default=23, help="H.264 quality, 0 best to 51 (default: 23)")
    record.add_argument("--key-frames", type=_positive, default=30, metavar="G", help="frames from one key frame to the next (default: 30)")


def _record_twin(chosen: argparse.Namespace) -> None:
    from vla_demo.episodes import open_dataset
    from vla_demo.episodes.recording import VideoEncoding
    from vla_demo.workbench.twin_recording import record_twin

    encoding = VideoEncoding(crf=chosen.crf, g=chosen.key_frames)
    with _ProgressLine() as line:
        for _ in line.shown(record_twin(chosen.out, chosen.split, chosen.jobs, encoding)):
            pass
    episodes = open_dataset(chosen.out).episodes
    print(f"{chosen.out}: {sum(e.frames for e in episodes)} frames, episodes: {len(episodes)}")


# --- printing ----------------------------------------------------------------------------------------------------------


class _ProgressLine:
    """Progress on standard error: one line that is rewritten on a terminal, elsewhere a line for each kind of work."""

    def __enter__(self) -> "_ProgressLine":
        self._terminal = sys.stderr.isatty()
        self._said = ""
        return self

    def __exit__(self, *_: object) -> None:
        if self._terminal and self._said:
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    def tell(self, text: str, fraction: float | None) -> None:
        """Shown on a terminal only: for what changes many times a second."""
        if self._terminal:
            share = "" if fraction is None else f" {fraction:4.0%}"
            print(f"\r\033[K{text}{share}", end="", file=sys.stderr, flush=True)
            self._said = text

    def shown[Result](self, steps: "Iterable[Preparing | Result]") -> Iterator[Result]:
        """Show the progress in `steps` and hand on the rest."""
        from vla_demo.workbench.progress import Preparing

        for step in steps:
            if not isinstance(step, Preparing):
                yield step
                continue
            self.tell(step.text, step.fraction)
            kind = step.text.partition(" (")[0]  # "Asking PyTorch (3 of 24)"
            if not self._terminal and kind != self._said:
                print(step.text, file=sys.stderr, flush=True)
                self._said = kind


def _last[Result](results: Iterable[Result]) -> Result:
    *_, last = results
    return last


def _print_json(document: Any) -> None:
    print(json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False))


def _natural(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is negative")
    return value


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return value


if __name__ == "__main__":
    sys.exit(main())
