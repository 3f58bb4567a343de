"""The batch as a visitor meets it: a row a lane, stop and go on, films of what failed, two rows in pairs, the article beside it."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from tests.ui.conftest import Visit
from tests.ui.fake_workbench import FakeWorkbench
from vla_demo.workbench.robot.trials import RobotTrial

TAB = "?tab=loop&policy=act&lane=sync&beside=async&latency=2860"
Visits = Callable[..., Visit]


@pytest.fixture(autouse=True)
def flowing(workbench: FakeWorkbench) -> Iterator[None]:
    workbench.gate.set()
    yield
    workbench.gate.set()


def opened(visits: Visits, **context: object) -> Page:
    page: Page = visits(TAB, ready=False, **context).page
    expect(page.get_by_role("button", name="Run the protocol")).to_be_visible()
    expect(page.locator("#loop .strip .stage").first).to_be_visible()
    return page


def table(page: Page) -> list[str]:
    return page.locator("#loop .results tbody tr:first-child").all_inner_texts()


def run(page: Page, rows: int) -> None:
    page.get_by_role("button", name="Run the protocol").click()
    expect(page.locator("#loop .results tbody")).to_have_count(rows)
    expect(page.get_by_text("Tries the lanes as they are set above.")).to_be_visible()


def test_each_lane_becomes_a_row_on_top_with_its_count_and_whose_latency_it_is(visits: Visits) -> None:
    page = opened(visits)
    run(page, 4)
    newest, before, *shipped = table(page)
    assert "async" in newest and "sync" in before and all("came with the app" in row for row in shipped)
    assert "2/3" in newest and "test 2/2 · validation 0/1" in newest and "2.86 s\npublished" in newest
    band = page.locator("#loop .results .band").first
    expect(band).to_have_attribute("aria-label", "2 of 3, 95 % interval 0.21 to 0.94")


@pytest.fixture
def judged(workbench: FakeWorkbench) -> Iterator[None]:
    trial = RobotTrial("bench twin", "twin", "act", "vision=int8,expert=int8", "d7a8", True, (0.2, 0.3))
    workbench.robot.trials[:] = [replace(trial, task="one"), replace(trial, task="two", success=False)]
    yield
    workbench.robot.trials.clear()


def test_judged_tasks_stand_in_the_same_table_and_say_on_which_board(visits: Visits, judged: None) -> None:
    page = opened(visits)
    row = page.locator("#loop .results tbody.judged")
    for told in ("1/2", "INT8", "measured on board bench twin (simulated)", "250 ms", "judged by a person"):
        expect(row).to_contain_text(told)
    expect(row.get_by_role("checkbox")).to_have_count(0)  # its starts are not the protocol's


def test_progress_is_told_start_by_start_and_stop_says_what_is_kept(visits: Visits, workbench: FakeWorkbench) -> None:
    page = opened(visits)
    workbench.gate.clear()
    page.get_by_role("button", name="Run the protocol").click()
    expect(page.get_by_text("Lane A: 1 of 3 starts tried, 1 solved")).to_be_visible()
    expect(page.get_by_role("progressbar", name="Starts tried")).to_have_attribute("aria-valuenow", "33")
    page.get_by_role("group", name="Batch").get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped. What was tried is kept")).to_be_visible()
    assert workbench.rollout.rolled[-1].closed.wait(30)
    expect(page.locator("#loop .results tbody")).to_have_count(2)
    workbench.gate.set()
    run(page, 4)


def test_a_failed_start_is_filmed_when_it_is_asked_for_and_plays(visits: Visits, workbench: FakeWorkbench) -> None:
    page = opened(visits)
    run(page, 4)
    workbench.gate.clear()
    page.get_by_role("button", name="Film of validation 1, cluster 6: grasped once").first.click()
    expect(page.get_by_text("Filming this start: 50 %")).to_be_visible()
    workbench.gate.set()
    video = page.locator("#loop .film video")
    expect(video).to_be_visible()
    page.wait_for_function("document.querySelector('#loop .film video').currentTime > 0.2")
    expect(page.get_by_text("Validation 1, cluster 6: grasped once. Tried again and filmed on this machine")).to_be_visible()


def test_two_rows_that_are_ticked_are_compared_in_pairs_and_a_third_takes_the_place_of_the_first(visits: Visits) -> None:
    page = opened(visits)
    run(page, 4)
    boxes = page.locator("#loop .results input[type=checkbox]")
    boxes.nth(0).check()
    boxes.nth(1).check()
    expect(page.get_by_text("async and sync solved the same of the 3 starts, so these starts do not tell them apart.")).to_be_visible()
    boxes.nth(2).check()
    expect(boxes.nth(0)).not_to_be_checked()
    expect(page.get_by_text("the first and the second solved the same of the 3 starts")).to_be_visible()


def test_the_article_stands_beside_it_as_printed_with_its_slips_marked(visits: Visits) -> None:
    article = opened(visits).get_by_label("The article's results")
    assert article.locator("mark").all_inner_texts() == ["0.96", "0.89"]
    expect(article.get_by_text("ACT, Optimized: printed 0.89, but 26/30 = 0.867.")).to_be_visible()
    expect(article.get_by_text("Faster by 8.94× (ACT, 2.86 s to 0.32 s)")).to_be_visible()


def test_a_refused_batch_gives_the_button_back(visits: Visits) -> None:
    page = opened(visits)
    page.get_by_label("Policy that acts", exact=True).select_option("other")
    page.get_by_label("Folder or Hub id of the policy that acts").fill("nobody/nothing")
    page.get_by_role("button", name="Run the protocol").click()
    expect(page.get_by_text("nobody/nothing is neither a folder nor a policy on the Hub")).to_be_visible()
    expect(page.get_by_role("button", name="Run the protocol")).to_be_enabled()


def test_on_a_phone_nothing_is_wider_than_the_screen(visits: Visits) -> None:
    page = opened(visits, viewport={"width": 390, "height": 844})
    run(page, 4)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
