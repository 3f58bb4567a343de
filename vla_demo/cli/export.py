"""`vla-demo export`."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vla_demo.cli.printing import ProgressLine, last, print_json
from vla_demo.cli.verb import add_verb

if TYPE_CHECKING:
    from vla_demo.core.package import PolicyPackage

__all__ = ["add_to"]


def add_to(verbs: Any) -> None:
    """The verb and its arguments."""
    export = add_verb(verbs, "export", _export, "cut a checkpoint into stages, proven to compute the same")
    export.add_argument("checkpoint", metavar="CHECKPOINT", help="act, smolvla, a LeRobot checkpoint folder or a Hub id")
    export.add_argument("--out", type=Path, required=True, metavar="DIR", help="the package's folder; an older package there is replaced")
    export.add_argument("--revision", metavar="SHA", help="commit of a Hub checkpoint")
    export.add_argument("--json", action="store_true", help="print one JSON document instead of a table")


def _export(chosen: argparse.Namespace) -> None:
    from vla_demo.cli.tables import package_json, package_table
    from vla_demo.workbench.policies import export_policy

    with ProgressLine() as line:
        package: PolicyPackage = last(line.shown(export_policy(chosen.checkpoint, chosen.out, chosen.revision)))
    if chosen.json:
        print_json(package_json(package))
    else:
        print(package_table(package))
