"""Sessions are shared while somebody holds them, and say in words what they could not load or read."""

import gc
import weakref
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vla_demo.core.errors import InvalidInput, PackageError, Stopped
from vla_demo.core.package import PolicyPackage
from vla_demo.runtime.providers import PROCESSOR, Running, check_provider, onnx_runtime
from vla_demo.runtime.sessions import GraphFile, open_session


@pytest.fixture
def vision(act: PolicyPackage) -> GraphFile:
    return GraphFile(act.folder / "vision.onnx", act.graphs[0].sha256, Running(1))


def test_the_same_graph_is_loaded_once_and_freed_with_its_last_user(vision: GraphFile) -> None:
    first = open_session(vision)
    assert open_session(GraphFile(vision.path, vision.sha256, Running(1))) is first
    assert open_session(GraphFile(vision.path, vision.sha256, Running(2))) is not first
    gone = weakref.ref(first)
    del first
    gc.collect()
    assert gone() is None


def test_a_graph_answers_its_outputs_by_name(vision: GraphFile) -> None:
    answers = open_session(vision).run({"pixels": np.zeros((3, 3, 24, 32), np.float32), "state": np.zeros(1)})
    assert {name: value.shape for name, value in answers.items()} == {"features": (3, 16, 6, 8)}


def test_a_tensor_of_another_shape_is_refused_before_the_graph_sees_it(vision: GraphFile) -> None:
    with pytest.raises(InvalidInput, match="reads pixels of shape 3x3x24x32, it was given 3x3x48x64"):
        open_session(vision).run({"pixels": np.zeros((3, 3, 48, 64), np.float32)})


def test_a_missing_tensor_names_what_there_is(vision: GraphFile) -> None:
    with pytest.raises(PackageError, match=r"reads 'pixels'.*there is state"):
        open_session(vision).run({"state": np.zeros((1, 6), np.float32)})


def test_a_tensor_of_another_type_is_an_error_of_ours(vision: GraphFile) -> None:
    with pytest.raises(PackageError, match=r"vision\.onnx failed"):
        open_session(vision).run({"pixels": np.zeros((3, 3, 24, 32), np.float64)})


def test_a_file_that_is_no_graph_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(b"no graph")
    with pytest.raises(PackageError, match="cannot be loaded"):
        open_session(GraphFile(tmp_path / "a.onnx", "0" * 64))


def test_an_error_of_ours_raised_while_a_graph_runs_stays_what_it_is(vision: GraphFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only ONNX Runtime's own errors, which have no common base, are put into words."""
    session = open_session(vision)
    pixels = {"pixels": np.zeros((3, 3, 24, 32), np.float32)}
    for raised, expected in ((Stopped("enough"), Stopped), (RuntimeError("out of memory"), PackageError)):
        monkeypatch.setattr(session, "_session", Refusing(raised))
        with pytest.raises(expected):
            session.run(pixels)


class Refusing:
    """An ONNX Runtime session that raises."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def run(self, *_: object) -> None:
        raise self.error


def test_a_provider_that_is_not_there_is_refused_with_those_that_are() -> None:
    check_provider(PROCESSOR)
    with pytest.raises(InvalidInput, match=r"has no 'NeutronExecutionProvider' on this machine; valid: .*CPUExecutionProvider"):
        check_provider("NeutronExecutionProvider")


def test_a_graph_never_falls_back_from_a_provider_that_does_not_come_up(vision: GraphFile) -> None:
    with pytest.raises(PackageError, match=r"NeutronExecutionProvider cannot run .*CPUExecutionProvider instead"):
        open_session(replace(vision, running=Running(1, "NeutronExecutionProvider")))


def test_a_provider_that_this_machine_has_runs_the_graph(vision: GraphFile) -> None:
    last = onnx_runtime()[1][-1]  # the processor, on a machine that has nothing else
    assert open_session(replace(vision, running=Running(1, last))) is not None
