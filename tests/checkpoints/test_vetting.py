"""A checkpoint from a stranger is judged before anything of it is built; every refusal says what was wrong and what would be valid."""

import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.tiny_checkpoints import edit_json
from vla_demo.checkpoints.vetting import vet
from vla_demo.core.errors import CheckpointError


@pytest.fixture
def act_copy(act_checkpoint: Path, tmp_path: Path) -> Path:
    return shutil.copytree(act_checkpoint, tmp_path / "act")


@pytest.fixture
def smolvla_copy(smolvla_checkpoint: Path, tmp_path: Path) -> Path:
    return shutil.copytree(smolvla_checkpoint, tmp_path / "smolvla")


def test_whole_checkpoints_pass_and_tell_their_family(act_checkpoint: Path, smolvla_checkpoint: Path) -> None:
    assert (vet(act_checkpoint), vet(smolvla_checkpoint)) == ("act", "smolvla")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"type": "diffusion"}, "'diffusion'; supported are act, smolvla"),
        ({"chunk_size": 1_000_000_000}, "valid: 1 to 1000"),
        ({"chunk_size": -1}, "valid: 1 to 1000"),
        ({"chunk_size": True}, "chunk_size is True"),
        ({"dim_model": float("nan")}, "dim_model is nan"),
        ({"n_encoder_layers": 100_000}, "valid: 1 to 48"),
        ({"vision_backbone": "resnet"}, "resnet18"),
        ({"use_peft": True}, "use_peft"),
        ({"input_features": None}, "input_features"),
        ({"input_features": {"../x": {"type": "STATE", "shape": [6]}}}, "input_features"),
        ({"output_features": {}}, "observation.state and an action"),
        ({"output_features": {"action": {"type": "ACTION", "shape": [7]}}}, "the same joints"),
    ],
)
def test_a_config_out_of_bounds_is_refused(act_copy: Path, changes: dict[str, Any], says: str) -> None:
    edit_json(act_copy / "config.json", changes)
    with pytest.raises(CheckpointError, match=says):
        vet(act_copy)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"adapt_to_pi_aloha": True}, "adapt_to_pi_aloha"),
        ({"prefix_length": 200}, "prefix_length"),
        ({"resize_imgs_with_padding": [32, 16]}, "two equal numbers"),
        ({"resize_imgs_with_padding": None}, "two equal numbers"),
        ({"num_steps": 100_000}, "num_steps"),
        ({"max_action_dim": 3}, "3 for 6 joints"),
        ({"vlm_model_name": "../elsewhere"}, "such as 'vlm'"),
        ({"vlm_model_name": "nowhere"}, "such as 'vlm'"),
        ({"vlm_model_name": None}, "vlm_model_name"),
    ],
)
def test_an_option_the_exporter_does_not_reproduce_is_refused(smolvla_copy: Path, changes: dict[str, Any], says: str) -> None:
    edit_json(smolvla_copy / "config.json", changes)
    with pytest.raises(CheckpointError, match=says):
        vet(smolvla_copy)


@pytest.mark.parametrize(
    ("file", "changes", "says"),
    [
        ("config.json", {"model_type": "llava"}, "supported: 'smolvlm'"),
        ("config.json", {"auto_map": {"AutoConfig": "evil.Config"}}, "auto_map"),
        ("config.json", {"vision_config": {"hidden_size": 10**9}}, "hidden_size"),
        ("tokenizer_config.json", {"auto_map": {"AutoTokenizer": ["evil.T", None]}}, "auto_map"),
    ],
)
def test_a_backbone_that_brings_code_or_no_sense_is_refused(smolvla_copy: Path, file: str, changes: dict[str, Any], says: str) -> None:
    edit_json(smolvla_copy / "vlm" / file, changes)
    with pytest.raises(CheckpointError, match=says):
        vet(smolvla_copy)


def test_a_link_out_of_the_checkpoint_is_no_backbone(smolvla_copy: Path, tmp_path: Path) -> None:
    (smolvla_copy / "vlm").rename(tmp_path / "outside")
    (smolvla_copy / "vlm").symlink_to(tmp_path / "outside")
    with pytest.raises(CheckpointError, match="leads out"):
        vet(smolvla_copy)


def _add_class(steps: list[dict[str, Any]], canary: Path) -> None:
    steps.insert(0, {"class": "pathlib.Path.touch", "config": {"self": str(canary)}})


def _add_fetching_step(steps: list[dict[str, Any]], _: Path) -> None:
    steps.append({"registry_name": "action_tokenizer_processor", "config": {"trust_remote_code": True}})


def _add_setting(steps: list[dict[str, Any]], _: Path) -> None:
    steps[0]["config"] = {"rename_map": {}, "device": "cpu"}


def _cast_to_half(steps: list[dict[str, Any]], _: Path) -> None:
    next(s for s in steps if s["registry_name"] == "device_processor")["config"]["float_dtype"] = "float16"


def _break_shape(steps: list[dict[str, Any]], _: Path) -> None:
    steps[-1]["config"]["norm_map"] = ["MEAN_STD"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_add_class, "'pathlib.Path.touch'; supported are"),
        (_add_fetching_step, "action_tokenizer_processor.*supported are"),
        (_add_setting, "settings other than rename_map"),
        (_cast_to_half, "float16"),
        (_break_shape, "shape LeRobot writes"),
    ],
)
def test_a_processor_step_outside_the_known_ones_is_refused_unbuilt(
    act_copy: Path, tmp_path: Path, change: Callable[[list[dict[str, Any]], Path], None], says: str
) -> None:
    path = act_copy / "policy_preprocessor.json"
    document = json.loads(path.read_text())
    change(document["steps"], tmp_path / "canary")
    path.write_text(json.dumps(document))
    with pytest.raises(CheckpointError, match=says):
        vet(act_copy)
    assert not (tmp_path / "canary").exists()


def test_a_normalizer_without_its_statistics_is_refused(act_copy: Path) -> None:
    from safetensors.numpy import load_file, save_file

    path = next(act_copy.glob("policy_postprocessor_step_*.safetensors"))
    stats = load_file(path)
    save_file({k: v for k, v in stats.items() if k != "action.std"}, path)
    with pytest.raises(CheckpointError, match=r"action is normalized by MEAN_STD but .* has no std"):
        vet(act_copy)
    save_file(stats | {"action.std": stats["action.std"] * float("nan")}, path)
    with pytest.raises(CheckpointError, match="not finite"):
        vet(act_copy)
    path.unlink()
    with pytest.raises(CheckpointError, match="are missing"):
        vet(act_copy)


def test_pickled_weights_are_refused_by_name(act_copy: Path) -> None:
    (act_copy / "model.safetensors").rename(act_copy / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match=r"pytorch_model\.bin, a pickle"):
        vet(act_copy)


@pytest.mark.parametrize("file", ["config.json", "model.safetensors", "policy_preprocessor.json", "policy_postprocessor.json"])
def test_a_missing_file_is_named(act_copy: Path, file: str) -> None:
    (act_copy / file).unlink()
    with pytest.raises(CheckpointError, match=file):
        vet(act_copy)


@pytest.mark.parametrize("content", [b"", b"\x80\x04.pickle....", struct.pack("<Q", 1 << 60) + b"{}", struct.pack("<Q", 8) + b"[1, 2,3]"])
def test_weights_that_are_not_safetensors_are_refused(act_copy: Path, content: bytes) -> None:
    (act_copy / "model.safetensors").write_bytes(content)
    with pytest.raises(CheckpointError, match="safetensors"):
        vet(act_copy)


def test_json_that_is_deep_or_huge_or_no_object_is_refused(act_copy: Path) -> None:
    for text in ("[" * 100_000, " " * (1 << 21), "[]", "{"):
        (act_copy / "config.json").write_text(text)
        with pytest.raises(CheckpointError):
            vet(act_copy)
