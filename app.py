"""`uv run app.py`: the page over the bundled demo, on http://127.0.0.1:7860 or the next free port. `vla-demo app` does the same."""

from vla_demo.ui.__main__ import main

if __name__ == "__main__":
    main()
