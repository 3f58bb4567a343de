"""ACT on the twin: ResNet-18 at 96x128, 256 wide, chunks of 100, no VAE (one demonstrator, one way of doing it), and its loss.

Departures from LeRobot's preset: no ImageNet weights (see geometry.py), a one-cycle rate of 3e-4 for the transformer (the preset's 1e-5 is
for 100 000 steps), a cheaper dropout of the same strength.
"""

from typing import Any

import numpy as np
import torch
from lerobot.configs import FeatureType, PolicyFeature
from lerobot.policies.act.configuration_act import ACTConfig
from lerobot.policies.act.modeling_act import ACTPolicy
from numpy.typing import NDArray
from pictures import CAMERAS, as_input, picture_stats
from torch import nn
from vision import ResnetVision, folded

__all__ = ["CHUNK", "adopt_vision", "build", "encode", "loss_on_features", "loss_on_pictures", "use_features", "vision_of"]

NAME = "act"
CHUNK, EXECUTE = 100, 50  # planning again half-way: 19/20 fresh starts instead of 16/20
FEATURES = (len(CAMERAS), 512, 3, 4)
RATES = {"vision": 1e-3, "policy": 3e-4, "finetune": 4e-5}
BATCHES = {"vision": 48, "policy": 32, "finetune": 16}
SHARES = {"vision": 0.375, "policy": 0.625, "finetune": 0.0}  # of the processor minutes; 10 of fine-tuning: 18/20 after 19/20
PICTURE_KEYS = tuple(f"observation.images.{c}" for c in CAMERAS)


def build(_: Any, seen: tuple[int, int], execute: int = EXECUTE) -> ACTPolicy:
    """A fresh policy for cameras that deliver pictures of `seen` (height, width)."""
    visual = PolicyFeature(type=FeatureType.VISUAL, shape=(3, *seen))
    config = ACTConfig(
        input_features=dict.fromkeys(PICTURE_KEYS, visual) | {"observation.state": PolicyFeature(type=FeatureType.STATE, shape=(6,))},
        output_features={"action": PolicyFeature(type=FeatureType.ACTION, shape=(6,))},
        device="cpu",
        pretrained_backbone_weights=None,
        dim_model=256,
        dim_feedforward=1024,
        n_heads=8,
        use_vae=False,
        chunk_size=CHUNK,
        n_action_steps=execute,
    )
    return ACTPolicy(config)


def vision_of(_: ACTPolicy) -> ResnetVision:
    return ResnetVision()


def adopt_vision(policy: ACTPolicy, encoder_state: dict[str, torch.Tensor]) -> None:
    """The pretrained ResNet, batch norm folded, into the policy's backbone.

    The scales and shifts are rounded to bfloat16 so that fine-tuning in bfloat16 and running in float32 use the same numbers.
    """
    body = {name.removeprefix("body."): value for name, value in encoder_state.items() if name.startswith("body.")}
    state = folded(body)
    for name in state:
        if name.endswith((".bias", "bn1.weight", "bn2.weight", "downsample.1.weight")):
            state[name] = state[name].to(torch.bfloat16).float()
    policy.model.backbone.load_state_dict(state)


@torch.no_grad()
def encode(policy: ACTPolicy, pictures: NDArray[np.uint8]) -> NDArray[np.float16]:
    """Feature maps (n, 512, 3, 4) of pictures (n, 96, 128, 3), computed in bfloat16."""
    body = _HalfBackbone(policy.model.backbone)
    return np.asarray(body(_normalized(as_input(pictures)))["feature_map"].to(torch.float16).numpy())


def use_features(policy: ACTPolicy) -> nn.Module:
    """What trains when the features are given: everything but the backbone."""
    policy.model.backbone = _Given()
    _cheapen_dropout(policy)
    return policy


def use_pictures(policy: ACTPolicy) -> nn.Module:
    policy.model.backbone = _HalfBackbone(policy.model.backbone)
    _cheapen_dropout(policy)
    return policy


def loss_on_features(policy: ACTPolicy, features: NDArray[np.float16], batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """L1 over the chunk, LeRobot's own forward. `features` is (B, 3, 512, 3, 4)."""
    maps = torch.from_numpy(features).to(torch.bfloat16)
    return _loss(policy, batch | {key: maps[:, c] for c, key in enumerate(PICTURE_KEYS)})


def loss_on_pictures(policy: ACTPolicy, pictures: NDArray[np.uint8], batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """`pictures` is (B, 3, 96, 128, 3)."""
    return _loss(policy, batch | {key: _normalized(as_input(pictures[:, c])) for c, key in enumerate(PICTURE_KEYS)})


def _loss(policy: ACTPolicy, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return policy(batch)[0]


def _normalized(pictures: torch.Tensor) -> torch.Tensor:
    stats = picture_stats()
    return (pictures - stats["mean"]) / stats["std"]


class _Given(nn.Module):
    """Stands where the backbone was: the input already is its output."""

    def forward(self, feature_map: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"feature_map": feature_map}


class _HalfBackbone(nn.Module):
    """The backbone, all bfloat16; batch norm is frozen and its numbers fit exactly (see `adopt_vision`)."""

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.inner = backbone.to(torch.bfloat16).to(memory_format=torch.channels_last)

    def forward(self, pictures: torch.Tensor) -> dict[str, torch.Tensor]:
        with torch.autocast("cpu", enabled=False):
            x = pictures.to(torch.bfloat16).contiguous(memory_format=torch.channels_last)
            return {"feature_map": self.inner(x)["feature_map"]}


class _CheapDropout(nn.Module):
    """Dropout from random bytes; torch's own takes a quarter of an ACT step on a CPU."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self._cut = round(p * 256)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training or not self._cut:
            return x
        words = torch.empty((x.numel() + 7) // 8, dtype=torch.int64).random_(-(2**63), None)
        kept = words.view(torch.uint8)[: x.numel()].view(x.shape) >= self._cut
        return x * (kept.to(x.dtype) * (256 / (256 - self._cut)))


def _cheapen_dropout(policy: ACTPolicy) -> None:
    for part in list(policy.modules()):
        for name, child in list(part.named_children()):
            if isinstance(child, nn.Dropout):
                setattr(part, name, _CheapDropout(child.p))
        if isinstance(part, nn.MultiheadAttention):
            part.dropout = 0.0  # attention's own dropout draws a number a weight; the residual dropouts stay
