"""What `pip install vla_demo-...whl[app]` alone gives: a page that says how to get the demo, and with the demo plays its episodes."""

import os
import re
import shutil
import signal
import socket
import subprocess
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import ROOT
from tests.fakes import tiny_act_package
from tests.ui.conftest import Visit
from tests.wheels import install_wheel, packages_in
from vla_demo.core.demo import ASSETS_VARIABLE, NO_DEMO
from vla_demo.core.extras import install
from vla_demo.core.storage import CACHE_VARIABLE

UNWANTED = {"torch", "lerobot", "transformers", "mujoco", "grpcio"}
TABS = 4
CACHE = ".cache/vla-demo"  # as at home: a folder that a server may take for hidden


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install_wheel(wheel, tmp_path_factory.mktemp("installed") / "env", "app")


@contextmanager
def app(programs: Path, home: Path, **environment: str) -> Iterator[str]:
    """The address of the page that `vla-demo app` serves, away from the clone."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [programs / "vla-demo", "app", "--port", str(port)]
    own = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", ASSETS_VARIABLE)}
    own |= {CACHE_VARIABLE: str(home / CACHE), **environment}
    with subprocess.Popen(command, cwd=home, env=own, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        try:
            said = process.stdout.readline()
            assert f"http://127.0.0.1:{port}" in said, process.stderr.read()
            yield f"http://127.0.0.1:{port}/"
        finally:
            process.send_signal(signal.SIGINT)


@contextmanager
def visit(browser: Browser, address: str) -> Iterator[Page]:
    """A page that must neither err nor leave this machine."""
    with browser.new_context(viewport={"width": 1440, "height": 900}) as context:
        visitor = Visit(context.new_page())
        visitor.watch()
        visitor.page.goto(address)
        yield visitor.page
        assert visitor.faults() == []


def test_without_the_demo_every_tab_says_how_to_get_it(programs: Path, browser: Browser, tmp_path: Path) -> None:
    assert not UNWANTED & packages_in(programs)
    with app(programs, tmp_path) as address, visit(browser, address) as page:
        tabs = page.get_by_role("tab")
        expect(tabs).to_have_count(TABS)
        for tab in tabs.all():
            tab.click()
            said = page.locator(".missing:visible p")
            expect(said.last).to_have_text(re.compile(re.escape(NO_DEMO.replace("`", "")), re.IGNORECASE))
            page.keyboard.press("Space")


def test_the_fetched_demo_plays_and_a_package_of_ones_own_runs(programs: Path, browser: Browser, tmp_path: Path) -> None:
    fetch = [programs / "vla-demo", "demo", "fetch", ROOT]
    subprocess.run(fetch, cwd=tmp_path, env=os.environ | {CACHE_VARIABLE: str(tmp_path / CACHE)}, check=True, capture_output=True)
    package = tiny_act_package(tmp_path / "package").folder
    with app(programs, tmp_path) as address, visit(browser, address) as page:
        page.wait_for_function("[...document.querySelectorAll('.cams video')].every((video) => video.currentTime > 0.2)")
        expect(page.locator("[data-at=strip]").first).to_contain_text(install("export"))
        page.get_by_label("Policy", exact=True).select_option("other")
        page.get_by_label("Folder or Hub id", exact=True).fill(str(package))
        page.get_by_label("Folder or Hub id", exact=True).press("Enter")
        expect(page.locator(".stage").first).to_be_visible()
        page.get_by_role("button", name="Run", exact=True).first.click()
        expect(page.locator(".panel")).to_contain_text("of 210 executed actions")
        page.get_by_role("tab", name="Trap").click()
        page.get_by_label("Policy of the report").select_option("act")
        expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible()


def test_a_wheel_without_the_pages_files_opens_no_page(programs: Path, wheel: Path, browser: Browser, tmp_path: Path) -> None:
    """The negative control: the same wheel, unpacked before the installed one, with the files left out."""
    with zipfile.ZipFile(wheel) as whole:
        whole.extractall(tmp_path / "unpacked")
    shutil.rmtree(tmp_path / "unpacked" / "vla_demo" / "ui" / "page")
    with pytest.raises(AssertionError, match=r"FileNotFoundError.*page"), app(programs, tmp_path, PYTHONPATH=str(tmp_path / "unpacked")):
        pass
