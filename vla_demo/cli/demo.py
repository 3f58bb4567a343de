"""`vla-demo demo fetch` and `vla-demo demo where`."""

import argparse
import sys
from contextlib import closing
from typing import Any

from vla_demo.cli.printing import ProgressLine, last
from vla_demo.cli.verb import add_verb
from vla_demo.core.demo import require_demo
from vla_demo.core.errors import InvalidInput

__all__ = ["add_to"]


def add_to(verbs: Any) -> None:
    """The verb and its arguments."""
    text = "the bundled policies, episodes and results, which a wheel comes without"
    demo = verbs.add_parser("demo", help=text, description=f"{text[0].upper()}{text[1:]}.")
    inner = demo.add_subparsers(title="verbs", metavar="VERB", required=True)
    fetch = add_verb(inner, "fetch", _fetch, "bring them to this machine")
    fetch.add_argument("source", nargs="?", metavar="SOURCE", help="a clone of the project, its assets/demo, or a Hub id owner/name")
    fetch.add_argument("--revision", metavar="R", help="commit, tag or branch of a Hub repository (default: the newest commit)")
    fetch.add_argument("--repo-type", choices=["dataset", "model"], default="dataset", help="of a Hub repository (default: dataset)")
    add_verb(inner, "where", _where, "print the folder they are in")


def _fetch(chosen: argparse.Namespace) -> None:
    from vla_demo.workbench.demo_fetch import VALID_SOURCES, fetch_demo

    if chosen.source is None:
        raise InvalidInput(f"the demo is fetched from somewhere; {VALID_SOURCES}")
    with closing(fetch_demo(chosen.source, chosen.revision, chosen.repo_type)) as steps, ProgressLine() as line:
        fetched = last(line.shown(steps))
    print(fetched.folder)
    if require_demo() != fetched:
        print(f"vla-demo: the one in {require_demo().folder} comes first and goes on being used", file=sys.stderr)


def _where(_: argparse.Namespace) -> None:
    print(require_demo().folder)
