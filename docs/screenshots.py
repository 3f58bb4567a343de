"""Takes the README's screenshots of the real page: `uv run python docs/screenshots.py`. Needs Chromium; a policy's run takes a minute."""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from vla_demo.ui.server import serve
from vla_demo.workbench.workbench import Workbench

DOCS = Path(__file__).parent
PATIENCE = 600_000  # ms; a policy may have to be exported first
VIEWS = {
    "replay.png": "?policy=smolvla&variant=vision=int8,llm=int8,expert=int8-smooth,steps=10&episode=3&run=1&t=6.3",
    "trap.png": "?tab=trap&policy=smolvla",
    "closed_loop.png": "?tab=loop&policy=act&latency=500",
    "robot.png": "?tab=robot",
}
READY = {
    "replay.png": "document.querySelector('#replay .how')?.textContent",
    "trap.png": "document.querySelector('.heat .cell')",
    "closed_loop.png": "document.querySelector('#loop .measured .result')",
    "robot.png": "document.querySelector('#robot .lamp[data-state=running]')",
}
BEFORE = {"closed_loop.png": "document.querySelector('#loop .strip .dials')"}  # once it is there, Run is pressed
WIDTH, HEIGHT = 1440, {"closed_loop.png": 1245}


def take(page: Page, address: str, name: str) -> None:
    page.set_viewport_size({"width": WIDTH, "height": HEIGHT.get(name, 1010)})
    page.goto(address + VIEWS[name])
    if name in BEFORE:
        page.wait_for_function(BEFORE[name], timeout=PATIENCE)
        page.locator("#loop .go").first.click()
    if name == "robot.png":
        start_robot(page)
    page.wait_for_function(READY[name], timeout=PATIENCE)
    page.wait_for_timeout(3000)  # the traces finish growing, the cameras arrive
    page.screenshot(path=DOCS / name)


def start_robot(page: Page) -> None:
    """On the simulated board, from the first click to an arm that acts."""
    robot = page.locator("#robot")
    for name in ("Start the simulated board", "Send to the board", "Check and reset…", "Reset", "Start the tea-bag task"):
        if name == "Reset":
            robot.get_by_role("dialog").get_by_role("checkbox").check()
        robot.get_by_role("button", name=name, exact=True).click(timeout=PATIENCE)
    page.wait_for_timeout(4000)


def main(names: list[str]) -> None:
    served = serve(Workbench.over(), block=False)
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"]) as browser,
    ):
        page = browser.new_page(color_scheme="light")
        for name in names or VIEWS:
            take(page, served.local_url, name)
    served.close()


if __name__ == "__main__":
    main(sys.argv[1:])
