"""The Closed loop tab as a person walks it, in a real browser: weigh a latency, run two lanes, watch, scrub, stop, share, leave."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.ui.conftest import Visit
from tests.ui.fake_workbench import FakeWorkbench
from tests.waiting import look_on
from vla_demo.workbench.robot.latencies import BoardLatency

pytestmark = pytest.mark.browser

Visits = Callable[..., Visit]


@pytest.fixture
def held(workbench: FakeWorkbench) -> Iterator[FakeWorkbench]:
    """Lanes stay in their first second until the gate is opened."""
    workbench.gate.clear()
    yield workbench
    workbench.gate.set()


def loop(visits: Visits, query: str = "", **context: object) -> Page:
    page: Page = visits(f"?tab=loop{query}", ready=False, **context).page
    expect(page.locator(".rule")).to_have_count(2)
    return page


def button(page: Page, name: str) -> Locator:
    return page.locator("#loop :is(.top, .live, .second)").get_by_role("button", name=name, exact=True)


def timeline(page: Page) -> Locator:
    return page.locator("#loop .timeline canvas")


def slide(page: Page, ms: int) -> None:
    page.get_by_label("Latency in milliseconds").fill(str(ms))


def test_the_tab_opens_with_the_desk_the_verdict_and_what_to_expect(visits: Visits) -> None:
    page = visits().page
    page.get_by_role("tab", name="Closed loop").click()
    expect(page.locator("#loop .views img[src]")).to_have_count(6)
    expect(page.locator("#loop .lead")).to_have_text("Chunks of 50 at 30 fps last 1.67 s. An inference takes 2.86 s.")
    expect(timeline(page)).to_have_attribute("aria-label", re.compile("A · Sync, FP32, stands still 63 % .*; B · Async, FP32, stands"))
    expect(page.locator("#replay")).to_be_hidden()
    expect(page).to_have_url(re.compile(r"\?tab=loop&policy=act&.*lane=sync:.*beside=async:.*latency=2860"))


def test_the_verdict_follows_the_slider(visits: Visits) -> None:
    page = loop(visits)
    expect(page.locator(".rule em")).to_have_text(["does not hold", "does not hold"])
    slide(page, 1200)
    expect(page.locator(".rule em")).to_have_text(["holds", "does not hold"])
    slide(page, 300)
    expect(page.locator(".rule em")).to_have_text(["holds", "holds"])
    expect(timeline(page)).to_have_attribute(
        "aria-label", re.compile("A · Sync, FP32, stands still 15 % .* B · Async, FP32, never starves")
    )
    button(page, "Published: ACT 320 ms").click()
    expect(page.locator(".source-of")).to_contain_text("Published: ACT, optimized, six Cortex-A55")


@pytest.fixture
def timed_there(workbench: FakeWorkbench) -> Iterator[None]:
    measured = BoardLatency("lab", "so101", "rev", "vision=int8,expert=int8", 0.412, 32, {"vision": 300.0, "expert": 100.0})
    workbench.rollout.timed_there = (measured,)
    yield
    workbench.rollout.timed_there = ()


def test_what_a_board_measured_of_this_policy_is_a_stop_of_the_slider(visits: Visits, timed_there: None) -> None:
    page = loop(visits)
    button(page, "lab, INT8: 412 ms").click()
    expect(page.get_by_label("Latency in milliseconds")).to_have_value("412")
    expect(page.locator(".source-of")).to_contain_text("Measured on board lab: median of 32 inferences of vision=int8,expert=int8")
    expect(page.locator(".source-of")).to_contain_text("vision 300 ms, expert 100 ms")
    expect(page.locator(".rule em")).to_have_text(["holds", "holds"])
    page.get_by_label("Policy that acts", exact=True).select_option("smolvla")  # nobody measured this one
    expect(page.locator("#loop .there button")).to_have_count(0)


def test_a_link_to_what_a_board_measured_opens_with_it_and_says_so(visits: Visits, timed_there: None) -> None:
    page = loop(visits, "&policy=act&lane=sync:vision=int8,expert=int8&beside=async:vision=int8,expert=int8&latency=board:lab")
    expect(page.get_by_label("Latency in milliseconds")).to_have_value("412")
    expect(page.locator(".source-of")).to_contain_text("Measured on board lab")


def test_two_lanes_run_side_by_side_and_say_what_they_measured(visits: Visits) -> None:
    page = loop(visits, "&latency=500")
    button(page, "Run").click()
    expect(page.locator(".result td")).to_have_text(["In the mug after 5.5 s", "In the mug after 4.5 s"])
    expect(page.locator(".measured tr", has_text="idle").locator("td").first).to_contain_text("expected in the long run: 23 %")
    expect(page.locator(".views .caption").first).to_have_text("done: the bag is in the mug", timeout=15_000)
    expect(page.locator("#loop .live .how")).to_contain_text("every inference costs exactly 500 ms")
    expect(button(page, "Run")).to_be_enabled()


def test_a_run_can_be_scrubbed_picture_by_picture(visits: Visits) -> None:
    page = loop(visits, "&latency=500&policy=act", reduced_motion="reduce")
    button(page, "Run").click()
    expect(page.locator(".result")).to_be_visible()
    shown = page.locator(".views img").first
    late = shown.get_attribute("src")
    page.get_by_label("Seek in the loop").fill("0.5")
    expect(page.locator("#loop .scrub output")).to_have_text("0.5 / 5.5 s")
    expect(shown).not_to_have_attribute("src", late or "")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#loop .scrub output")).to_have_text("0.6 / 5.5 s")


def test_stop_works_at_once_and_what_was_measured_stays(visits: Visits, held: FakeWorkbench) -> None:
    page = loop(visits, "&latency=300")
    button(page, "Run").click()
    expect(page.locator("#loop .scrub output")).not_to_have_text("not run yet")
    page.keyboard.press("Escape")
    expect(button(page, "Run")).to_be_enabled(timeout=10_000)
    expect(page.locator(".result td").first).to_have_text(re.compile("^Stopped after"))
    assert held.rollout.acted[-1].closed.wait(30)


def test_closing_the_tab_ends_the_lanes(visits: Visits, held: FakeWorkbench) -> None:
    page = loop(visits, "&latency=300")
    button(page, "Run").click()
    expect(page.locator("#loop .scrub output")).not_to_have_text("not run yet")
    page.close()
    assert held.rollout.acted[-1].closed.wait(30)


def test_two_visitors_do_not_disturb_each_other(visits: Visits, held: FakeWorkbench) -> None:
    pages = [loop(visits, f"&latency={ms}") for ms in (300, 500)]
    for page in pages:
        button(page, "Run").click()
        expect(page.locator("#loop .scrub output")).not_to_have_text("not run yet")
    button(pages[0], "Stop").click()
    held.gate.set()
    expect(pages[1].locator(".result td").first).to_have_text("In the mug after 5.5 s")


def test_presets_and_modes_change_the_lanes(visits: Visits) -> None:
    page = loop(visits, "&policy=smolvla")
    button(page, "FP32 beside INT8").click()
    second = page.get_by_role("region", name="Lane B")
    expect(second.get_by_label("Action expert precision")).to_have_value("int8")
    expect(timeline(page)).to_have_attribute("aria-label", re.compile("A · Async, FP32.*B · Async, INT8"))
    second.get_by_role("button", name="Seam-free").click()
    expect(page).to_have_url(re.compile(r"beside=seamfree:vision=int8,llm=int8,expert=int8,steps=4"))
    button(page, "One lane").click()
    expect(second).to_be_hidden()
    expect(page.locator("#loop .views")).to_have_count(1)


def test_a_mode_the_policy_lacks_says_why(visits: Visits) -> None:
    page = loop(visits, "&policy=act")
    first = page.get_by_role("region", name="Lane A")
    first.get_by_role("button", name="Seam-free").press("Enter")
    expect(first).to_contain_text("ACT does not denoise, so no chunk can go on from another.")
    expect(first.get_by_role("button", name="Sync", exact=True)).to_have_attribute("aria-pressed", "true")


def test_a_latency_measured_here_moves_the_slider(visits: Visits) -> None:
    page = loop(visits)
    button(page, "Measure here").click()
    expect(page.get_by_label("Latency in milliseconds")).to_have_value("412")
    expect(page.locator(".source-of")).to_contain_text("Measured: median of 1 inference here, a stand-in.")


def test_a_link_opens_the_same_view_elsewhere(visits: Visits) -> None:
    page = loop(visits, "&policy=smolvla&lane=async:vision=int8&start=206000&fps=50&threshold=0.25&latency=1234&seed=7")
    expect(page.get_by_role("region", name="Lane A").get_by_label("Vision encoder precision")).to_have_value("int8")
    expect(page.get_by_role("region", name="Lane B")).to_be_hidden()
    expect(page.get_by_label("Start", exact=True)).to_have_value("206000")
    expect(page.locator("#loop .lead")).to_have_text("Chunks of 50 at 50 fps last 1 s. An inference takes 1.23 s.")
    expect(page.get_by_label("Noise seed of the loop")).to_have_value("7")


def test_the_start_changes_what_the_cameras_show(visits: Visits) -> None:
    page = loop(visits)
    shown = page.locator(".views img").first
    expect(shown).to_have_attribute("src", re.compile("^blob:"))
    before = shown.get_attribute("src")
    page.get_by_label("Start", exact=True).select_option("302000")
    expect(shown).not_to_have_attribute("src", before or "")


@pytest.mark.parametrize("policy", ["act", "smolvla"])
def test_a_phone_shows_cameras_and_run_first_and_nothing_sticks_out(visits: Visits, policy: str) -> None:
    page = loop(visits, f"&policy={policy}", viewport={"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    run = button(page, "Run").bounding_box()
    camera = page.locator("#loop .views").first.bounding_box()
    assert run and camera and camera["y"] < run["y"] < 500


def test_dark_mode_redraws_the_timeline(visits: Visits) -> None:
    page = loop(visits)
    pixels = "() => document.querySelector('#loop .timeline canvas').toDataURL()"
    look_on(0.2)
    light = page.evaluate(pixels)
    page.get_by_label("Switch between light and dark").click()
    page.wait_for_function("(light) => document.querySelector('#loop .timeline canvas').toDataURL() !== light", arg=light)
