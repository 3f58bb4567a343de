"""The second face of the workbench: the same verbs on a command line, one file a verb.

Progress goes to standard error, results to standard output. A verb reads arguments and prints; what is done is the workbench's business.
Libraries load when a verb needs them. It does not know the page: whoever calls `main` hands over what opens it.
"""

import argparse
import os
import sys
from collections.abc import Sequence

import vla_demo
from vla_demo.cli import app, demo, export, mix, replay, rollout, trap, twin
from vla_demo.cli.app import OpenPage
from vla_demo.core.errors import VlaDemoError

__all__ = ["main", "parser"]

ERROR, INTERRUPTED = 2, 130
EPILOG = """\
a first look:
  vla-demo app                                             the page, on the bundled demo
  vla-demo replay act --variant vision=int8                what int8 pictures do to ACT, over a recorded episode
  vla-demo replay smolvla --variant expert=int8,steps=2    a coarser action expert and fewer denoising steps
  vla-demo mix smolvla --stage expert --max-error 0.02     which layers of the action expert can have 8 or 4 bits
  vla-demo trap smolvla --episodes 0-4                     what each precision of each stage costs, and where the error arises
  vla-demo rollout act --mode sync --latency 2860          the arm in the twin, waiting for every chunk as long as an i.MX95 takes
  vla-demo export your-name/your-policy --out package      a checkpoint of yours, cut into stages

"vla-demo VERB --help" tells what a verb takes.
"""


def main(open_page: OpenPage, arguments: Sequence[str] | None = None) -> int:
    """Run one verb and answer its exit code: 0, 2 for what the user can mend, 130 for Ctrl-C."""
    chosen = parser(open_page).parse_args(arguments)
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


def parser(open_page: OpenPage) -> argparse.ArgumentParser:
    """What the command line takes; `open_page` is what the verb `app` does."""
    raw = argparse.RawDescriptionHelpFormatter
    program = argparse.ArgumentParser(
        prog="vla-demo",
        formatter_class=raw,
        description="See what quantization, fewer denoising steps and slow inference do to a robot policy, before the robot does.",
        epilog=EPILOG,
    )
    program.add_argument("--version", action="version", version=f"%(prog)s {vla_demo.__version__}")
    verbs = program.add_subparsers(title="verbs", metavar="VERB", required=True)
    app.add_to(verbs, open_page)
    for verb in (demo, replay, trap, mix, rollout, export, twin):
        verb.add_to(verbs)
    return program
