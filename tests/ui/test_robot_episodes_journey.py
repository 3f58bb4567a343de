"""Recording as a person does it, in a real browser: the switch, a task, its line in the list, the dataset as a zip; on a phone too."""

import zipfile
from dataclasses import replace

import pytest
from playwright.sync_api import expect

from tests.ui.fake_episodes import WHOLE
from tests.ui.fake_robot import FakeBoard
from tests.ui.test_robot_journey import Visits, board, button, connected  # noqa: F401  a fixture

pytestmark = pytest.mark.browser


def test_a_task_is_recorded_judged_and_brought_home(visits: Visits) -> None:
    page = connected(visits)
    switch = page.get_by_label("Record the episodes")
    expect(page.locator(".episodes .how")).to_have_text("Tasks are not recorded.")
    switch.focus()
    page.keyboard.press("Space")
    expect(page.locator(".episodes .how")).to_contain_text("Each task is recorded on the board, in /var/lib/vla-board/episodes.")
    button(page, "Send to the board").click()
    button(page, "Check and reset…").click()
    page.get_by_role("dialog").get_by_role("checkbox").check()
    button(page, "Reset").click()
    button(page, "Start the tea-bag task").click()
    button(page, "End the task").click()
    button(page, "Yes").click()
    line = page.locator(".episodes tbody tr")
    expect(line).to_have_count(1)
    expect(line).to_contain_text("in the mug")
    button(page, "No").click()
    expect(line).to_contain_text("missed")
    expect(page.locator(".judge")).to_contain_text("Counted as missed")
    expect(button(page, "No")).to_have_attribute("aria-pressed", "true")
    expect(line).to_contain_text("12.3 s")
    button(page, "Download as LeRobot dataset").click()
    expect(page.locator(".downloaded")).to_contain_text("vla-demo replay act --dataset")
    with page.expect_download() as saved:
        page.get_by_role("link", name="Save it as a zip").click()
    with zipfile.ZipFile(saved.value.path()) as archive:
        assert "bench-twin/meta/info.json" in archive.namelist()


def test_what_is_removed_is_asked_for_twice_and_what_was_dropped_is_seen_on_a_phone(visits: Visits, board: FakeBoard) -> None:  # noqa: F811
    board.recordings.kept = [replace(WHOLE, id=f"{k:016x}", old_pictures=12 * k) for k in range(2)]
    page = connected(visits, viewport={"width": 393, "height": 727})
    lines = page.locator(".episodes tbody tr")
    expect(lines.first).to_contain_text("incomplete: the pictures of 12 frames were dropped")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    lines.first.get_by_role("checkbox").uncheck()
    button(page, "Remove from the board").click()
    button(page, "Remove 1 for good").click()
    expect(lines).to_have_count(1)
    assert [one.old_pictures for one in board.recordings.kept] == [12]
