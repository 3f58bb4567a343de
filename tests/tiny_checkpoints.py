"""LeRobot checkpoints with random weights, small enough to load and export in seconds; real in everything else."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vla_demo.checkpoints.saving import save_checkpoint
from vla_demo.checkpoints.smolvlm_folder import write_vlm_folder

CAMERAS = ("top", "gripper", "left")
JOINTS = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")
PICTURE = (48, 64)  # height, width of what the cameras deliver


def tiny_act(folder: Path, cameras: Sequence[str] = CAMERAS, **config: Any) -> Path:
    """ACT with a ResNet-18 on 32x48 pictures (crop and resize in its preprocessor), 64 wide, chunks of 8."""
    from lerobot.policies.act.configuration_act import ACTConfig
    from lerobot.policies.act.modeling_act import ACTPolicy
    from lerobot.processor.hil_processor import ImageCropResizeProcessorStep

    small = {"dim_model": 64, "dim_feedforward": 128, "n_heads": 4, "n_encoder_layers": 2, "chunk_size": 8, "n_action_steps": 8}
    policy = _seeded(lambda: ACTPolicy(ACTConfig(**_features(cameras), **(small | {"pretrained_backbone_weights": None} | config))))
    crop = {f"observation.images.{cameras[0]}": (4, 8, 40, 52)}
    return _saved(policy, folder, ImageCropResizeProcessorStep(crop_params_dict=crop, resize_size=(32, 48)))


def tiny_smolvla(folder: Path, cameras: Sequence[str] = CAMERAS, **config: Any) -> Path:
    """SmolVLA on a backbone of 2 vision and 4 text layers, 32x32 pictures, chunks of 8, 4 denoising steps."""
    from lerobot.policies.smolvla.configuration_smolvla import SmolVLAConfig
    from lerobot.policies.smolvla.modeling_smolvla import SmolVLAPolicy

    vlm = smaller_backbone(folder.parent / f"{folder.name}_vlm")
    small = {"num_vlm_layers": 4, "resize_imgs_with_padding": (32, 32), "chunk_size": 8, "n_action_steps": 8, "num_steps": 4}
    small |= {"max_state_dim": 8, "max_action_dim": 8, "vlm_model_name": str(vlm)}
    policy = _seeded(lambda: SmolVLAPolicy(SmolVLAConfig(**_features(cameras), **(small | config))))
    _sharpen(policy)
    return _saved(policy, folder)


def smaller_backbone(folder: Path) -> Path:
    write_vlm_folder(folder, "tiny")
    path = folder / "config.json"
    config = json.loads(path.read_text())
    config["vision_config"] |= {
        "hidden_size": 48,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 3,
        "image_size": 32,
        "patch_size": 8,
    }
    config["text_config"] |= {
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16,
    }
    path.write_text(json.dumps(config))
    return folder


def stats(cameras: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Plausible statistics of a recorded dataset, as LeRobot keeps them."""
    import torch

    generator = torch.Generator().manual_seed(3)
    joints = {"mean": 40 * torch.randn(6, generator=generator), "std": 10 + 20 * torch.rand(6, generator=generator)}
    for low, high, width in (("min", "max", 3), ("q01", "q99", 2), ("q10", "q90", 1)):
        joints |= {low: joints["mean"] - width * joints["std"], high: joints["mean"] + width * joints["std"]}
    pictures = {"mean": torch.rand(3, 1, 1, generator=generator), "std": 0.1 + 0.2 * torch.rand(3, 1, 1, generator=generator)}
    pictures |= {"min": torch.zeros(3, 1, 1), "max": torch.full((3, 1, 1), 0.9)}
    return {"observation.state": joints, "action": joints} | {f"observation.images.{c}": pictures for c in cameras}


def _features(cameras: Sequence[str]) -> dict[str, Any]:
    from lerobot.configs import FeatureType, PolicyFeature

    pictures = {f"observation.images.{c}": PolicyFeature(FeatureType.VISUAL, (3, *PICTURE)) for c in cameras}
    joints = PolicyFeature(FeatureType.STATE, (6,))
    actions = PolicyFeature(FeatureType.ACTION, (6,))
    return {"input_features": pictures | {"observation.state": joints}, "output_features": {"action": actions}, "device": "cpu"}


def _seeded(build: Any) -> Any:
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(0)
        return build().eval()


def _sharpen(policy: Any) -> None:
    """Fresh weights attend almost evenly, so that a wrong position would hardly show; trained ones do not."""
    import torch

    with torch.no_grad():
        for name, weight in policy.named_parameters():
            if name.endswith(("q_proj.weight", "k_proj.weight")):
                weight.mul_(20.0)


def _saved(policy: Any, folder: Path, *more_steps: Any) -> Path:
    from lerobot.policies.factory import make_pre_post_processors

    cameras = [key.removeprefix("observation.images.") for key in policy.config.image_features]
    pre, post = make_pre_post_processors(policy.config, dataset_stats=stats(cameras))
    pre.steps = [*pre.steps[:1], *more_steps, *pre.steps[1:]]
    save_checkpoint(policy, pre, post, folder, joint_names=JOINTS)
    return folder


def edit_json(path: Path, changes: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | dict(changes)))
