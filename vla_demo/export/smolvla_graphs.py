"""SmolVLA cut into four modules: vision, prefix, context, step. LeRobot's weights, our arithmetic, the same numbers.

What each computes was read from LeRobot 0.6.1 (`modeling_smolvla.py`, `smolvlm_with_expert.py`); the parity gate holds it to that.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from vla_demo.export.attention import MASKED, Rotation, attend, rotate, rotation

__all__ = ["Context", "Prefix", "Step", "Vision"]


class Vision(nn.Module):
    """pixels (C, 3, H, W) in [-1, 1] -> image_tokens (C, T, D), times sqrt(D) as the language model expects them."""

    def __init__(self, policy: Any, height: int, width: int) -> None:
        super().__init__()
        backbone = policy.model.vlm_with_expert.get_vlm_model()
        tower = backbone.vision_model
        self.patches = tower.embeddings.patch_embedding
        self.register_buffer("positions", _position_embedding(tower, height, width))
        self.layers = tower.encoder.layers
        self.norm = tower.post_layernorm
        self.connector = backbone.connector
        self.scale = math.sqrt(backbone.config.text_config.hidden_size)

    def forward(self, pixels: Tensor) -> Tensor:
        """(C, 3, H, W) to (C, T, D)."""
        x = self.patches(pixels).flatten(2).transpose(1, 2) + self.positions
        for layer in self.layers:
            x = x + _picture_attention(layer.self_attn, layer.layer_norm1(x))
            x = x + layer.mlp(layer.layer_norm2(x))
        return self.connector(self.norm(x)) * self.scale  # type: ignore[no-any-return]


class Prefix(nn.Module):
    """image_tokens, token_ids, token_mask, state -> keys and values (n, 1, P, HK, Dh) of every layer, prefix_mask (1, P).

    Pictures and words see each other; the state, last, sees all and is seen by none of them. Padding words are seen by nobody.
    """

    def __init__(self, policy: Any) -> None:
        super().__init__()
        text = policy.model.vlm_with_expert.get_vlm_model().text_model
        self.embedding = text.embed_tokens
        self.layers = text.layers
        self.state_projection = policy.model.state_proj

    def forward(self, image_tokens: Tensor, token_ids: Tensor, token_mask: Tensor, state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(C, T, D), int64 (1, L), bool (1, L) and (1, S) to twice (n, 1, P, HK, Dh) and bool (1, P), P = C * T + L + 1."""
        x, valid = self._tokens(image_tokens, token_ids, token_mask, state)
        head_dim = self.layers[0].self_attn.head_dim
        angles = rotation(torch.cumsum(valid.long(), dim=1) - 1, head_dim)
        mask = _prefix_mask(valid)
        keys, values = [], []
        for index, layer in enumerate(self.layers):
            h = layer.input_layernorm(x)
            k, v = _keys_values(layer.self_attn, h, angles)
            keys.append(k)
            values.append(v)
            if index + 1 < len(self.layers):  # beyond the last layer's keys and values nobody reads the backbone
                q = rotate(_heads(layer.self_attn.q_proj(h), head_dim), angles)
                x = x + layer.self_attn.o_proj(attend(q, k, v, mask))
                x = x + layer.mlp(layer.post_attention_layernorm(x))
        return torch.stack(keys), torch.stack(values), valid

    def _tokens(self, image_tokens: Tensor, token_ids: Tensor, token_mask: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        pictures = image_tokens.flatten(0, 1)[None]
        words = self.embedding(token_ids) * math.sqrt(pictures.shape[-1])
        joints = self.state_projection(state)[:, None]
        seen, stated = (torch.ones(1, n, dtype=torch.bool) for n in (pictures.shape[1], 1))
        return torch.cat([pictures, words, joints], dim=1), torch.cat([seen, token_mask, stated], dim=1)


class Context(nn.Module):
    """keys, values -> what the expert's layers read from them, once a chunk: the cross-attention layers project them anew."""

    def __init__(self, policy: Any) -> None:
        super().__init__()
        self.layers = policy.model.vlm_with_expert.lm_expert.layers
        self.crosses = _crosses(policy)

    def forward(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values (n, 1, P, HK, Dh), n the layers', to those of the same shape that the expert's layers read."""
        context_keys, context_values = [], []
        for index, (layer, crosses) in enumerate(zip(self.layers, self.crosses, strict=True)):
            k, v = keys[index], values[index]
            if crosses:
                k = _heads(layer.self_attn.k_proj(k.flatten(2)), layer.self_attn.head_dim)
                v = _heads(layer.self_attn.v_proj(v.flatten(2)), layer.self_attn.head_dim)
            context_keys.append(k)
            context_values.append(v)
        return torch.stack(context_keys), torch.stack(context_values)


class Step(nn.Module):
    """x (1, T, A), time (1,), context_keys, context_values, prefix_mask -> velocity (1, T, A): one denoising step of the action expert.

    Self-attention layers see the prefix and the actions up to their own; cross-attention layers see the prefix alone and count the
    actions from 0.
    """

    frequencies: Tensor  # (1, width / 2) float64

    def __init__(self, policy: Any) -> None:
        super().__init__()
        model, config = policy.model, policy.config
        expert = model.vlm_with_expert.lm_expert
        self.enter, self.leave = model.action_in_proj, model.action_out_proj
        self.mix, self.settle = model.action_time_mlp_in, model.action_time_mlp_out
        self.layers, self.norm = expert.layers, expert.norm
        self.crosses = _crosses(policy)
        self.head_dim = self.layers[0].self_attn.head_dim
        self.register_buffer("frequencies", _frequencies(self.enter.out_features, config.min_period, config.max_period))

    def forward(self, x: Tensor, time: Tensor, context_keys: Tensor, context_values: Tensor, prefix_mask: Tensor) -> Tensor:
        """x (1, T, A) at `time` (1,) to (1, T, A); keys and values are (n, 1, P, HK, Dh), `prefix_mask` is bool (1, P)."""
        h = self._embedded(x, time)
        ordinals = torch.arange(x.shape[1])[None]
        own = rotation(ordinals, self.head_dim)
        after_prefix = rotation(ordinals + prefix_mask.long().sum(dim=1, keepdim=True), self.head_dim)
        seen = torch.where(prefix_mask, 0.0, MASKED)
        up_to_own = torch.where(ordinals <= ordinals.transpose(0, 1), 0.0, MASKED)
        both = torch.cat([seen.expand(x.shape[1], -1), up_to_own], dim=1)
        for index, (layer, crosses) in enumerate(zip(self.layers, self.crosses, strict=True)):
            z, attention = layer.input_layernorm(h), layer.self_attn
            q = _heads(attention.q_proj(z), self.head_dim)
            k, v = context_keys[index], context_values[index]
            if crosses:
                mixed = attend(rotate(q, own), k, v, seen)
            else:
                new_k, new_v = _keys_values(attention, z, after_prefix)
                mixed = attend(rotate(q, after_prefix), torch.cat([k, new_k], dim=1), torch.cat([v, new_v], dim=1), both)
            h = h + attention.o_proj(mixed)
            h = h + layer.mlp(layer.post_attention_layernorm(h))
        return self.leave(self.norm(h))  # type: ignore[no-any-return]

    def _embedded(self, x: Tensor, time: Tensor) -> Tensor:
        actions = self.enter(x)
        turns = time.double()[:, None] * self.frequencies  # up to 250 turns: float32 would lose the fifth digit of the angle
        angles = ((turns - torch.floor(turns)) * (2 * math.pi)).float()
        moment = torch.cat([torch.sin(angles), torch.cos(angles)], dim=1)[:, None]
        return self.settle(functional.silu(self.mix(torch.cat([actions, moment.expand_as(actions)], dim=2))))  # type: ignore[no-any-return]


def _position_embedding(tower: Any, height: int, width: int) -> Tensor:
    """(1, patches, D): what the tower adds to the patches of a picture of this size; it depends on nothing else."""
    caught: list[Tensor] = []
    hook = tower.embeddings.position_embedding.register_forward_hook(lambda _module, _inputs, output: caught.append(output))
    patch = tower.embeddings.patch_size
    with torch.no_grad():
        mask = torch.ones(1, height // patch, width // patch, dtype=torch.bool)
        tower.embeddings(torch.zeros(1, 3, height, width), mask)
    hook.remove()
    return caught[0].detach()


def _picture_attention(attention: Any, x: Tensor) -> Tensor:
    q, k, v = (_heads(p(x), attention.head_dim) for p in (attention.q_proj, attention.k_proj, attention.v_proj))
    return attention.out_proj(attend(q, k, v))  # type: ignore[no-any-return]


def _prefix_mask(valid: Tensor) -> Tensor:
    """(P, P) to add to the logits: row i may look at column j where j is valid, and at the state (the last) only from the state."""
    count = valid.shape[1]
    is_state = torch.arange(count) == count - 1
    allowed = valid & (is_state[:, None] | ~is_state[None, :])
    return torch.where(allowed, 0.0, MASKED)


def _keys_values(attention: Any, x: Tensor, angles: Rotation) -> tuple[Tensor, Tensor]:
    keys = rotate(_heads(attention.k_proj(x), attention.head_dim), angles)
    return keys, _heads(attention.v_proj(x), attention.head_dim)


def _heads(x: Tensor, head_dim: int) -> Tensor:
    return x.reshape(*x.shape[:-1], -1, head_dim)


def _crosses(policy: Any) -> list[bool]:
    """Which of the expert's layers read the prefix through projections of their own (the others append themselves to it)."""
    every = policy.config.self_attn_every_n_layers
    return [every <= 0 or index % every != 0 for index in range(len(policy.model.vlm_with_expert.lm_expert.layers))]


def _frequencies(width: int, shortest: float, longest: float) -> Tensor:
    """(1, width / 2) turns per unit of time, float64: periods from `shortest` to `longest` in equal ratios."""
    fraction = torch.linspace(0.0, 1.0, width // 2, dtype=torch.float64)
    return (1.0 / (shortest * (longest / shortest) ** fraction))[None]
