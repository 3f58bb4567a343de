"""The Robot tab over the real workbench: the simulated board in a process of its own, the twin in another, and what its arm did."""

import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from tests.board.boards import goal_changed_last, is_moving, rests_from, swinging_package
from tests.twin_log import read_log
from tests.ui.conftest import Visit, served
from tests.ui.test_robot_journey import running, state
from tests.waiting import look_on, wait_until
from vla_demo.workbench.workbench import Workbench

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def workbench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    folder = tmp_path_factory.mktemp("bench")
    package = swinging_package(folder / "package")

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLA_DEMO_CACHE", str(folder / "cache"))
        yield Workbench.over(bundled={str(package.folder): "Swing"})


@pytest.fixture(scope="module")
def address(workbench: Workbench) -> Iterator[str]:
    with served(workbench) as url:
        yield url


def test_the_arm_moves_after_start_stands_after_escape_and_the_board_ends_with_the_page(
    visits: Callable[..., Visit], workbench: Workbench
) -> None:
    page = running(visits)
    log = workbench.robot.simulated_board.log
    assert log is not None
    wait_until(lambda: is_moving(read_log(log)))
    pressed = time.monotonic()
    page.keyboard.press("Escape")
    state(page, "STOPPED")
    wait_until(lambda: not is_moving(read_log(log)))
    look_on(0.5)
    did = read_log(log)
    assert not is_moving(did, 0.5)
    assert goal_changed_last(did, pressed) < 1.5 and rests_from(did, pressed) < 2  # s; a busy machine hears a key late
    expect(page.locator("[data-cell=inference] dd")).to_contain_text("ms")
    child = workbench.robot.simulated_board._child
    page.close()
    wait_until(lambda: child is not None and child.poll() is not None)
