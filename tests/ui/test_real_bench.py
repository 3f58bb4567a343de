"""The page over the real workbench: a recorded dataset, an exported package, real inference; only both are tiny."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.tiny_packages import tiny_smolvla_package
from tests.ui.conftest import Visit, served
from vla_demo.workbench.bench import Workbench

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(episodes_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("bench")
    package = tiny_smolvla_package(folder / "package")

    class Bench(Workbench):
        def bundled(self) -> Mapping[str, str]:
            return {str(package.folder): "Tiny"}

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLA_DEMO_CACHE", str(folder / "cache"))
        with served(Bench(episodes_folder)) as url:
            yield url


def test_a_real_package_runs_over_a_real_recording(visits: Callable[..., Visit]) -> None:
    page = visits().page
    page.get_by_label("Language backbone precision").select_option("int8")
    page.get_by_label("Denoising steps").fill("2")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator(".how")).to_have_text(re.compile("^All 20 frames of episode 0, noise seed 0."))
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
