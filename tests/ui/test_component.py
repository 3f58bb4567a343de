"""The files of the component: complete, small, self-contained, and safe to pass through Gradio's template engine."""

import http.client
import json
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlparse

import pytest
from gradio.utils import diff

from tests.ui.conftest import Visit
from tests.ui.fake_workbench import FakeWorkbench
from vla_demo.ui.server import build_page, tabs_of
from vla_demo.ui.shared.component import PAGE_FILES, TabComponent, page_file

FILES = sorted(path for path in PAGE_FILES.rglob("*") if path.is_file())
MAX_LINES = 250
ELSEWHERE = re.compile(r"""(?:https?:)?//(?!www\.w3\.org/2000/svg)[\w-]+\.\w""")


def names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(PAGE_FILES)) for path in paths]


def test_gradio_knows_every_event_of_a_tab_from_the_script_it_is_given() -> None:
    named = {tab.name: TabComponent(tab) for tab in tabs_of(FakeWorkbench(Path()))}
    assert all(name in view.js_on_load for name, view in named.items())
    assert callable(named["loop"].run_batch) and callable(named["robot"].choose_robot)
    with pytest.raises(AttributeError):
        _ = named["loop"].open_robot


def test_every_event_of_every_tab_is_wired_as_it_was_declared() -> None:
    tabs = tabs_of(FakeWorkbench(Path()))
    wired = {(fn.targets[0][1], fn.queue, fn.trigger_mode, fn.concurrency_limit) for fn in build_page(FakeWorkbench(Path())).fns.values()}
    declared = {(event.name, event.queue, event.trigger, event.concurrency) for tab in tabs for event in tab.events()}
    assert declared <= wired and len(declared) == 22


@pytest.mark.parametrize("path", FILES, ids=names(FILES))
def test_no_file_is_long(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_LINES


@pytest.mark.parametrize("path", FILES, ids=names(FILES))
def test_no_file_names_another_server(path: Path) -> None:
    assert not ELSEWHERE.search(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "name", ["replay.html", "trap.html", "loop.html", "robot.html", "masthead.html", *(path.name for path in PAGE_FILES.glob("*.css"))]
)
def test_a_template_has_nothing_the_template_engine_would_take_for_its_own(name: str) -> None:
    assert not re.search(r"\$\{|\{\{|`|\\|@children", page_file(name))


def test_text_never_enters_the_page_as_html() -> None:
    assert not [path.name for path in FILES if re.search(r"innerHTML|insertAdjacentHTML|outerHTML", path.read_text(encoding="utf-8"))]


def test_an_address_of_another_server_is_recognized() -> None:
    assert ELSEWHERE.search('src="https://cdn.example.org/x.js"')
    assert ELSEWHERE.search('src="//cdn.example.org/x.js"')
    assert not ELSEWHERE.search("// a comment about a.b")


def test_a_message_is_sent_whole_because_gradios_differences_lose_count_of_inner_lists() -> None:
    """The second half is why: on the day it fails, values may be sent as they are."""
    many, few = ({"kind": "frames", "lanes": [{"at": list(range(n))}, {"at": list(range(n))}]} for n in (3, 1))
    view = TabComponent(tabs_of(FakeWorkbench(Path()))[0])
    sent = [view.postprocess(one) for one in (many, few)]
    assert diff(*sent) == [["replace", [], sent[1]]] and json.loads(str(sent[1])) == few
    assert any(path[-1] < 0 for _, path, _ in diff(many, few))


def fetch(address: str, path: str, **headers: str) -> http.client.HTTPResponse:
    """`path` is sent as it stands: a browser would tidy it up."""
    connection = http.client.HTTPConnection(urlparse(address).netloc, timeout=10)
    connection.request("GET", path, headers=headers)
    return connection.getresponse()


def test_a_module_is_served_as_it_is_and_asked_for_anew_each_time(address: str) -> None:
    answer = fetch(address, "/page/js/shared/dom.js")
    assert (answer.status, answer.read()) == (200, (PAGE_FILES / "js/shared/dom.js").read_bytes())
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-cache"
    again = fetch(address, "/page/js/shared/dom.js", **{"If-None-Match": answer.headers["ETag"]})
    assert (again.status, again.headers["Cache-Control"]) == (304, "no-cache")


@pytest.mark.parametrize("path", ["../replay.html", "%2e%2e/replay.html", "shared/../../replay.html", "..%2Freplay.html", "", "shared"])
def test_nothing_but_the_modules_is_served_beside_them(address: str, path: str) -> None:
    assert fetch(address, f"/page/js/{path}").status == 404


@pytest.mark.parametrize("tab", ["trap", "loop", "robot"])
def test_a_late_tab_s_modules_stay_on_the_server_until_it_is_opened(visits: Callable[..., Visit], tab: str) -> None:
    page = visits().page
    loaded = f"performance.getEntriesByType('resource').filter(({{ name }}) => name.includes('/page/js/{tab}/')).length"
    assert page.evaluate(loaded) == 0
    page.locator(f"[role=tab][data-tab={tab}]").click()
    page.wait_for_function(f"{loaded} > 2")
