"""A served page over the synthetic workbench, a headless Chromium, and visits that watch themselves.

A request that leaves the machine, or an error in the console, fails the test.
"""

import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlparse

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.ui.fake_replay import write_videos
from tests.ui.fake_workbench import FakeWorkbench
from vla_demo.ui.contract import Wings
from vla_demo.ui.server import serve

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
PATIENCE = 30_000  # ms; a test machine may be busy


@dataclass
class Visit:
    """One browser tab and what it did that a page of ours must not do."""

    page: Page
    outside: list[str] = field(default_factory=list)  # requests to anything but this machine
    errors: list[str] = field(default_factory=list)  # of the console and of scripts

    def watch(self) -> None:
        self.page.on("request", lambda request: self.outside.append(request.url) if _leaves(request.url) else None)
        self.page.on("console", lambda message: self.errors.append(message.text) if message.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def faults(self) -> list[str]:
        return self.outside + self.errors


def _leaves(url: str) -> bool:
    parts = urlparse(url)
    return parts.scheme not in ("data", "blob") and parts.hostname != "127.0.0.1"


@contextmanager
def served(workbench: Wings) -> Iterator[str]:
    """The address of a page over `workbench`, on a port of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    page = serve(workbench, port=port, block=False)
    yield page.local_url
    page.close()


@pytest.fixture(scope="session")
def workbench(tmp_path_factory: pytest.TempPathFactory) -> FakeWorkbench:
    folder = tmp_path_factory.mktemp("videos")
    write_videos(folder)
    return FakeWorkbench(folder)


@pytest.fixture(scope="session")
def address(workbench: FakeWorkbench) -> Iterator[str]:
    with served(workbench) as url:
        yield url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.fail("the page is tested in a real browser, and there is none: apt-get install chromium")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=chromium, args=FLAGS) as browser:
        yield browser


@pytest.fixture
def visits(browser: Browser, address: str) -> Iterator[Callable[..., Visit]]:
    """`visits(query, **context)` opens the page in a context of its own, ready to use. At the end no visit may have erred or left."""
    made: list[tuple[BrowserContext, Visit]] = []

    def open_page(query: str = "", ready: bool = True, **context: Any) -> Visit:
        own = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **context})
        own.set_default_timeout(PATIENCE)
        visit = Visit(own.new_page())
        visit.watch()
        made.append((own, visit))
        visit.page.goto(address + query)
        if ready:
            expect(visit.page.locator(".stage").first).to_be_visible()
        return visit

    yield open_page
    faults = [fault for _, visit in made for fault in visit.faults()]
    for own, _ in made:
        own.close()
    assert faults == []
