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
    expect(page.locator(".figure[data-figure=heatmap] svg")).to_be_visible()
    return page


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


def test_the_heat_map_has_a_cell_for_each_measurement_with_its_number_and_n(visits: Visits) -> None:
    page = trap(visits)
    cells = page.locator(".figure[data-figure=heatmap] .cell")
    expect(cells).to_have_count(MEASURED)
    assert all("n 24" in text for text in cells.all_text_contents())
    expect(cell(page, "Action expert in INT4")).to_contain_text("0.081")
    expect(cell(page, "Action expert in INT4")).to_contain_text("n 24")


def test_every_cell_is_legible(visits: Visits) -> None:
    page = trap(visits)
    pairs = page.locator(".cell").evaluate_all(
        "(all) => all.map((c) => [c.querySelector('rect').getAttribute('fill'), c.querySelector('text').getAttribute('fill')])"
    )
    assert min(contrast(*pair) for pair in pairs) >= 4.5


def test_a_cell_without_error_does_not_stretch_the_colors_of_the_others(visits: Visits) -> None:
    page = trap(visits)
    expect(cell(page, "Vision encoder in FP16")).to_contain_text("0n 24")
    fills = page.locator(".cell").evaluate_all("(all) => all.map((c) => c.querySelector('rect').getAttribute('fill'))")
    assert fills[0] == fills[1]  # the two zeros, in the lightest color
    ticks = page.locator("[data-figure=heatmap] .drawing svg > text").all_text_contents()
    assert "10⁻⁶" not in ticks and "10⁻⁵" not in ticks


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
    with page.expect_download() as download:
        page.locator(f"[data-figure={name}]").get_by_role("button", name="PNG").click()
    assert download.value.suggested_filename == f"trap-smolvla-{name}.png"
    download.value.save_as(tmp_path / "figure.png")
    content = (tmp_path / "figure.png").read_bytes()
    assert content.startswith(b"\x89PNG")
    assert len(content) > 20_000


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
    expect(heat.locator("tbody tr")).to_have_count(len(rows))


def test_act_shows_positions_where_smolvla_shows_iterations(visits: Visits) -> None:
    page = trap(visits)
    expect(page.locator("[data-figure=iterations] svg")).to_be_visible()
    page.get_by_label("Policy of the report").select_option("act")
    expect(page.locator("[data-figure=iterations]")).to_have_count(0)
    expect(page.locator("[data-figure=by_position] svg")).to_be_visible()
    expect(page.locator("[data-figure=heatmap] .cell")).to_have_count(7 * 3)
    expect(page).to_have_url(re.compile(r"\?tab=trap&policy=act$"))


def test_layers_are_shown_one_precision_at_a_time_the_worst_first_and_all_on_request(visits: Visits) -> None:
    layers = trap(visits).locator("[data-figure=layers]")
    expect(layers.locator("svg").last).to_have_attribute("aria-label", re.compile("each alone in INT8$"))
    expect(layers.locator(".reading")).to_have_text("In INT8 a made-up reading of the layers.")
    layers.get_by_role("button", name="INT4").click()
    expect(layers.locator(".reading")).to_have_count(0)  # nothing is said of INT4, and nothing of another precision stands above it
    expect(layers.locator(".drawing svg")).to_have_attribute("aria-label", re.compile("each alone in INT4$"))
    layers.get_by_role("button", name="Show all 24 layers").click()
    expect(layers.get_by_role("button", name="Show the worst 16 only")).to_be_focused()
    expect(layers.locator(".drawing svg rect")).to_have_count(24 + 8)  # a bar each, and a square for each layer of the backbone


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
    ink = page.locator("[data-figure=heatmap] text").first
    before = ink.get_attribute("fill")
    page.get_by_role("button", name="Switch between light and dark").click()
    expect(ink).not_to_have_attribute("fill", before or "")


@pytest.mark.parametrize("width", [390, 1024])
def test_nothing_sticks_out(visits: Visits, width: int) -> None:
    page = trap(visits, viewport={"width": width, "height": 844}, is_mobile=width < 500, has_touch=width < 500)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.locator(".drawing svg").evaluate_all("(all) => Math.max(...all.map((s) => s.getBoundingClientRect().right))") <= width


def test_replay_rests_while_the_trap_is_on_show_and_plays_on_after(visits: Visits) -> None:
    page = visits().page
    page.wait_for_function("[...document.querySelectorAll('video')].every((v) => v.currentTime > 0.3 && !v.paused)")
    page.get_by_role("tab", name="Trap").click()
    page.wait_for_function("[...document.querySelectorAll('video')].every((v) => v.paused)")
    page.get_by_role("tab", name="Replay").click()
    page.wait_for_function("[...document.querySelectorAll('video')].every((v) => !v.paused)")
