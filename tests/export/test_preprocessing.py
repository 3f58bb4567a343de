"""The recipes read from a checkpoint's processor files make the same tensors as LeRobot's processors and the policy's own preparation."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes import observation
from tests.tiny_checkpoints import edit_json
from vla_demo.checkpoints import load_reference, resolve
from vla_demo.checkpoints.processor_rules import KNOWN_STEPS
from vla_demo.core.errors import CheckpointError
from vla_demo.core.observation import Observation
from vla_demo.core.package import PolicyPackage
from vla_demo.export.language import write_tokenizer
from vla_demo.export.preprocessing import STEP_READERS, read_preprocessing
from vla_demo.export.stages import first_tensors
from vla_demo.runtime.preprocessing import Preprocessor

Steps = list[dict[str, Any]]


def step(steps: Steps, name: str) -> dict[str, Any]:
    return next(s["config"] for s in steps if s["registry_name"] == name)


def renamed_camera(steps: Steps) -> None:
    step(steps, "rename_observations_processor")["rename_map"] = {"observation.images.roof": "observation.images.top"}


def other_modes(steps: Steps) -> None:
    step(steps, "normalizer_processor")["norm_map"] |= {"STATE": "QUANTILES", "VISUAL": "MIN_MAX"}


def only_the_state(steps: Steps) -> None:
    step(steps, "normalizer_processor")["normalize_observation_keys"] = ["observation.state"]


def no_resize(steps: Steps) -> None:
    steps[:] = [s for s in steps if s["registry_name"] != "image_crop_resize_processor"]


def padded_language(steps: Steps) -> None:
    step(steps, "tokenizer_processor")["padding"] = "max_length"


def tokenizer_before_newline(steps: Steps) -> None:
    names = [s["registry_name"] for s in steps]
    a, b = names.index("smolvla_new_line_processor"), names.index("tokenizer_processor")
    steps[a], steps[b] = steps[b], steps[a]


def unchanged(_: Steps) -> None: ...


@pytest.mark.parametrize(
    ("family", "change"),
    [
        ("act", unchanged),
        ("act", renamed_camera),
        ("act", other_modes),
        ("act", only_the_state),
        ("act", no_resize),
        ("smolvla", unchanged),
        ("smolvla", padded_language),
        ("smolvla", tokenizer_before_newline),
    ],
)
def test_the_runtime_makes_lerobots_tensors(
    family: str, change: Callable[[Steps], None], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    folder = with_steps(request.getfixturevalue(f"{family}_checkpoint"), tmp_path / "changed", change)
    reference = load_reference(resolve(str(folder)))
    recipes = read_preprocessing(reference)
    if recipes.language is not None:
        write_tokenizer(reference, tmp_path)
    runtime = Preprocessor(PolicyPackage(tmp_path, reference.spec, (), recipes, {}, {}))
    for seed in range(3):
        seen = observation(seed)
        seen = Observation(dict(seen.images) | {"roof": seen.images["top"]}, seen.joints, seen.instruction, 0.0)
        wanted, found = first_tensors(reference, seen, None), runtime.inputs(seen)
        assert wanted.keys() == found.keys()
        for name, tensor in wanted.items():
            assert found[name].dtype == tensor.numpy().dtype and found[name].shape == tuple(tensor.shape)
            np.testing.assert_allclose(np.asarray(found[name], float), np.asarray(tensor, float), rtol=1e-5, atol=2e-6)


def with_steps(checkpoint: Path, folder: Path, change: Callable[[Steps], None]) -> Path:
    shutil.copytree(checkpoint, folder)
    document = json.loads((folder / "policy_preprocessor.json").read_text())
    change(document["steps"])
    edit_json(folder / "policy_preprocessor.json", document)
    return folder


def test_what_vetting_lets_through_has_a_reader_and_the_other_way_round() -> None:
    assert {file: set(steps) for file, steps in KNOWN_STEPS.items()} == {file: set(steps) for file, steps in STEP_READERS.items()}


@pytest.mark.parametrize("file", ["policy_preprocessor.json", "policy_postprocessor.json"])
def test_an_unknown_step_is_an_error_that_names_it(act_checkpoint: Path, file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    reference = load_reference(resolve(str(act_checkpoint)))
    monkeypatch.delitem(STEP_READERS[file], "device_processor")
    with pytest.raises(CheckpointError, match=f"{file} has the step 'device_processor', which the exporter does not know"):
        read_preprocessing(reference)


@pytest.mark.parametrize("change", [{"task_key": "subtask"}, {"padding_side": "left"}, {"truncation": False}, {"padding": "do_not_pad"}])
def test_a_tokenizer_setting_the_runtime_does_not_follow_is_an_error(smolvla_checkpoint: Path, tmp_path: Path, change: Any) -> None:
    def set_it(steps: Steps) -> None:
        step(steps, "tokenizer_processor").update(change)

    reference = load_reference(resolve(str(with_steps(smolvla_checkpoint, tmp_path / "odd", set_it))))
    with pytest.raises(CheckpointError, match=next(iter(change))):
        read_preprocessing(reference)


def test_processors_that_never_normalize_are_an_error(act_checkpoint: Path, tmp_path: Path) -> None:
    def drop(steps: Steps) -> None:
        steps[:] = [s for s in steps if s["registry_name"] != "normalizer_processor"]

    reference = load_reference(resolve(str(with_steps(act_checkpoint, tmp_path / "bare", drop))))
    with pytest.raises(CheckpointError, match="neither normalize"):
        read_preprocessing(reference)
