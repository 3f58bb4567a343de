"""The Robot tab as a person walks it, in a real browser: connect, send, check, start, stop; a second visitor, a phone, a closed tab."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.ui.conftest import Visit
from tests.ui.fake_robot import FACTS, TOKEN, FakeBoard
from tests.ui.fake_workbench import FakeWorkbench
from tests.waiting import wait_until

pytestmark = pytest.mark.browser

Visits = Callable[..., Visit]


@pytest.fixture(autouse=True)
def board(workbench: FakeWorkbench) -> Iterator[FakeBoard]:
    """A fresh one for each test."""
    workbench.board = FakeBoard()
    yield workbench.board
    workbench.board.gate.set()


def button(page: Page, name: str) -> Locator:
    return page.locator("#robot").get_by_role("button", name=name, exact=True)


def state(page: Page, name: str) -> None:
    expect(page.locator(".lamp b")).to_have_text(name)


def connected(visits: Visits, **context: object) -> Page:
    page: Page = visits("?tab=robot", ready=False, **context).page
    button(page, "Start the simulated board").click()
    state(page, "STOPPED")
    return page


def running(visits: Visits, **context: object) -> Page:
    page = connected(visits, **context)
    button(page, "Send to the board").click()
    button(page, "Check and reset…").click()
    page.locator("#robot dialog").get_by_role("checkbox").check()
    button(page, "Reset").click()
    button(page, "Start the tea-bag task").click()
    state(page, "RUNNING")
    return page


def test_from_the_first_click_to_an_arm_that_moves_and_stops_by_escape(visits: Visits, board: FakeBoard) -> None:
    page = running(visits)
    expect(page.locator("#robot .views img[src]")).to_have_count(3)
    shown = page.locator("#robot .views img").first
    expect(shown).not_to_have_attribute("src", shown.get_attribute("src") or "")
    expect(page.locator("[data-at=traces]")).to_have_attribute("aria-label", re.compile(r"\d\d+ control periods; \d+ actions"))
    page.keyboard.press("Escape")
    state(page, "STOPPED")
    assert len(board.stops) == 1
    expect(page.locator(".lamp span")).to_contain_text("pressed Stop")
    expect(button(page, "Start the tea-bag task")).to_be_disabled()  # a stop is latched


def test_each_stage_has_its_precision_and_a_policy_that_reads_its_sentence(visits: Visits, board: FakeBoard) -> None:
    page = connected(visits)
    stages = page.get_by_role("group", name="Stages of the policy for the robot")
    expect(stages.locator("legend")).to_have_text(["Vision encoder", "Action expert"])
    expect(page.get_by_label("Instruction for the robot")).to_be_hidden()
    page.get_by_label("Policy for the robot", exact=True).select_option("smolvla")
    expect(stages.locator("legend")).to_have_text(["Vision encoder", "Language backbone", "Action expert"])
    stages.get_by_label("Vision encoder precision").select_option("int8")
    stages.get_by_role("slider", name="Denoising steps").press("Home")
    page.get_by_label("Instruction for the robot").fill("Put it there.")
    page.get_by_label("Mode of the loop on the board").select_option("seamfree")
    button(page, "Send to the board").click()
    expect(button(page, "Check and reset…")).to_be_enabled()
    assert board.variant == "vision=int8,llm=fp32,expert=fp32,steps=1"
    button(page, "Check and reset…").click()
    page.locator("#robot dialog").get_by_role("checkbox").check()
    button(page, "Reset").click()
    button(page, "Start the tea-bag task").click()
    state(page, "RUNNING")
    assert board.how == ("seamfree", "Put it there.")


def test_who_started_the_task_says_how_it_ended(visits: Visits) -> None:
    page = running(visits)
    expect(page.locator(".judge")).to_be_hidden()
    button(page, "End the task").click()
    button(page, "Yes").click()
    expect(page.locator(".rates tbody")).to_contain_text("measured on board bench twin (simulated)")
    expect(page.locator(".judge")).to_contain_text("Counted as in the mug")
    with page.expect_popup() as opened:
        page.get_by_role("link", name="what it means in the closed loop").click()
    expect(opened.value).to_have_url(re.compile(r"\?tab=loop&policy=act&lane=sync"))


def test_a_page_that_hears_nothing_claims_nothing_and_says_when_stop_went_nowhere(visits: Visits) -> None:
    page = running(visits)
    page.route("**/component_server**", lambda route: None)  # an app that hangs, or has ended: nothing answers
    state(page, "UNKNOWN")
    expect(page.locator(".next")).to_contain_text("No news of the board.")
    expect(button(page, "End the task")).to_be_disabled()
    page.keyboard.press("Escape")
    expect(page.locator("[data-at=problem]")).to_contain_text("Stop did not reach the board: This page does not reach the app.")
    page.unroute_all(behavior="ignoreErrors")
    expect(page.locator(".lamp b")).not_to_have_text("UNKNOWN")
    expect(page.locator("[data-at=problem]")).to_be_hidden()


def test_who_hears_nothing_can_leave(visits: Visits) -> None:
    page = running(visits)
    page.route("**/component_server**", lambda route: None)
    state(page, "UNKNOWN")
    expect(button(page, "End the task")).to_be_disabled()
    button(page, "Disconnect").click()
    expect(button(page, "Start the simulated board")).to_be_enabled()
    page.unroute_all(behavior="ignoreErrors")


def test_the_same_desk_can_be_set_again(visits: Visits, board: FakeBoard) -> None:
    page = connected(visits)
    for times in (1, 2):
        button(page, "Set the desk").click()
        wait_until(lambda times=times: board.starts == ["test:0"] * times)  # type: ignore[misc]
    expect(page.locator("[data-at=problem]")).to_be_hidden()


def test_nothing_is_made_ready_without_consent(visits: Visits, board: FakeBoard) -> None:
    page = connected(visits)
    expect(button(page, "Check and reset…")).to_be_disabled()
    button(page, "Send to the board").click()
    button(page, "Check and reset…").click()
    expect(page.locator("dialog dt.ok")).to_have_count(7)
    expect(button(page, "Reset")).to_be_disabled()
    button(page, "Cancel").click()
    assert board.state == "stopped"


def test_stop_stays_in_sight_and_says_that_it_is_no_emergency_stop(visits: Visits) -> None:
    page = connected(visits)
    page.mouse.wheel(0, 3000)
    expect(page.locator(".status .halt")).to_be_in_viewport()
    expect(page.locator("#robot")).to_contain_text("not an emergency stop")


def test_on_a_phone_the_cameras_and_stop_come_first_and_nothing_is_wider_than_the_screen(visits: Visits) -> None:
    page = connected(visits, viewport={"width": 393, "height": 727}, color_scheme="dark")
    expect(page.locator(".status .halt")).to_be_in_viewport()
    expect(page.locator("#robot .views")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator(".masthead").bounding_box()["y"] >= page.locator(".status").bounding_box()["height"] - 1  # type: ignore[index]


def test_a_second_visitor_watches_stops_and_takes_over(visits: Visits, board: FakeBoard) -> None:
    first, second = running(visits), visits("?tab=robot", ready=False).page
    button(second, "Start the simulated board").click()
    state(second, "RUNNING")
    expect(button(second, "End the task")).to_be_disabled()
    second.locator(".status .halt").click()
    state(first, "STOPPED")
    driver = board.holder
    second.get_by_role("button", name="Take over from").click()
    assert board.holder == driver  # a slip of the finger takes nothing
    second.get_by_role("button", name="Press again: it stops the arm").click()
    expect(first.locator(".next")).to_contain_text("Somebody else commands this board")


def test_stop_is_within_reach_while_the_facts_are_read(visits: Visits, board: FakeBoard) -> None:
    page = connected(visits)
    button(page, "Send to the board").click()
    button(page, "Check and reset…").click()
    page.locator("#robot dialog .halt").click()
    wait_until(lambda: len(board.stops) == 1)


def test_closing_the_tab_stops_the_arm(visits: Visits, board: FakeBoard) -> None:
    running(visits).close()
    wait_until(lambda: board.state == "stopped" and not board.open)


def test_leaving_for_another_tab_of_the_page_stops_the_arm(visits: Visits, board: FakeBoard) -> None:
    page = running(visits)
    page.get_by_role("tab", name="Replay").click()
    wait_until(lambda: board.state == "stopped")


def test_a_board_on_the_network_is_remembered_without_its_token(visits: Visits) -> None:
    page = visits("?tab=robot", ready=False).page
    page.get_by_label("Address of the board").fill(FACTS.address)
    page.get_by_label("Token of the board").fill("wrong")
    button(page, "Connect").click()
    expect(page.get_by_text("the board wants its token").first).to_be_visible()
    page.get_by_label("Token of the board").fill(TOKEN)
    button(page, "Connect").click()
    state(page, "STOPPED")
    kept = page.evaluate("JSON.stringify(localStorage)")
    assert FACTS.address in kept and TOKEN not in kept
    button(page, "Disconnect").click()
    expect(button(page, "Connect")).to_be_visible()
