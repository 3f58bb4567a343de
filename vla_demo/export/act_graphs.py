"""ACT cut into two modules: the ResNet that sees, and the transformer that plans. LeRobot's weights, the same numbers.

At inference the latent is zero and the VAE encoder is not used (LeRobot 0.6.1, `modeling_act.py`), so it is in no graph.
"""

from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from vla_demo.export.attention import attend

__all__ = ["Transformer", "Vision"]


class Vision(nn.Module):
    """pixels (C, 3, H, W) normalized -> features (C, F, h, w), F the transformer's width."""

    def __init__(self, policy: Any) -> None:
        super().__init__()
        self.backbone = _without_batch_norm(policy.model.backbone)
        self.projection = policy.model.encoder_img_feat_input_proj

    def forward(self, pixels: Tensor) -> Tensor:
        """(C, 3, H, W) to (C, F, h, w)."""
        return self.projection(self.backbone(pixels)["feature_map"])  # type: ignore[no-any-return]


class Transformer(nn.Module):
    """features (C, F, h, w), state (1, J) normalized -> actions (1, T, J) normalized."""

    latent: Tensor  # (1, 1, F)
    places: Tensor  # (1, S, F) added to the tokens that are compared
    queries: Tensor  # (1, T, F) the decoder's, one for each action

    def __init__(self, policy: Any, cameras: int, features: tuple[int, int, int]) -> None:
        super().__init__()
        model = policy.model
        self.state_projection = model.encoder_robot_state_input_proj
        self.encoder = nn.ModuleList([_EncoderLayer(layer) for layer in model.encoder.layers])
        self.decoder = nn.ModuleList([_DecoderLayer(layer) for layer in model.decoder.layers])
        self.encoder_norm, self.decoder_norm, self.head = model.encoder.norm, model.decoder.norm, model.action_head
        with torch.no_grad():
            latent = model.encoder_latent_input_proj(torch.zeros(1, policy.config.latent_dim))
            picture = model.encoder_cam_feat_pos_embed(torch.zeros(1, *features)).flatten(2).transpose(1, 2)
            places = [model.encoder_1d_feature_pos_embed.weight[None], *[picture] * cameras]
            self.register_buffer("latent", latent[None])
            self.register_buffer("places", torch.cat(places, dim=1))
            self.register_buffer("queries", model.decoder_pos_embed.weight[None].clone())

    def forward(self, features: Tensor, state: Tensor) -> Tensor:
        """(C, F, h, w) and (1, J) to (1, T, J)."""
        pictures = features.flatten(2).transpose(1, 2).flatten(0, 1)[None]
        x = torch.cat([self.latent, self.state_projection(state)[:, None], pictures], dim=1)
        for layer in self.encoder:
            x = layer(x, self.places)
        memory = self.encoder_norm(x)
        plan = torch.zeros_like(self.queries)
        for layer in self.decoder:
            plan = layer(plan, memory, self.queries, self.places)
        return self.head(self.decoder_norm(plan))  # type: ignore[no-any-return]


class _Attention(nn.Module):
    """`nn.MultiheadAttention` with its packed weight taken apart, so that every product in the graph has a weight of its own."""

    def __init__(self, packed: nn.MultiheadAttention) -> None:
        super().__init__()
        self.heads = packed.num_heads
        weights, biases = packed.in_proj_weight.chunk(3), packed.in_proj_bias.chunk(3)
        self.q, self.k, self.v = (_linear(w, b) for w, b in zip(weights, biases, strict=True))
        self.out = packed.out_proj

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        q, k, v = (p(x).unflatten(-1, (self.heads, -1)) for p, x in ((self.q, query), (self.k, key), (self.v, value)))
        return self.out(attend(q, k, v))  # type: ignore[no-any-return]


class _FeedForward(nn.Module):
    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.widen, self.narrow = layer.linear1, layer.linear2
        self.activation = layer.activation

    def forward(self, x: Tensor) -> Tensor:
        return self.narrow(self.activation(self.widen(x)))  # type: ignore[no-any-return]


class _EncoderLayer(nn.Module):
    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.attention, self.feed_forward = _Attention(layer.self_attn), _FeedForward(layer)
        self.norms = nn.ModuleList([layer.norm1, layer.norm2])
        self.pre_norm = layer.pre_norm

    def forward(self, x: Tensor, places: Tensor) -> Tensor:
        first, second = self.norms
        y = first(x) if self.pre_norm else x
        x = x + self.attention(y + places, y + places, y)
        if self.pre_norm:
            return x + self.feed_forward(second(x))  # type: ignore[no-any-return]
        x = first(x)
        return second(x + self.feed_forward(x))  # type: ignore[no-any-return]


class _DecoderLayer(nn.Module):
    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.self_attention, self.cross_attention = _Attention(layer.self_attn), _Attention(layer.multihead_attn)
        self.feed_forward = _FeedForward(layer)
        self.norms = nn.ModuleList([layer.norm1, layer.norm2, layer.norm3])
        self.pre_norm = layer.pre_norm

    def forward(self, x: Tensor, memory: Tensor, queries: Tensor, places: Tensor) -> Tensor:
        first, second, third = self.norms
        if self.pre_norm:
            y = first(x)
            x = x + self.self_attention(y + queries, y + queries, y)
            x = x + self.cross_attention(second(x) + queries, memory + places, memory)
            return x + self.feed_forward(third(x))  # type: ignore[no-any-return]
        x = first(x + self.self_attention(x + queries, x + queries, x))
        x = second(x + self.cross_attention(x + queries, memory + places, memory))
        return third(x + self.feed_forward(x))  # type: ignore[no-any-return]


def _linear(weight: Tensor, bias: Tensor) -> nn.Linear:
    linear = nn.Linear(weight.shape[1], weight.shape[0])
    linear.weight, linear.bias = nn.Parameter(weight.detach()), nn.Parameter(bias.detach())
    return linear


def _without_batch_norm(backbone: nn.Module) -> nn.Module:
    """A copy of a ResNet whose frozen batch norms went into the convolutions before them: what remains is Conv and Relu."""
    copy = deepcopy(backbone)
    for module in copy.modules():
        pairs = [(f"conv{i}", f"bn{i}") for i in (1, 2, 3)] if not isinstance(module, nn.Sequential) else [("0", "1")]
        for conv, norm in pairs:
            if isinstance(getattr(module, conv, None), nn.Conv2d) and hasattr(getattr(module, norm, None), "running_var"):
                setattr(module, conv, _folded(getattr(module, conv), getattr(module, norm)))
                setattr(module, norm, nn.Identity())
    return copy


def _folded(conv: nn.Conv2d, norm: Any) -> nn.Conv2d:
    scale = norm.weight * (norm.running_var + norm.eps).rsqrt()
    conv.weight = nn.Parameter((conv.weight * scale[:, None, None, None]).detach())
    before = 0.0 if conv.bias is None else conv.bias * scale
    conv.bias = nn.Parameter((norm.bias - norm.running_mean * scale + before).detach())
    return conv
