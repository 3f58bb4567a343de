"""The modules that are exported compute what LeRobot computes, in every kind of configuration that is let through; checked in PyTorch."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes import observation
from tests.tiny_checkpoints import edit_json, tiny_act, tiny_smolvla
from vla_demo.checkpoints import ReferencePolicy, load_reference, resolve
from vla_demo.core.errors import CheckpointError
from vla_demo.export.graphs import run_module
from vla_demo.export.stages import first_tensors, module_for


def staged_actions(reference: ReferencePolicy, seen: Any, noise: Any) -> Any:
    """Normalized actions (1, T, A) of the modules chained as the runtime chains the graphs."""
    tensors = first_tensors(reference, seen, noise)
    graphs = [graph for stage in reference.spec.stages for graph in stage.graphs]
    modules = {}
    for graph in graphs:
        modules[graph.name] = module_for(graph.name, reference, tensors).eval()
        if not graph.runs_per_denoise_step:
            tensors |= run_module(modules[graph.name], graph, tensors)
    steps = reference.spec.denoise_steps or 0
    for step in range(steps):
        tensors["time"] = tensors["time"] * 0 + (1 - step / steps)
        velocity = run_module(modules["step"], graphs[-1], tensors)["velocity"]
        tensors["x"] = tensors["x"] - velocity / steps
    return tensors["x"] if steps else tensors["actions"]


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"pre_norm": True},
        {"feedforward_activation": "gelu", "n_decoder_layers": 2},
        {"use_vae": False, "vision_backbone": "resnet50", "replace_final_stride_with_dilation": True},
    ],
    ids=str,
)
def test_act_in_its_variants(config: dict[str, Any], tmp_path: Path) -> None:
    reference = load_reference(resolve(str(tiny_act(tmp_path / "act", **config))))
    check(reference)


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"self_attn_every_n_layers": 3},
        {"self_attn_every_n_layers": -1},
        {"self_attn_every_n_layers": 1},
        {"empty_cameras": 2},
        {"num_steps": 1, "expert_width_multiplier": 0.5, "pad_language_to": "max_length"},
        {"resize_imgs_with_padding": (16, 16)},
    ],
    ids=str,
)
def test_smolvla_in_its_variants(config: dict[str, Any], tmp_path: Path) -> None:
    reference = load_reference(resolve(str(tiny_smolvla(tmp_path / "smolvla", **config))))
    assert reference.spec.cameras == ("top", "gripper", "left")
    check(reference)


def check(reference: ReferencePolicy) -> None:
    import torch

    shape = reference.spec.noise_shape
    noise = None if shape is None else np.random.default_rng(0).standard_normal(shape, np.float32)
    arguments = {} if noise is None else {"noise": torch.from_numpy(noise)[None]}
    for seed in range(2):
        seen = observation(seed)
        with torch.no_grad():
            wanted = reference.loaded.policy.predict_action_chunk(reference.prepared(seen), **arguments)
        found = staged_actions(reference, seen, noise)[..., :6]
        assert (found - wanted).abs().max() < 2e-5 * wanted.abs().max()
        assert wanted.std() > 1e-3


def test_cameras_of_different_sizes_are_an_error(act_checkpoint: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(act_checkpoint, tmp_path / "mixed")
    document = json.loads((folder / "policy_preprocessor.json").read_text())
    document["steps"] = [s for s in document["steps"] if s["registry_name"] != "image_crop_resize_processor"]
    edit_json(folder / "policy_preprocessor.json", document)
    reference = load_reference(resolve(str(folder)))
    seen = observation()
    images = dict(seen.images) | {"left": seen.images["left"][:32]}
    with pytest.raises(CheckpointError, match="one size for all"):
        first_tensors(reference, type(seen)(images, seen.joints, "go", 0.0), None)
