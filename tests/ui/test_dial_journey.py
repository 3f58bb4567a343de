"""The dial of a stage as a person turns it, in a real browser: every precision, its operands, its options, and the proof after a run."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.ui.conftest import Visit
from tests.ui.fake_policies import RECIPE
from vla_demo.core.precision import OFFERED_PRECISIONS, Precision

pytestmark = pytest.mark.browser

Visits = Callable[..., Visit]
EXPERT = "Action expert precision"


def run(page: Page) -> None:
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator("#replay .how")).to_contain_text("All 150 frames")


def test_every_precision_is_offered_with_its_operands(visits: Visits) -> None:
    options = visits().page.get_by_label("Vision encoder precision").locator("option")
    assert options.evaluate_all("(all) => all.map((o) => o.value)") == list(OFFERED_PRECISIONS)
    for text, precision in zip(options.all_inner_texts(), OFFERED_PRECISIONS, strict=True):
        assert text.endswith(f" · {Precision.parse(precision).operands}")


def test_a_recipe_of_the_bench_is_offered_for_its_stage(visits: Visits) -> None:
    page = visits().page
    page.get_by_label(EXPERT).select_option(RECIPE)
    expect(page.locator("[data-role=expert] .does")).to_have_text("INT8 in 18 of 20 layers, FP32 in the rest.")
    expect(page).to_have_url(re.compile(f"expert={RECIPE}"))
    expect(page.get_by_label("Vision encoder precision").locator(f"option[value='{RECIPE}']")).to_have_count(0)


def test_a_precision_says_what_it_does_and_has_only_its_own_options(visits: Visits) -> None:
    page = visits().page
    expect(page.get_by_text("options")).to_have_count(2)
    expect(page.get_by_text("options").first).to_be_hidden()
    page.get_by_label(EXPERT).select_option("int8-static")
    expect(page.locator("[data-role=expert] .does")).to_contain_text("ranges fixed from training episodes")
    page.get_by_label("Action expert options").click()
    expect(page.get_by_label("Action expert calibrator")).to_be_visible()
    expect(page.get_by_label("Action expert block size")).to_have_count(0)


def test_block_size_and_activations_are_part_of_the_variant_and_of_the_link(visits: Visits) -> None:
    page = visits().page
    page.get_by_label(EXPERT).select_option("int4")
    page.get_by_label("Action expert options").click()
    page.get_by_label("Action expert block size").select_option("b64")
    page.get_by_label("Action expert activations").select_option("a8")
    expect(page.get_by_label(EXPERT).locator("option:checked")).to_have_text("INT4 · W4A8")
    expect(page.locator("[data-role=expert] .does")).to_have_text("4-bit weights in blocks, 8-bit activations.")
    expect(page).to_have_url(re.compile("expert=int4-b64-a8"))
    page.keyboard.press("Escape")
    expect(page.get_by_label("Action expert block size")).to_be_hidden()
    run(page)
    expect(page.locator(".legend")).to_contain_text("action INT4 b64 a8")


def test_the_dial_works_by_keys(visits: Visits) -> None:
    page = visits().page
    page.get_by_label(EXPERT).focus()
    page.keyboard.type("INT4")
    expect(page.get_by_label(EXPERT)).to_have_value("int4")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Action expert block size")).to_be_focused()


def test_a_link_sets_the_options_and_one_bad_stage_leaves_the_good_ones(visits: Visits) -> None:
    page = visits("?policy=smolvla&variant=vision=int9,llm=int8w-b128-a8,expert=int8-static-entropy,steps=3").page
    expect(page.get_by_text("unknown precision 'int9'")).to_be_visible()
    expect(page.get_by_label("Vision encoder precision")).to_have_value("fp32")
    expect(page.get_by_label("Language backbone precision")).to_have_value("int8w")
    page.get_by_label("Language backbone options").click()
    expect(page.get_by_label("Language backbone block size")).to_have_value("b128")
    expect(page.get_by_label("Language backbone activations")).to_have_value("a8")
    expect(page.get_by_label("Denoising steps")).to_have_value("3")
    expect(page).to_have_url(re.compile("variant=vision=fp32,llm=int8w-b128-a8,expert=int8-static-entropy,steps=3"))


def test_a_smaller_stage_that_is_slower_says_so_and_proves_what_was_quantized(visits: Visits) -> None:
    page = visits("?policy=act&variant=expert=int4&run=1").page
    expect(page.locator("[data-role=expert] .facts").first).to_contain_text("0.6× FP32: slower here")
    expect(page.locator("[data-role=expert] .proof")).to_have_text(
        re.compile(r"^19/20 nodes4\.7/5\.2 MB weightsdiffers from FP32 by up to 0\.012[0-9a-f]{7}$")
    )
    expect(page.locator("[data-role=vision] .proof")).to_be_empty()


def test_on_a_phone_the_sentence_and_the_options_are_one_tap_away(visits: Visits) -> None:
    page = visits("?policy=act&variant=expert=int4", viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True).page
    expect(page.locator("[data-role=expert] .does")).to_be_hidden()
    page.get_by_label("Action expert options").tap()
    expect(page.locator("[data-role=expert] .does")).to_be_visible()
    expect(page.get_by_label("Action expert block size")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
