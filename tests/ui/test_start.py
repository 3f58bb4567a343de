"""What it costs to open the page, asked of fresh interpreters. Processor seconds are compared, so that a busy machine does not decide."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ui.fake_workbench import FakeWorkbench
from vla_demo.core.errors import InvalidInput
from vla_demo.ui.server import serve

ROOT = Path(__file__).parents[2]
SECONDS = 2.0  # on a machine that imports Gradio in 5 s or less; in proportion on a slower one
SHARE = 0.4

GRADIO = "import os; os.environ['GRADIO_ANALYTICS_ENABLED'] = 'False'; import gradio"
PAGE = """
import urllib.request
from vla_demo.ui.server import serve
from vla_demo.workbench.workbench import Workbench
page = serve(Workbench.over(bundled={}), block=False)
assert b"vla-demo" in urllib.request.urlopen(page.local_url).read()
"""
COST = """
import json, sys, time
print(json.dumps([time.process_time(), [name for name in ("lerobot", "torch", "transformers") if name in sys.modules]]))
"""


def cost(code: str, times: int = 2) -> tuple[float, list[str]]:
    """Processor seconds until `code` has run, the best of some, and which of the heavy packages it loaded."""
    runs = [subprocess.run([sys.executable, "-c", code + COST], cwd=ROOT, capture_output=True, text=True, check=True) for _ in range(times)]
    return min(tuple(json.loads(run.stdout.splitlines()[-1])) for run in runs)  # type: ignore[return-value]


@pytest.fixture(scope="module")
def alone() -> float:
    return cost(GRADIO)[0]


def test_the_page_is_up_soon_after_gradio_is_imported_and_without_torch(alone: float) -> None:
    page, heavy = cost(PAGE)
    assert heavy == []
    assert page - alone < max(SECONDS, SHARE * alone)


def test_a_page_that_imports_torch_first_would_be_noticed(alone: float) -> None:
    page, heavy = cost("import torch, transformers" + PAGE, times=1)
    assert heavy == ["torch", "transformers"]
    assert page - alone > max(SECONDS, SHARE * alone)


def test_a_port_that_is_taken_is_said_in_plain_words(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InvalidInput, match=f"port {port} of 127.0.0.1 cannot be used; choose another with --port"):
            serve(FakeWorkbench(tmp_path), port=port, block=False)
