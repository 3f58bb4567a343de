"""Where the screen is put together: the workbench behind, the page in front. `python -m vla_demo.ui --port 7861`."""

import argparse
from collections.abc import Sequence

from vla_demo.ui.page import serve
from vla_demo.workbench.bench import Workbench

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until Ctrl-C. Only this machine can reach the page unless `--host` says otherwise."""
    parser = argparse.ArgumentParser(prog="vla-demo app", description="Open the page in a browser: the bundled demo, ready to run.")
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 lets the whole network in (default: this machine)"
    )
    parser.add_argument("--port", type=int, help="default: 7860, or the next free one")
    parser.add_argument("--dataset", help="a LeRobot v3 folder or Hub id instead of the bundled episodes")
    chosen = parser.parse_args(arguments)
    serve(Workbench(chosen.dataset), chosen.host, chosen.port)


if __name__ == "__main__":
    main()
