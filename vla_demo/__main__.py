"""The program `vla-demo`, and the composition root: only here do the two faces of the workbench, command line and page, meet."""

import sys
from collections.abc import Sequence

from vla_demo import cli
from vla_demo.core.errors import MissingPiece
from vla_demo.core.extras import install

__all__ = ["main", "open_page"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and answer its exit code, as `cli.main` does."""
    return cli.main(open_page, arguments)


def open_page(dataset: str | None, host: str, port: int | None) -> None:
    """Serve the page over a dataset until Ctrl-C. Raises `MissingPiece` without Gradio, and `InvalidInput` for a port that is taken."""
    from vla_demo.workbench.workbench import Workbench

    try:
        from vla_demo.ui import server
    except ImportError as error:
        raise MissingPiece(f"the page needs Gradio ({error}): {install('app')}") from error
    server.serve(Workbench.over(dataset), host, port)


if __name__ == "__main__":
    sys.exit(main())
