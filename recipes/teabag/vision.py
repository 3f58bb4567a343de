"""The vision encoders as they are pretrained: ACT's ResNet-18 with real batch norm, SmolVLA's SigLIP-like transformer and connector.

Both take (B, 3, 96, 128) in [0, 1] and give (B, cells, width) features. They know nothing of actions.
"""

from typing import Any

import torch
import torchvision
from half import halve
from lerobot.policies.common.vla_utils import resize_with_pad
from pictures import picture_stats
from torch import nn

__all__ = ["ResnetVision", "SiglipVision", "folded"]


class ResnetVision(nn.Module):
    """ResNet-18 without its head. From scratch it needs real batch norm; ACT's frozen one gets the folded result."""

    cells, width = 12, 512

    def __init__(self) -> None:
        super().__init__()
        self.body = torchvision.models.resnet18(weights=None)
        self.body.avgpool, self.body.fc = nn.Identity(), nn.Identity()
        self.to(memory_format=torch.channels_last)
        halve(self, (nn.Conv2d,))
        stats = picture_stats()
        self.register_buffer("mean", stats["mean"], persistent=False)
        self.register_buffer("std", stats["std"], persistent=False)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        x = ((pictures - self.mean) / self.std).to(torch.bfloat16)
        features = self.body(x)  # flattened by ResNet's own forward
        return features.view(len(x), self.width, self.cells).transpose(1, 2)


class SiglipVision(nn.Module):
    """Vision transformer and connector of a SmolVLA policy, by reference: training them trains the policy's."""

    def __init__(self, policy: Any) -> None:
        super().__init__()
        vlm = policy.model.vlm_with_expert.get_vlm_model()
        self.tower, self.connector = vlm.vision_model, vlm.connector
        vision, text = vlm.config.vision_config, vlm.config.text_config
        self.size, self.width = vision.image_size, text.hidden_size
        self.cells = (vision.image_size // vision.patch_size // vlm.config.scale_factor) ** 2

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        x = resize_with_pad(pictures, self.size, self.size, pad_value=0) * 2 - 1
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return self.connector(self.tower(pixel_values=x).last_hidden_state)


def folded(body_state: dict[str, torch.Tensor], eps: float = 1e-5) -> dict[str, torch.Tensor]:
    """A ResNet's state with each batch norm as one scale and shift, for torchvision's FrozenBatchNorm2d (same `eps`).

    Mean 0 and variance 1 - eps stay behind, so that half-precision files lose nothing to tiny variances.
    """
    state = {name: value.float() for name, value in body_state.items() if "num_batches_tracked" not in name}
    for name in [n.removesuffix(".running_var") for n in state if n.endswith(".running_var")]:
        mean, var = state[f"{name}.running_mean"], state[f"{name}.running_var"]
        scale = state[f"{name}.weight"] / torch.sqrt(var + eps)
        state[f"{name}.bias"] = state[f"{name}.bias"] - mean * scale
        state[f"{name}.weight"] = scale
        state[f"{name}.running_mean"], state[f"{name}.running_var"] = torch.zeros_like(mean), torch.full_like(var, 1 - eps)
    return state
