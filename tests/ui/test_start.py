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


def cost(code: str) -> tuple[float, list[str]]:
    """Processor seconds until `code` has run, and which of the heavy packages it loaded."""
    run = subprocess.run([sys.executable, "-c", code + COST], cwd=ROOT, capture_output=True, text=True, check=True)
    seconds, heavy = json.loads(run.stdout.splitlines()[-1])
    return seconds, heavy


def is_soon(page: float, alone: float) -> bool:
    return page - alone < max(SECONDS, SHARE * alone)


def test_the_page_is_up_soon_after_gradio_is_imported_and_without_torch() -> None:
    for _ in range(2):  # a busy machine may have disturbed the first
        page, heavy = cost(PAGE)
        assert heavy == []
        if soon := is_soon(page, cost(GRADIO)[0]):
            break
    assert soon


def test_torch_and_the_seconds_it_takes_would_be_noticed() -> None:
    seconds, heavy = cost("import torch")
    assert heavy == ["torch"] and seconds > 0.5
    assert not is_soon(page=8.1, alone=4.0) and not is_soon(page=14.1, alone=10.0) and is_soon(page=5.0, alone=4.0)


def test_a_port_that_is_taken_is_said_in_plain_words(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InvalidInput, match=f"port {port} of 127.0.0.1 cannot be used; choose another with --port"):
            serve(FakeWorkbench(tmp_path), port=port, block=False)
