"""Writes a trained policy as an ordinary LeRobot checkpoint folder that needs nothing outside itself. The counterpart of `loading`."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from vla_demo.checkpoints.backbone import BACKBONE_FOLDER, copy_backbone
from vla_demo.checkpoints.layout import CONFIG_FILE, JOINTS_FILE, POSTPROCESSOR_FILE, PREPROCESSOR_FILE, read_json
from vla_demo.core.errors import CheckpointError
from vla_demo.core.folders import whole_folder

__all__ = ["loading_section", "save_checkpoint"]


def save_checkpoint(
    policy: Any,
    preprocessor: Any,
    postprocessor: Any,
    folder: Path,
    dtype: str = "float16",
    joint_names: Sequence[str] | None = None,
) -> None:
    """Write config, weights as `dtype`, processors and, for SmolVLA, the backbone's config and tokenizer; replaces `folder` as a whole.

    The policy (LeRobot's ACTPolicy or SmolVLAPolicy) is left as it is. `joint_names` are kept in `joints.json`. A README.md with the
    loading lines is written; put the model card in its place with `loading_section` in it. Raises `CheckpointError` when a weight does
    not fit `dtype`.
    """
    with whole_folder(folder) as new:
        policy.save_pretrained(new, state_dict=_cast(policy.state_dict(), dtype))
        preprocessor.save_pretrained(new)
        postprocessor.save_pretrained(new)
        changes: dict[str, Any] = {"device": "cpu"}
        if policy.config.type == "act":
            changes["pretrained_backbone_weights"] = None  # they are in the weights; LeRobot would download ImageNet's first
        elif Path(policy.config.vlm_model_name).is_dir():
            copy_backbone(Path(policy.config.vlm_model_name), new)
            changes["vlm_model_name"] = BACKBONE_FOLDER
        _edit(new / CONFIG_FILE, lambda config: config.update(changes))
        for file in (PREPROCESSOR_FILE, POSTPROCESSOR_FILE):
            _edit(new / file, lambda pipeline: _make_portable(pipeline, changes))
        if joint_names is not None:
            (new / JOINTS_FILE).write_text(json.dumps({"names": list(joint_names)}, indent=2) + "\n")
        for weights in new.glob("*.safetensors"):
            weights.chmod(0o644)  # safetensors writes them for their owner alone, which is no use in a folder that is shared
        (new / "README.md").write_text(f"# {folder.name}\n\n{loading_section(policy.config.type)}")


def loading_section(family: str) -> str:
    """The part of a model card that says how plain LeRobot loads the folder."""
    name = {"act": "ACTPolicy", "smolvla": "SmolVLAPolicy"}[family]
    first = (
        "SmolVLA's backbone config and tokenizer lie in `vlm/`, which LeRobot looks for from the working directory, so "
        if family == "smolvla"
        else ""
    )
    return (
        "## Load it with plain LeRobot\n\n"
        f"{first or 'Nothing but this folder is needed; '}start in this folder (`cd` into it, or `os.chdir`), then\n\n"
        "```python\n"
        f"from lerobot.policies.{family}.modeling_{family} import {name}\n"
        "from lerobot.policies.factory import make_pre_post_processors\n\n"
        f'policy = {name}.from_pretrained(".")\n'
        'preprocessor, postprocessor = make_pre_post_processors(policy.config, pretrained_path=".")\n'
        "```\n"
    )


def _cast(state: dict[str, Any], dtype: str) -> dict[str, Any]:
    import torch

    target = getattr(torch, dtype)
    done: dict[tuple[int, Any], Any] = {}  # tied tensors (embedding and output head) stay one tensor, which LeRobot writes once
    for name, tensor in state.items():
        key = (tensor.data_ptr(), tensor.shape)
        if key not in done:
            done[key] = tensor.detach().cpu().to(target if tensor.is_floating_point() else tensor.dtype)
        if tensor.is_floating_point() and not done[key].isfinite().all():
            raise CheckpointError(f"{name} does not fit {dtype}; save the checkpoint as float32")
    return {name: done[tensor.data_ptr(), tensor.shape] for name, tensor in state.items()}


def _make_portable(pipeline: dict[str, Any], changes: dict[str, Any]) -> None:
    """A machine's device and paths do not belong in a checkpoint that travels."""
    for step in pipeline["steps"]:
        if step.get("registry_name") == "device_processor":
            step["config"]["device"] = "cpu"
        elif step.get("registry_name") == "tokenizer_processor" and "vlm_model_name" in changes:
            step["config"]["tokenizer_name"] = changes["vlm_model_name"]


def _edit(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    document = read_json(path)
    change(document)
    path.write_text(json.dumps(document, indent=2) + "\n")
