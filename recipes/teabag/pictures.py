"""How a camera picture becomes the 96x128 picture that both policies see: the same resize that their LeRobot preprocessors carry.

Kept as uint8 so that a whole dataset fits into memory; the rounding changes a pixel by at most half a grey level.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torchvision.transforms.functional import resize

__all__ = ["CAMERAS", "SIZE", "as_input", "resized", "shrink"]

SIZE = (96, 128)  # height, width
CAMERAS = ("top", "gripper", "left")
_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # LeRobot's default picture statistics


def resized(pictures: torch.Tensor) -> torch.Tensor:
    """(..., 3, H, W) in [0, 1] to (..., 3, 96, 128): what LeRobot's `image_crop_resize_processor` does."""
    return resize(pictures, list(SIZE)).clamp(0.0, 1.0)


def shrink(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(N, H, W, 3) to (N, 96, 128, 3)."""
    unit = torch.from_numpy(pictures).permute(0, 3, 1, 2).float().div_(255)
    return np.asarray(resized(unit).mul_(255).round_().to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy())


def as_input(pictures: NDArray[np.uint8] | torch.Tensor, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """(N, 96, 128, 3) uint8 to (N, 3, 96, 128) in [0, 1], channels last in memory."""
    tensor = pictures if isinstance(pictures, torch.Tensor) else torch.from_numpy(pictures)
    return tensor.permute(0, 3, 1, 2).to(torch.float32).div_(255).to(dtype)


def picture_stats() -> dict[str, torch.Tensor]:
    """The statistics that ACT's normalizer applies to every camera, (3, 1, 1)."""
    return {"mean": torch.tensor(_IMAGENET_MEAN).view(3, 1, 1), "std": torch.tensor(_IMAGENET_STD).view(3, 1, 1)}
