"""LeRobot's default ACT and SmolVLA with random weights: the sizes people train."""

from pathlib import Path
from typing import Any

from tests.tiny_checkpoints import JOINTS, stats

CAMERAS = ("up", "side", "wrist")


def full_act(folder: Path) -> Path:
    """51 M parameters, three cameras of 640x480, chunks of 100."""
    from lerobot.policies.act.configuration_act import ACTConfig
    from lerobot.policies.act.modeling_act import ACTPolicy

    return _saved(ACTPolicy(ACTConfig(**_features(), pretrained_backbone_weights=None)), folder)


def full_smolvla(folder: Path) -> Path:
    """450 M parameters, three cameras of 640x480, chunks of 50 in 10 denoising steps."""
    from lerobot.policies.smolvla.configuration_smolvla import SmolVLAConfig
    from lerobot.policies.smolvla.modeling_smolvla import SmolVLAPolicy

    from vla_demo.checkpoints.smolvlm_folder import write_vlm_folder

    backbone = write_vlm_folder(folder.parent / "backbone", "full")
    return _saved(SmolVLAPolicy(SmolVLAConfig(**_features(), vlm_model_name=str(backbone))), folder)


def _features() -> dict[str, Any]:
    from lerobot.configs import FeatureType, PolicyFeature

    pictures = {f"observation.images.{c}": PolicyFeature(FeatureType.VISUAL, (3, 480, 640)) for c in CAMERAS}
    joints, actions = PolicyFeature(FeatureType.STATE, (6,)), PolicyFeature(FeatureType.ACTION, (6,))
    return {"input_features": pictures | {"observation.state": joints}, "output_features": {"action": actions}, "device": "cpu"}


def _saved(policy: Any, folder: Path) -> Path:
    from lerobot.policies.factory import make_pre_post_processors

    from vla_demo.checkpoints.saving import save_checkpoint

    pre, post = make_pre_post_processors(policy.config, dataset_stats=stats(CAMERAS))
    save_checkpoint(policy, pre, post, folder, joint_names=JOINTS)
    return folder
