"""The Trap tab as a person walks it, in a real browser: open it, read it, open a cell in Replay, take it along, compute it anew."""

import csv
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.ui.conftest import Visit
from tests.ui.fake_workbench import FakeWorkbench
from tests.ui.sample_report import sample_json
from tests.ui.test_colors import contrast

pytestmark = pytest.mark.browser

Visits = Callable[..., Visit]
TRAP = "?tab=trap&policy=smolvla"
MEASURED = sum(row["problem"] is None for row in sample_json("smolvla")["sensitivity"])


@pytest.fixture
def held(workbench: FakeWorkbench) -> Iterator[FakeWorkbench]:
    """A computation stays half-way until the gate is opened."""
    workbench.sensitivity.computed.clear()
    workbench.gate.clear()
    yield workbench
    workbench.gate.set()


def trap(visits: Visits, query: str = TRAP, **context: object) -> Page:
    page: Page = visits(query, ready=False, **context).page
    expect(page.locator(".figure[data-figure=heatmap] table")).to_be_visible()
    return page


def drawn(page: Page, name: str) -> Locator:
    """The figure as Plotly has drawn it."""
    return page.locator(f"[data-figure={name}] .plot .main-svg").first


def cell(page: Page, label: str) -> Locator:
    return page.get_by_role("button", name=re.compile(f"^{label}: error"))


def test_the_tab_opens_with_what_was_computed_and_the_link_says_so(visits: Visits) -> None:
    page = visits().page
    page.get_by_role("tab", name="Trap").click()
    expect(page.locator("#trap .about")).to_contain_text(["Computed on 22 November 2026, 18:20 UTC on a stand-in"])
    expect(page.locator(".figure h2").first).to_have_text("What a precision costs at the actions, stage by stage")
    expect(page.locator("#replay")).to_be_hidden()
    expect(page).to_have_url(re.compile(r"\?tab=trap&policy=act$"))
    page.get_by_role("tab", name="Replay").click()
    expect(page.locator("video").first).to_be_visible()
    expect(page).to_have_url(re.compile(r"\?policy=act&variant="))


def test_the_heavy_script_is_only_fetched_when_the_tab_is_opened(visits: Visits) -> None:
    visit = visits()
    asked: list[str] = []
    visit.page.on("request", lambda request: asked.append(request.url) if "/js/trap/main.js" in request.url else None)
    assert not visit.page.evaluate("performance.getEntriesByType('resource').some((r) => r.name.includes('/js/trap/'))")
    for name in ("Trap", "Replay", "Trap"):
        visit.page.get_by_role("tab", name=name).click()
    expect(visit.page.locator(".figure").first).to_be_visible()
    assert len(asked) == 1


def test_plotly_is_only_fetched_when_the_first_figure_is_shown_and_once(visits: Visits) -> None:
    page = visits().page
    fetched = "performance.getEntriesByType('resource').filter((r) => r.name.endsWith('/page/plotly.min.js')).length"
    assert page.evaluate(fetched) == 0
    page.get_by_role("tab", name="Trap").click()
    for name in ("speed", "layers"):
        expect(drawn(page, name)).to_be_visible()
    assert page.evaluate(fetched) == 1  # as well a control: what is counted above is there to be counted


def test_the_heat_map_has_a_cell_for_each_measurement_with_its_number_and_n(visits: Visits) -> None:
    page = trap(visits)
    cells = page.locator(".figure[data-figure=heatmap] .cell")
    expect(cells).to_have_count(MEASURED)
    assert all("n 24" in text for text in cells.all_text_contents())
    expect(cell(page, "Action expert in INT4")).to_contain_text("0.081")
    expect(cell(page, "Action expert in INT4")).to_contain_text("n 24")


def colors(page: Page) -> list[tuple[str, str]]:
    """Of each cell: what it is filled with, and its text."""
    hexed = "(color) => '#' + color.match(/\\d+/g).slice(0, 3).map((c) => Number(c).toString(16).padStart(2, '0')).join('')"
    script = f"(all) => all.map((c) => getComputedStyle(c)).map((look) => [look.backgroundColor, look.color].map({hexed}))"
    return [(fill, ink) for fill, ink in page.locator(".cell").evaluate_all(script)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_cell_is_legible(visits: Visits, scheme: str) -> None:
    page = trap(visits, color_scheme=scheme)
    assert min(contrast(*pair) for pair in colors(page)) >= 4.5


def test_a_cell_without_error_does_not_stretch_the_colors_of_the_others(visits: Visits) -> None:
    page = trap(visits)
    expect(cell(page, "Vision encoder in FP16")).to_contain_text("0n 24")
    fills = [fill for fill, _ in colors(page)]
    assert fills[0] == fills[1]  # the two zeros, in the lightest color
    assert len({*fills[:1], *fills[4:8]}) == 5  # and those of INT8 in four others
    assert page.locator("[data-figure=heatmap] .key span").all_text_contents() == ["0.001", "0.01", "0.1", "1"]


def test_a_click_on_a_cell_opens_its_variant_in_replay(visits: Visits) -> None:
    page = trap(visits)
    cell(page, "Action expert in INT4").click()
    expect(page.get_by_label("Action expert precision")).to_have_value("int4")
    expect(page.get_by_label("Vision encoder precision")).to_have_value("fp32")
    expect(page.get_by_label("Policy", exact=True).first).to_have_value("smolvla")
    expect(page).to_have_url(re.compile(r"\?policy=smolvla&variant=vision=fp32,llm=fp32,expert=int4,steps=4"))
    expect(page.get_by_role("tab", name="Replay")).to_have_attribute("aria-selected", "true")


def test_a_cell_of_another_policy_than_replay_s_changes_it(visits: Visits) -> None:
    page = visits().page
    page.get_by_role("tab", name="Trap").click()
    page.get_by_label("Policy of the report").select_option("smolvla")
    cell(page, "Language backbone in INT8").click()
    expect(page.locator("#replay").get_by_label("Policy", exact=True)).to_have_value("smolvla")
    expect(page.get_by_label("Language backbone precision")).to_have_value("int8")
    expect(page).to_have_url(re.compile(r"policy=smolvla&variant=vision=fp32,llm=int8,expert=fp32"))


def test_the_heat_map_works_by_keys(visits: Visits) -> None:
    page = trap(visits)
    expect(page.locator(".figure[data-figure=heatmap] [tabindex='0'].cell")).to_have_count(1)
    page.locator(".cell[tabindex='0']").focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    expect(cell(page, "Action expert in INT8")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Action expert precision")).to_have_value("int8")
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_focused()


def test_tabs_work_by_keys(visits: Visits) -> None:
    page = visits().page
    page.get_by_role("tab", name="Replay").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Trap")).to_be_focused()
    expect(page.locator(".figure").first).to_be_visible()


def test_recomputing_shows_progress_and_then_the_new_report(visits: Visits, held: FakeWorkbench) -> None:
    page = trap(visits)
    page.get_by_role("button", name="Recompute").click()
    expect(page.get_by_text("Vision encoder in INT4: 2 of 4 observations")).to_be_visible()
    expect(page.get_by_role("progressbar", name="Computing")).to_have_attribute("aria-valuenow", "50")
    expect(page.locator(".figure").first).to_be_visible()  # the old one stays to be read
    held.gate.set()
    expect(page.locator("#trap [data-at=about]")).to_contain_text("on another stand-in")
    expect(page.get_by_role("button", name="Recompute")).to_be_enabled()


def test_stop_ends_a_computation_and_keeps_the_old_report(visits: Visits, held: FakeWorkbench) -> None:
    page = trap(visits)
    page.get_by_role("button", name="Recompute").click()
    expect(page.get_by_text("2 of 4 observations")).to_be_visible()
    page.locator("#trap").get_by_role("button", name="Stop").click()
    assert held.sensitivity.computed.wait(30)
    expect(page.get_by_role("button", name="Recompute")).to_be_enabled()
    expect(page.locator("#trap [data-at=about]")).to_contain_text("on a stand-in")


@pytest.mark.parametrize("name", ["heatmap", "speed", "iterations", "steps", "two_by_two", "layers", "smoothness"])
def test_a_figure_is_taken_along_as_a_picture(visits: Visits, name: str, tmp_path: Path) -> None:
    page = trap(visits)
    for kind, beginning, least in (("PNG", b"\x89PNG", 20_000), ("SVG", b"<svg", 8_000)):
        with page.expect_download() as download:
            page.locator(f"[data-figure={name}] .take").last.get_by_role("button", name=kind).click()
        assert download.value.suggested_filename == f"trap-smolvla-{name}.{kind.lower()}"
        download.value.save_as(tmp_path / "figure")
        content = (tmp_path / "figure").read_bytes()
        assert content.startswith(beginning)
        assert len(content) > least
    text = content.decode()
    assert f": {page.locator(f'[data-figure={name}] h2').text_content()}" in text  # after whose figure it is
    assert str(page.locator(f"[data-figure={name}] .reading").text_content()) in text
    assert "var(--" not in text


def test_the_mode_bar_zooms_selects_and_saves(visits: Visits) -> None:
    page = trap(visits)
    expect(drawn(page, "steps")).to_be_visible()
    bar = page.locator("[data-figure=steps] .modebar")
    page.locator("[data-figure=steps] .plot").hover(position={"x": 200, "y": 150})
    names = bar.locator("button").evaluate_all("(all) => all.map((b) => b.ariaLabel)")
    assert names == ["Zoom", "Pan", "Box Select", "Reset axes", "Save as PNG", "Save as SVG"]
    with page.expect_download() as download:
        bar.get_by_role("button", name="Save as SVG").click()
    assert download.value.suggested_filename == "trap-smolvla-steps.svg"


def test_a_figure_is_read_by_keys_and_says_what_a_pointer_would_see(visits: Visits) -> None:
    page = trap(visits)
    expect(drawn(page, "steps")).to_be_visible()
    figure = page.locator("[data-figure=steps]")
    expect(figure.get_by_role("figure")).to_have_attribute(
        "aria-label", re.compile("^Lines over denoising steps. Solver and quantization apart")
    )
    figure.locator(".plot").focus()
    for key in ("ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    said = "solver, 2 denoising steps: 0.15, 0.13 to 0.17, 8 observations"
    expect(figure.locator(".spoken")).to_have_text(said)
    expect(figure.locator(".hoverlayer")).to_contain_text("solver, 2 denoising steps: 0.15")
    page.keyboard.press("ArrowDown")
    expect(figure.locator(".spoken")).to_have_text(re.compile("^INT8, 1 denoising step: "))


def test_a_line_is_hidden_and_shown_by_its_name(visits: Visits) -> None:
    page = trap(visits)
    figure = page.locator("[data-figure=iterations]")
    lines = figure.locator(".scatterlayer .trace")
    expect(lines).to_have_count(2 * 4)  # of both panels
    figure.get_by_role("button", name="INT4").click()
    expect(lines).to_have_count(2 * 3)
    expect(figure.get_by_role("button", name="INT4")).to_have_attribute("aria-pressed", "false")
    expect(figure.get_by_role("button", name="INT4")).to_be_focused()
    page.keyboard.press("Enter")
    expect(lines).to_have_count(2 * 4)


def test_the_numbers_are_taken_along_as_a_table_and_can_be_looked_at(visits: Visits, tmp_path: Path) -> None:
    page = trap(visits)
    heat = page.locator("[data-figure=heatmap]")
    with page.expect_download() as download:
        heat.get_by_role("button", name="CSV").click()
    download.value.save_as(tmp_path / "figure.csv")
    rows = list(csv.DictReader((tmp_path / "figure.csv").open(encoding="utf-8")))
    assert len(rows) == len(sample_json("smolvla")["sensitivity"])
    assert rows[0]["variant"] == "vision=fp16,llm=fp32,expert=fp32"
    heat.get_by_text("Numbers", exact=True).click()
    expect(heat.locator(".sheet tbody tr")).to_have_count(len(rows))


def test_act_shows_positions_where_smolvla_shows_iterations(visits: Visits) -> None:
    page = trap(visits)
    expect(drawn(page, "iterations")).to_be_visible()
    page.get_by_label("Policy of the report").select_option("act")
    expect(page.locator("[data-figure=iterations]")).to_have_count(0)
    expect(drawn(page, "by_position")).to_be_visible()
    expect(page.locator("[data-figure=heatmap] .cell")).to_have_count(7 * 3)
    expect(page).to_have_url(re.compile(r"\?tab=trap&policy=act$"))


def test_layers_are_shown_one_precision_at_a_time_the_worst_first_and_all_on_request(visits: Visits) -> None:
    layers = trap(visits).locator("[data-figure=layers]")
    expect(layers.get_by_role("figure")).to_have_attribute("aria-label", re.compile("each alone in INT8, the worst first"))
    expect(layers.locator(".reading")).to_have_text("In INT8 a made-up reading of the layers.")
    layers.get_by_role("button", name="INT4").click()
    expect(layers.locator(".reading")).to_have_count(0)  # nothing is said of INT4, and nothing of another precision stands above it
    expect(layers.get_by_role("figure")).to_have_attribute("aria-label", re.compile("16 layers, each alone in INT4, the worst first"))
    expect(layers.locator(".barlayer .point")).to_have_count(16)
    layers.get_by_role("button", name="Show all 24 layers").click()
    expect(layers.get_by_role("button", name="Show the worst 16 only")).to_be_focused()
    expect(layers.locator(".barlayer .point")).to_have_count(24)


def test_what_others_published_stands_beside_with_its_source_and_whether_this_agrees(visits: Visits) -> None:
    beside = trap(visits).locator("[data-figure=heatmap] aside")
    expect(beside.get_by_role("link", name="NXP and Hugging Face, 5 March 2026")).to_have_attribute(
        "href", re.compile("^https://huggingface.co/blog/nxp")
    )
    expect(beside.locator("[data-verdict=differs] b").first).to_have_text("✗ Differs here.")


def test_a_stranger_s_policy_is_named_and_nothing_is_fetched_until_asked(visits: Visits) -> None:
    page = visits("?tab=trap&policy=someone/policy", ready=False).page
    expect(page.locator("#trap [data-at=about]")).to_contain_text("Nothing has been computed for this policy yet.")
    expect(page.get_by_label("Folder or Hub id of the report")).to_have_value("someone/policy")
    expect(page.get_by_role("button", name="Compute")).to_be_enabled()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_figures_follow_light_and_dark(visits: Visits, scheme: str) -> None:
    page = trap(visits, color_scheme=scheme)
    title = page.locator("[data-figure=speed] .annotation-text").first
    paper = page.locator("body")
    expect(title).to_be_visible()
    looks = (ink(title), fill(paper), colors(page))
    assert contrast(looks[0], looks[1]) > 10
    page.get_by_role("button", name="Switch between light and dark").click()
    expect(title).not_to_have_css("fill", title_color(looks[0]))
    assert contrast(ink(title), fill(paper)) > 10
    assert colors(page) != looks[2]


def ink(text: Locator) -> str:
    return hex_of(text.evaluate("(node) => getComputedStyle(node).fill"))


def fill(box: Locator) -> str:
    return hex_of(box.evaluate("(node) => getComputedStyle(node).backgroundColor"))


def hex_of(color: str) -> str:
    return "#" + "".join(f"{int(value):02x}" for value in re.findall(r"\d+", color)[:3])


def title_color(color: str) -> str:
    return f"rgb({', '.join(str(int(color[i : i + 2], 16)) for i in (1, 3, 5))})"


STICKING_OUT = """() => {
  const right = (node) => node.getBoundingClientRect().right;
  const inside = [...document.querySelectorAll('#trap .drawing :is(.legend button, .plot text, .heat td)')];
  const out = inside.filter((node) => right(node) > right(node.closest('.drawing')) + 1);
  return [document.documentElement.scrollWidth - document.documentElement.clientWidth, ...out.map((node) => node.textContent.slice(0, 40))];
}"""


@pytest.mark.parametrize("width", [393, 1024])
def test_nothing_sticks_out(visits: Visits, width: int) -> None:
    page = trap(visits, viewport={"width": width, "height": 844}, is_mobile=width < 500, has_touch=width < 500)
    for name in ("speed", "iterations", "by_position", "steps", "two_by_two", "layers"):
        expect(drawn(page, name)).to_be_visible()
    assert page.evaluate(STICKING_OUT) == [0]
    page.locator("[data-figure=speed] .plot").evaluate("(node) => { node.style.marginLeft = '200px'; }")
    assert len(page.evaluate(STICKING_OUT)) > 1  # if something did, it would be seen


def test_a_legend_lies_above_its_figure_on_a_phone_and_is_large_enough_for_a_finger(visits: Visits) -> None:
    page = trap(visits, viewport={"width": 393, "height": 844}, is_mobile=True, has_touch=True)
    figure = page.locator("[data-figure=steps]")
    expect(drawn(page, "steps")).to_be_visible()
    bottom = figure.locator(".legend").evaluate("(node) => node.getBoundingClientRect().bottom")
    assert bottom <= figure.locator(".plot .main-svg").first.evaluate("(node) => node.getBoundingClientRect().top") + 1
    assert min(figure.locator(".legend button").evaluate_all("(all) => all.map((b) => b.getBoundingClientRect().height)")) >= 32


def test_a_finger_that_drags_over_a_figure_scrolls_the_page(visits: Visits) -> None:
    page = trap(visits, viewport={"width": 393, "height": 800}, is_mobile=True, has_touch=True)
    expect(drawn(page, "steps")).to_be_visible()
    finger = page.context.new_cdp_session(page)
    place = page.locator("[data-figure=steps] .plot").evaluate(
        "(node) => { scrollTo(0, scrollY + node.getBoundingClientRect().top - 200); return node.getBoundingClientRect().top + 200; }"
    )
    before = page.evaluate("scrollY")
    finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": 200, "y": place}]})
    for step in range(1, 11):
        finger.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": 200, "y": place - 20 * step}]})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_function("(before) => scrollY > before + 100", arg=before)
    assert page.locator("[data-figure=steps] .zoombox").count() == 0


def test_replay_rests_while_the_trap_is_on_show_and_plays_on_after(visits: Visits) -> None:
    page = visits().page
    page.wait_for_function("[...document.querySelectorAll('video')].every((v) => v.currentTime > 0.3 && !v.paused)")
    page.get_by_role("tab", name="Trap").click()
    page.wait_for_function("[...document.querySelectorAll('video')].every((v) => v.paused)")
    page.get_by_role("tab", name="Replay").click()
    page.wait_for_function("[...document.querySelectorAll('video')].every((v) => !v.paused)")
