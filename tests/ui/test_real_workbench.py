"""The page over the real workbench: a recorded dataset, an exported package, real inference; only both are tiny."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.tiny_packages import tiny_smolvla_package
from tests.ui.conftest import Visit, served
from vla_demo.workbench.workbench import Workbench

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(episodes_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("bench")
    package = tiny_smolvla_package(folder / "package")

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLA_DEMO_CACHE", str(folder / "cache"))
        with served(Workbench.over(episodes_folder, {str(package.folder): "Tiny"})) as url:
            yield url


def test_a_real_package_runs_over_a_real_recording(visits: Callable[..., Visit]) -> None:
    page = visits().page
    page.get_by_label("Language backbone precision").select_option("int8")
    page.get_by_label("Denoising steps").fill("2")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator("#replay .how")).to_have_text(re.compile("^All 20 frames of episode 0, noise seed 0."))
    expect(page.locator("[data-role=llm] .facts").first).to_contain_text(re.compile("× (as fast as )?FP32"))
    expect(page.locator("[data-role=llm] .proof")).to_contain_text(re.compile(r"(\d+)/\1 nodes"))
    expect(page.locator("[data-role=llm] .proof")).to_contain_text("differs from FP32 by up to")
    expect(page.locator(".panel h3").first).to_have_text("vs FP32 reference, same noise")


def test_videos_are_served_in_ranges_so_that_they_can_be_sought(visits: Callable[..., Visit]) -> None:
    page = visits().page
    place = page.locator("video").first.get_attribute("src")
    status = page.evaluate(
        "(url) => fetch(url, { headers: { Range: 'bytes=100-199' } }).then((r) => [r.status, r.headers.get('content-range')])", place
    )
    assert status[0] == 206
    assert status[1].startswith("bytes 100-199/")


def test_a_folder_without_a_checkpoint_says_what_would_be_valid(visits: Callable[..., Visit], tmp_path: Path) -> None:
    page = visits().page
    page.get_by_label("Policy", exact=True).select_option(label="Folder or Hub id…")
    page.get_by_label("Folder or Hub id", exact=True).fill(str(tmp_path))
    page.keyboard.press("Enter")
    expect(page.get_by_text("config.json").first).to_be_visible()
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_enabled()


def starved(page: Page, latency_ms: int, seconds: float) -> list[str]:
    """Lets sync and async act in the twin for so many simulated seconds; what the page then says of each one's ticks without an action."""
    page.get_by_label("Latency in milliseconds").fill(str(latency_ms))
    loop = page.locator("#loop .top")
    loop.get_by_role("button", name="Run", exact=True).click()
    page.wait_for_function(
        "(least) => Number(document.querySelector('#loop .scrub output').textContent.split(' ')[2]) >= least", arg=seconds, timeout=120_000
    )
    loop.get_by_role("button", name="Stop", exact=True).click()
    row = page.locator("#loop .measured tr", has_text="starved").locator("td small")
    expect(row).to_have_count(2)
    return row.all_text_contents()


def test_in_the_twin_sync_stalls_and_async_does_not_or_both_starve_as_the_verdict_said(visits: Callable[..., Visit]) -> None:
    page = visits("?tab=loop&latency=100", ready=False).page
    expect(page.locator("#loop .rule em")).to_have_text(["holds", "holds"])
    sync, together = starved(page, 100, 0.5)
    assert sync == "3 of them before the first plan" and together == "all before the first plan"
    sync, together = starved(page, 400, 0.9)
    expect(page.locator("#loop .rule em")).to_have_text(["does not hold", "does not hold"])
    assert sync == together == "12 of them before the first plan"
