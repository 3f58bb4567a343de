"""`uv run app.py [--port N] [--host H]`: the page over the bundled demo. The same as `vla-demo app`."""

import sys

from vla_demo.__main__ import main

if __name__ == "__main__":
    sys.exit(main(["app", *sys.argv[1:]]))
