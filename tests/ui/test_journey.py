"""The page as a person walks it, in a real browser: every sentence below is something a visitor does and sees."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.ui.conftest import Visit
from tests.ui.fake_policies import FPS
from tests.ui.fake_replay import FRAMES, actions
from tests.ui.fake_workbench import FakeWorkbench

pytestmark = pytest.mark.browser

Visits = Callable[..., Visit]


@pytest.fixture
def held(workbench: FakeWorkbench) -> Iterator[FakeWorkbench]:
    """Runs stay in their first chunk until the gate is opened, so that nothing depends on how fast this machine is."""
    workbench.gate.clear()
    yield workbench
    workbench.gate.set()


FOCUSED = """() => {
    const at = document.activeElement;
    const drawn = at.type === "radio" ? at.nextSibling : at; // the radio itself is invisible, its label wears the ring
    return [at.ariaLabel || at.dataset.at || at.textContent, getComputedStyle(drawn).outlineStyle];
}"""


def start(page: Page) -> None:
    page.get_by_role("button", name="Run", exact=True).click()


def traces(page: Page, text: str) -> None:
    expect(page.locator(".plot canvas")).to_have_attribute("aria-label", re.compile(text))


def finished(page: Page) -> None:
    traces(page, f"{FRAMES} of {FRAMES} frames")
    expect(page.get_by_text(f"All {FRAMES} frames")).to_be_visible()


def pause(page: Page) -> None:
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()


def at(page: Page) -> float:
    return float(page.locator("#replay output[data-at=time]").inner_text().split(" / ")[0])


def seek(page: Page, t: float) -> None:
    page.get_by_label("Seek", exact=True).evaluate(
        "(bar, t) => { bar.value = t; bar.dispatchEvent(new Event('input', { bubbles: true })); }", t
    )


def value(page: Page, joint: str, column: int = 0) -> str:
    return page.get_by_role("row", name=joint).locator("td").nth(column).inner_text()


def degrees(number: float) -> str:
    return f"{number:.1f}°".replace("-", "−")


def test_a_first_visit_sees_an_episode_playing_with_its_traces(visits: Visits) -> None:
    page = visits().page
    expect(page.locator("video")).to_have_count(3)
    page.wait_for_function("[...document.querySelectorAll('video')].every((v) => v.currentTime > 0.3 && !v.paused)")
    before = at(page)
    page.wait_for_function("(t) => parseFloat(document.querySelector('#replay output[data-at=time]').textContent) > t + 0.5", arg=before)
    traces(page, f"recorded: {FRAMES} frames$")
    inked = "(c) => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.filter((v, i) => i % 4 === 3 && v > 0).length"
    assert page.locator(".plot canvas").evaluate(inked) > 1000


def test_the_cameras_stay_together(visits: Visits) -> None:
    page = visits().page
    page.wait_for_function("parseFloat(document.querySelector('#replay output[data-at=time]').textContent) > 1.5")
    times = page.evaluate("[...document.querySelectorAll('video')].map((v) => v.currentTime)")
    assert max(times) - min(times) < 0.3


def test_the_strip_shows_a_block_for_each_stage_of_the_package(visits: Visits) -> None:
    page = visits().page
    expect(page.locator("fieldset.stage legend")).to_have_text(["Vision encoder", "Action expert"])
    expect(page.get_by_label("Denoising steps")).to_have_count(0)
    page.get_by_label("Policy", exact=True).select_option("smolvla")
    expect(page.locator("fieldset.stage legend")).to_have_text(["Vision encoder", "Language backbone", "Action expert"])
    expect(page.get_by_role("slider", name="Denoising steps")).to_be_visible()


def test_a_run_grows_its_traces_and_tells_what_it_measured(visits: Visits, held: FakeWorkbench) -> None:
    page = visits().page
    page.get_by_label("Vision encoder precision").select_option("int8")
    start(page)
    traces(page, f"{FRAMES // 3} of {FRAMES} frames")
    expect(page.locator(".legend")).to_contain_text("vision INT8, action FP32")
    held.gate.set()
    finished(page)
    block = page.locator("[data-role=vision] .facts").first
    expect(block).to_contain_text("11 ms")
    expect(block).to_contain_text("1.9× as fast as FP32")
    expect(page.locator("[data-role=vision] .proof")).to_have_text("19/20 nodes1.3/1.4 MB weightsdiffers from FP32 by up to 0.0126ab6ab6")
    expect(page.locator(".panel h3")).to_have_text(["vs FP32 reference", "vs recorded demonstration"])
    expect(page.get_by_role("row", name="shoulder pan").locator("td").nth(4)).to_have_text(re.compile(r"^0\.\d\d°$"))


def test_stop_works_in_the_middle_of_a_run(visits: Visits, held: FakeWorkbench) -> None:
    page = visits().page
    start(page)
    traces(page, f"{FRAMES // 3} of {FRAMES} frames")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text(f"Stopped after {FRAMES // 3} of {FRAMES} frames")).to_be_visible()
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_enabled()
    assert held.replay.runs[-1].closed.wait(30)
    held.gate.set()
    start(page)
    finished(page)


def test_stop_works_while_a_policy_is_being_prepared(visits: Visits, workbench: FakeWorkbench) -> None:
    page = visits().page
    workbench.policies.opened.clear()
    page.get_by_label("Policy", exact=True).select_option("smolvla")
    expect(page.get_by_text("Exporting the vision encoder")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "30")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped. Press Run to prepare the policy.")).to_be_visible()
    workbench.policies.opened.set()
    start(page)
    finished(page)


def test_run_pressed_while_a_policy_is_being_prepared_starts_when_it_is_ready(visits: Visits, workbench: FakeWorkbench) -> None:
    workbench.policies.opened.clear()
    page = visits(ready=False).page
    expect(page.get_by_text("Exporting the vision encoder")).to_be_visible()
    expect(page.locator("fieldset.stage")).to_have_count(2)
    page.get_by_label("Action expert precision").select_option("int8")
    start(page)
    page.keyboard.press("ArrowDown")  # the episode can be changed meanwhile
    expect(page.get_by_label("Episode", exact=True)).to_have_value("1")
    workbench.policies.opened.set()
    finished(page)
    expect(page.locator("#replay .how")).to_contain_text("of episode 1")
    expect(page.locator(".legend")).to_contain_text("vision FP32, action INT8")


def test_a_message_that_is_repeated_counts_once(visits: Visits) -> None:
    page = visits().page
    heard = page.evaluate(
        """async () => {
          const { listen } = await import("/page/js/shared/work.js");
          const heard = [];
          const view = { props: {}, watch: (_, hear) => { view.hear = hear; } };
          listen(view, { receive: { episode: ({ number }) => heard.push(number) } });
          for (const number of [7, 7, 8, 7]) {
            view.props.value = JSON.stringify({ kind: "episode", number });
            view.hear();
          }
          return heard;
        }"""
    )
    assert heard == [7, 8]


def test_another_policy_or_episode_leaves_no_trace_of_the_last_run(visits: Visits) -> None:
    page = visits().page
    for change in (lambda: page.get_by_label("Policy", exact=True).select_option("smolvla"), lambda: page.keyboard.press("ArrowDown")):
        start(page)
        finished(page)
        change()
        traces(page, f"recorded: {FRAMES} frames$")
        expect(page.locator("#replay .how")).to_be_empty()
        page.wait_for_function("!location.search.includes('run=')")
        expect(page.locator(".stage").first).to_be_visible()
        page.locator("h1").click()  # out of the select, so that keys are the page's


def test_after_a_run_everything_scrubs_without_the_server(visits: Visits) -> None:
    page = visits().page
    start(page)
    finished(page)
    page.context.set_offline(True)
    for t in (1.0, 3.5):
        seek(page, t)
        expect(page.locator(".when")).to_have_text(f"at {t:.2f} s")
        assert value(page, "elbow flex") == degrees(actions(0)[round(t * FPS), 2])
    page.wait_for_function("Math.abs(document.querySelector('video').currentTime - 3.5) < 0.05")
    page.context.set_offline(False)


def test_hovering_the_traces_reads_values_there(visits: Visits) -> None:
    page = visits().page
    start(page)
    finished(page)
    box = page.locator(".plot canvas").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 60)
    tip = page.get_by_role("tooltip")
    expect(tip).to_contain_text("shoulder lift")
    shown = re.search(r"([\d.]+) s", tip.inner_text())
    assert shown is not None
    frame = round(float(shown.group(1)) * FPS)
    expect(tip).to_contain_text("recorded" + degrees(actions(0)[frame, 1]))
    expect(tip).to_contain_text("FP32")
    page.mouse.move(box["x"], box["y"] - 60)
    expect(tip).to_be_hidden()


def test_a_joint_can_be_hidden_and_shown(visits: Visits) -> None:
    page = visits().page
    joint = page.get_by_role("button", name="wrist roll")
    tall = page.locator(".plot canvas").evaluate("(c) => c.clientHeight")
    joint.click()
    expect(joint).to_have_attribute("aria-pressed", "false")
    assert page.locator(".plot canvas").evaluate("(c) => c.clientHeight") < tall
    joint.click()
    expect(joint).to_have_attribute("aria-pressed", "true")


def test_keys_play_step_and_change_the_episode(visits: Visits) -> None:
    page = visits().page
    page.locator("body").press("Space")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    before = at(page)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert at(page) == pytest.approx(before + 2 / FPS, abs=0.011)
    page.keyboard.press("ArrowLeft")
    assert at(page) == pytest.approx(before + 1 / FPS, abs=0.011)
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("Episode", exact=True)).to_have_value("1")
    expect(page).to_have_url(re.compile("episode=1"))
    page.keyboard.press("ArrowUp")
    expect(page).to_have_url(re.compile("episode=0"))


def test_space_after_a_click_on_run_pauses_and_does_not_run_again(visits: Visits, workbench: FakeWorkbench) -> None:
    page = visits().page
    start(page)
    finished(page)
    runs = len(workbench.replay.runs)
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    assert len(workbench.replay.runs) == runs


def test_every_control_is_reached_by_tab_and_shows_its_focus(visits: Visits) -> None:
    page = visits().page
    seen = []
    for _ in range(30):
        page.keyboard.press("Tab")
        name, ring = page.evaluate(FOCUSED)
        if page.evaluate("document.activeElement === document.body"):
            break  # past the last one
        seen.append(name)
        assert ring != "none", name
    assert {"Policy", "Episode", "run", "link", "shoulder pan", "Seek"} <= set(seen)


def test_a_copied_link_opens_the_same_view_elsewhere(visits: Visits) -> None:
    page = visits("?policy=smolvla&episode=2", permissions=["clipboard-read", "clipboard-write"]).page
    page.get_by_label("Action expert precision").select_option("int8")
    page.get_by_label("Denoising steps").fill("4")
    start(page)
    finished(page)
    seek(page, 2.5)
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    other = visits(link[link.index("?") :]).page
    finished(other)
    assert at(other) == pytest.approx(2.5, abs=0.011)
    expect(other.get_by_label("Policy", exact=True)).to_have_value("smolvla")
    expect(other.get_by_label("Episode", exact=True)).to_have_value("2")
    expect(other.get_by_label("Action expert precision")).to_have_value("int8")
    expect(other.locator(".legend")).to_contain_text("action INT8, 4 steps")
    assert value(other, "wrist flex", 1) == value(page, "wrist flex", 1) != ""


def test_a_link_that_asks_for_what_is_not_there_says_so_and_shows_the_default(visits: Visits) -> None:
    page = visits("?episode=99&variant=vision=int3&t=soon").page
    expect(page.get_by_text("episode='99'")).to_be_visible()
    expect(page.get_by_text("unknown precision 'int3'")).to_be_visible()
    expect(page.get_by_label("Episode", exact=True)).to_have_value("0")
    expect(page.get_by_label("Vision encoder precision")).to_have_value("fp32")


def test_a_link_does_not_fetch_a_policy_of_a_stranger_by_itself(visits: Visits) -> None:
    page = visits("?policy=someone/policy&run=1", ready=False).page
    expect(page.get_by_text("Press Run to fetch and prepare someone/policy.")).to_be_visible()
    expect(page.get_by_label("Folder or Hub id", exact=True)).to_have_value("someone/policy")


def test_a_bad_folder_is_a_toast_in_plain_words_and_the_page_goes_on(visits: Visits) -> None:
    page = visits().page
    page.get_by_label("Policy", exact=True).select_option(label="Folder or Hub id…")
    page.get_by_label("Folder or Hub id", exact=True).fill("<img src=x onerror=document.title='gone'>")
    page.keyboard.press("Enter")
    said = page.get_by_text("onerror=document.title='gone'> is neither a folder nor a policy on the Hub")
    expect(said.and_(page.get_by_test_id("toast-text"))).to_be_visible()
    expect(said.and_(page.locator("#replay .waiting"))).to_be_visible()  # it stays where the strip will be
    assert page.title() == "vla-demo"
    page.get_by_label("Policy", exact=True).select_option("act")
    expect(page.locator("fieldset.stage")).to_have_count(2)
    start(page)
    finished(page)


def test_two_visitors_do_not_disturb_each_other(visits: Visits, held: FakeWorkbench) -> None:
    first, second = visits().page, visits("?policy=smolvla&episode=1").page
    start(first)
    traces(first, f"{FRAMES // 3} of")
    start(second)
    traces(second, f"{FRAMES // 3} of")
    first.get_by_role("button", name="Stop").click()
    expect(first.get_by_text("Stopped after")).to_be_visible()
    held.gate.set()
    finished(second)
    expect(second.locator("#replay .how")).to_contain_text("of episode 1")
    expect(second.get_by_label("Episode", exact=True)).to_have_value("1")


def test_closing_the_tab_ends_its_run(visits: Visits, held: FakeWorkbench) -> None:
    page = visits().page
    start(page)
    traces(page, f"{FRAMES // 3} of")
    page.close()
    assert held.replay.runs[-1].closed.wait(30)


def test_a_phone_sees_cameras_run_and_traces_first_and_nothing_sticks_out(visits: Visits) -> None:
    page = visits("?policy=smolvla", viewport={"width": 393, "height": 852}, is_mobile=True, has_touch=True).page
    tops = [page.locator(name).first.bounding_box()["y"] for name in (".cams", ".act", ".traces", ".strip", ".pick")]  # type: ignore[index]
    assert tops == sorted(tops)
    assert tops[2] < 852 / 2
    assert max(page.locator(".stage:not(:has(.steps))").evaluate_all("(all) => all.map((s) => s.offsetHeight)")) <= 60
    for _ in range(2):
        assert page.evaluate("document.documentElement.scrollWidth") == 393
        start(page)
        finished(page)


@pytest.mark.parametrize(("query", "scheme"), [("", "dark"), ("?__theme=dark", "light")])
def test_dark_follows_the_system_and_the_link(visits: Visits, query: str, scheme: str) -> None:
    page = visits(query, color_scheme=scheme).page
    expect(page.locator("body")).to_have_css("background-color", "rgb(20, 23, 26)")
    page.get_by_role("button", name="Switch between light and dark").click()
    expect(page.locator("body")).to_have_css("background-color", "rgb(247, 247, 244)")


def test_who_wants_no_motion_gets_a_still_page(visits: Visits) -> None:
    page = visits(reduced_motion="reduce").page
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    assert at(page) == 0.0


def test_a_page_that_leaves_the_machine_or_errs_would_be_noticed(browser: Browser, address: str) -> None:
    with browser.new_context() as own:
        visit = Visit(own.new_page())
        visit.watch()
        visit.page.goto(address)
        visit.page.evaluate("fetch('https://example.org/x.js').catch(() => 0)")
        visit.page.evaluate("console.error('planted')")
        assert "https://example.org/x.js" in visit.outside
        assert "planted" in visit.errors
