"""The Robot tab without a mouse, on small screens and in trouble, in a real browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.ui.fake_robot import FakeBoard
from tests.ui.test_robot_journey import Visits, board, button, connected, running, state  # noqa: F401  a fixture
from tests.waiting import look_on

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
CUT = """() => [...document.querySelectorAll('.status dl > div')].filter((cell) => {
  const { left, right, height } = cell.getBoundingClientRect();
  const narrow = [...cell.querySelectorAll('dt, dd')].some((one) => one.scrollWidth > one.clientWidth);
  return !height || left < 0 || right > innerWidth || narrow;
}).map((cell) => cell.dataset.cell)"""


def top(page: Page, place: str) -> float:
    box = page.locator(place).bounding_box()
    assert box is not None, place
    return box["y"]


def test_every_figure_of_the_status_is_in_sight_on_every_screen_and_the_page_begins_below(visits: Visits, board: FakeBoard) -> None:  # noqa: F811
    page = running(visits, viewport={"width": 1440, "height": 900})
    expect(page.locator(".status dl > div")).to_have_count(7)
    for width, height, most in ((1440, 900, 100), (1200, 800, 135), (780, 900, 190), (390, 844, 135), (360, 740, 135)):
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate("scrollTo(0, 0)")
        assert page.evaluate(CUT) == []
        page.wait_for_function(
            "getComputedStyle(document.body).getPropertyValue('--strip') === `${document.querySelector('.status').offsetHeight}px`"
        )
        assert page.evaluate("document.querySelector('.status').offsetHeight") <= most
        assert top(page, ".masthead") >= page.evaluate("document.querySelector('.status').offsetHeight") - 1
        assert page.evaluate("(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth)(document.querySelector('.masthead nav'))")


def test_on_a_phone_what_is_sent_stands_together_below_the_cameras_and_the_buttons(visits: Visits) -> None:
    page = connected(visits, viewport=PHONE)
    page.get_by_label("Policy for the robot", exact=True).select_option("smolvla")
    order = (
        ".views",
        ".next",
        "[data-at=arm]",
        "[data-at=policy]",
        "[data-at=mode]",
        "[data-at=stages]",
        "[data-at=sentence]",
        "[data-at=load]",
    )
    expect(page.locator("[data-at=sentence]")).to_be_visible()
    tops = [top(page, f"#robot {place}") for place in (*order, ".live-traces")]
    assert tops == sorted(tops)


def test_the_whole_way_is_walked_by_the_key_enter(visits: Visits, board: FakeBoard) -> None:  # noqa: F811
    page = visits("?tab=robot", ready=False, viewport=PHONE).page
    button(page, "Start the simulated board").focus()
    for name in ("Send to the board", "Check and reset…"):
        page.keyboard.press("Enter")
        expect(button(page, name)).to_be_focused()
    page.keyboard.press("Enter")
    page.locator("#robot dialog").get_by_role("checkbox").press("Space")
    button(page, "Reset").press("Enter")
    expect(button(page, "Start the tea-bag task")).to_be_focused()
    assert board.state == "ready"
    for name in ("End the task", "Yes"):
        page.keyboard.press("Enter")
        expect(button(page, name)).to_be_focused()
        expect(button(page, name)).to_be_in_viewport()


def test_an_enter_that_is_held_down_starts_nothing(visits: Visits, board: FakeBoard) -> None:  # noqa: F811
    page = connected(visits)
    button(page, "Send to the board").click()
    button(page, "Check and reset…").click()
    page.locator("#robot dialog").get_by_role("checkbox").check()
    button(page, "Reset").focus()
    page.keyboard.down("Enter")
    expect(button(page, "Start the tea-bag task")).to_be_focused()
    for _ in range(3):
        page.keyboard.down("Enter")  # as a key that repeats itself
    page.keyboard.up("Enter")
    look_on(0.4)
    assert board.state == "ready"
    page.keyboard.press("Enter")
    state(page, "RUNNING")


def test_the_focus_is_never_taken_from_where_somebody_put_it(visits: Visits, board: FakeBoard) -> None:  # noqa: F811
    page = connected(visits)
    board.gate.clear()
    button(page, "Send to the board").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Mode of the loop on the board").focus()
    board.gate.set()
    expect(button(page, "Check and reset…")).to_be_enabled()
    expect(page.get_by_label("Mode of the loop on the board")).to_be_focused()
    page.locator("#robot .foot p").click()
    look_on(0.3)
    assert page.evaluate("document.activeElement === document.body")


def test_why_the_arm_stands_is_said_in_full(visits: Visits, board: FakeBoard) -> None:  # noqa: F811
    page = running(visits)
    board.state, board.reason = "fault", "the newest pictures are 1.34 s old, 1 s are allowed: the camera top gave none"
    expect(page.locator(".next")).to_have_text(f"Fault: {board.reason}. Mend it, then check and reset.")
    board.state, board.reason = "stopped", "another policy was loaded"
    expect(page.locator(".next")).to_contain_text("Stopped: another policy was loaded. Check the facts and reset")


def test_that_stop_went_nowhere_stays_said_until_the_board_is_heard_again(visits: Visits, board: FakeBoard) -> None:  # noqa: F811
    page = running(visits)
    board.dead = "the board does not answer"
    said = page.locator("[data-at=problem]")
    expect(said).to_contain_text(board.dead)
    page.keyboard.press("Escape")
    expect(said).to_contain_text("Stop did not reach the board: the board does not answer. If the arm moves, cut its power.")
    look_on(1.5)  # the next two questions fail as well
    expect(said).to_contain_text("Stop did not reach the board")
    board.dead = ""
    expect(said).to_be_hidden()


def test_the_tab_is_in_the_address_as_soon_as_it_is_opened(visits: Visits) -> None:
    page = visits().page
    page.get_by_role("tab", name="Robot").click()
    expect(page).to_have_url(re.compile(r"\?tab=robot$"))
