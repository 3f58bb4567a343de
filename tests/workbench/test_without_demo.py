"""A workbench that was installed without the demo: nothing is bundled, nothing breaks, and what is fetched is there at once."""

from pathlib import Path

import pytest

from tests.conftest import ROOT
from vla_demo.core.demo import ASSETS_VARIABLE, NO_DEMO, fetched_folder
from vla_demo.core.errors import InvalidInput, MissingPiece
from vla_demo.workbench.demo_fetch import fetch_demo
from vla_demo.workbench.workbench import Workbench

pytestmark = pytest.mark.usefixtures("no_clone")


def test_nothing_is_bundled_and_episodes_are_missed_with_how_to_get_them() -> None:
    workbench = Workbench.over()
    assert workbench.policies.bundled() == {} and workbench.policies.fps() == 30
    assert workbench.rollout.measured() == [] and workbench.sensitivity.report("act") is None
    with pytest.raises(MissingPiece) as missed:
        workbench.replay.episodes()
    assert str(missed.value) == NO_DEMO
    workbench.policies.warm_up()


def test_what_is_fetched_while_the_page_is_open_is_there_at_once() -> None:
    workbench = Workbench.over()
    assert fetched_folder() in workbench.folders()
    list(fetch_demo(str(ROOT)))
    assert list(workbench.policies.bundled()) == ["act", "smolvla"] and len(workbench.replay.episodes()) == 30
    assert workbench.sensitivity.report("act") is not None and workbench.rollout.measured()


def test_a_dataset_and_a_policy_of_ones_own_need_no_demo(episodes_folder: Path) -> None:
    workbench = Workbench.over(episodes_folder, bundled={"own/policy": "Own"})
    assert len(workbench.replay.episodes()) == 2 and workbench.folders()[0] == episodes_folder
    assert workbench.policies.bundled() == {"own/policy": "Own"}


def test_a_wrong_place_in_the_environment_is_refused_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ASSETS_VARIABLE, str(tmp_path))
    with pytest.raises(InvalidInput, match=ASSETS_VARIABLE):
        Workbench.over()
