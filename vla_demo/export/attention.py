"""Attention as plain products and a softmax, in the forms that export to small graphs. Knows no policy."""

import torch
from torch import Tensor

__all__ = ["MASKED", "Rotation", "attend", "rotate", "rotation"]

MASKED = -1e30  # added to a logit; exp() of it is exactly 0 in float32, as it is for LeRobot's finfo.min

Rotation = tuple[Tensor, Tensor]  # sine, cosine: (1, L, 1, D/2)


def rotation(positions: Tensor, head_dim: int, wavelength: float = 10_000.0) -> Rotation:
    """Rotary position angles for positions (1, L), shared by all layers of a graph.

    SmolVLA applies 10 000 (half-split order, float32) to backbone and expert alike, whatever `rope_theta` the backbone's own config says.
    """
    exponents = (2.0 / head_dim) * torch.arange(head_dim // 2, dtype=torch.float32)
    radians = positions[..., None].to(torch.float32) / wavelength**exponents
    return torch.sin(radians)[:, :, None, :], torch.cos(radians)[:, :, None, :]


def rotate(x: Tensor, angles: Rotation) -> Tensor:
    """(1, L, H, D) turned by its positions."""
    sine, cosine = angles
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cosine - second * sine, second * cosine + first * sine], dim=-1)


def attend(queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None = None) -> Tensor:
    """(B, L, H, D) queries on (B, S, HK, D) keys and values, to (B, L, H * D); `mask` (L or 1, S) is added to the logits.

    H is a multiple of HK. The query heads that share a key head are laid one behind the other along L, so keys and values are not copied.
    """
    batch, length, heads, width = queries.shape
    groups = heads // keys.shape[2]
    q = queries.transpose(1, 2).reshape(batch, heads // groups, groups * length, width)
    logits = torch.matmul(q, keys.permute(0, 2, 3, 1)) * width**-0.5
    if mask is not None:
        logits = logits.unflatten(2, (groups, length)) + mask
        logits = logits.flatten(2, 3)
    mixed = torch.matmul(torch.softmax(logits, dim=-1), values.transpose(1, 2))
    return mixed.reshape(batch, heads, length, width).transpose(1, 2).reshape(batch, length, heads * width)
