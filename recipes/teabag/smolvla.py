"""A small SmolVLA on the twin: LeRobot's own policy on a local 13 M backbone, chunks of 50, everything trained, and its flow loss.

Departures from LeRobot's preset: no pretrained language model (its weights are out of reach), a one-cycle rate of 6e-4, several draws of
noise and time for each encoded prefix (it costs more than the expert), and action and state widths of 6, so that no padding is denoised.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from lerobot.configs import FeatureType, PolicyFeature
from lerobot.policies.common.vla_utils import make_att_2d_masks
from lerobot.policies.smolvla.configuration_smolvla import SmolVLAConfig
from lerobot.policies.smolvla.modeling_smolvla import SmolVLAPolicy
from numpy.typing import NDArray
from pictures import CAMERAS, as_input
from torch import nn
from vision import SiglipVision

from vla_demo.checkpoints.smolvlm_folder import write_vlm_folder

__all__ = ["CHUNK", "adopt_vision", "build", "encode", "flow_loss", "loss_on_features", "loss_on_pictures", "use_features", "vision_of"]

NAME = "smolvla"
CHUNK, EXECUTE = 50, 25  # 23 of 30 fresh starts; 19 with 15, 18 with 10
FEATURES = (len(CAMERAS), 16, 256)
RATES = {"vision": 8e-4, "policy": 6e-4, "finetune": 1e-4}
BATCHES = {"vision": 48, "policy": 16, "finetune": 16}
SHARES = {"vision": 0.3, "policy": 0.7, "finetune": 0.0}  # of the processor minutes
DRAWS = 2  # of noise and time for each observation
PICTURE_KEYS = tuple(f"observation.images.{c}" for c in CAMERAS)
_INPUT = 128  # pixels, square; LeRobot pads the 96x128 pictures at the top
_LAYERS = 6  # of the backbone's 8


def build(folder: Path, seen: tuple[int, int], execute: int = EXECUTE) -> SmolVLAPolicy:
    """A fresh policy for cameras that deliver pictures of `seen` (height, width); its backbone's config is written to `folder`."""
    if not (folder / "config.json").is_file():
        write_vlm_folder(folder, "tiny")
    visual = PolicyFeature(type=FeatureType.VISUAL, shape=(3, *seen))
    config = SmolVLAConfig(
        input_features=dict.fromkeys(PICTURE_KEYS, visual) | {"observation.state": PolicyFeature(type=FeatureType.STATE, shape=(6,))},
        output_features={"action": PolicyFeature(type=FeatureType.ACTION, shape=(6,))},
        device="cpu",
        vlm_model_name=str(folder),
        load_vlm_weights=False,
        train_expert_only=False,
        freeze_vision_encoder=False,
        num_vlm_layers=_LAYERS,
        resize_imgs_with_padding=(_INPUT, _INPUT),
        chunk_size=CHUNK,
        n_action_steps=execute,
        max_state_dim=6,
        max_action_dim=6,
    )
    return SmolVLAPolicy(config)


def vision_of(policy: SmolVLAPolicy) -> SiglipVision:
    return SiglipVision(policy)


def adopt_vision(policy: SmolVLAPolicy, encoder_state: dict[str, torch.Tensor]) -> None:
    SiglipVision(policy).load_state_dict(encoder_state)


@torch.no_grad()
def encode(policy: SmolVLAPolicy, pictures: NDArray[np.uint8]) -> NDArray[np.float16]:
    """Image tokens (n, 16, 256) of pictures (n, 96, 128, 3), as they leave the connector."""
    return np.asarray(SiglipVision(policy)(as_input(pictures)).to(torch.float16).numpy())


def use_features(policy: SmolVLAPolicy) -> nn.Module:
    """What trains when the image tokens are given: everything but vision and connector."""
    inner = policy.model.vlm_with_expert
    for part in (inner.get_vlm_model().vision_model, inner.get_vlm_model().connector):
        part.requires_grad_(False)
    inner.embed_image = _given
    return policy


def use_pictures(policy: SmolVLAPolicy) -> nn.Module:
    return policy


def loss_on_features(policy: SmolVLAPolicy, features: NDArray[np.float16], batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Flow-matching loss. `features` is (B, 3, 16, 256)."""
    tokens = torch.from_numpy(features).float()
    return _drawn_loss(policy, [tokens[:, c] for c in range(len(CAMERAS))], batch)


def loss_on_pictures(policy: SmolVLAPolicy, pictures: NDArray[np.uint8], batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """`pictures` is (B, 3, 96, 128, 3)."""
    images, _ = policy.prepare_images({key: as_input(pictures[:, c]) for c, key in enumerate(PICTURE_KEYS)})
    return _drawn_loss(policy, images, batch)


def flow_loss(
    policy: SmolVLAPolicy, images: list[torch.Tensor], batch: dict[str, Any], noise: torch.Tensor, moment: torch.Tensor
) -> torch.Tensor:
    """SmolVLA's loss by LeRobot's inference path: the prefix once, then n noisy chunks against its cached keys and values.

    `noise` is (n * B, 50, 6) and `moment` (n * B,) in (0, 1]; rows n * b to n * b + n - 1 belong to observation b.
    """
    model, draws = policy.model, len(moment) // len(images[0])
    seen = [torch.ones(len(images[0]), dtype=torch.bool)] * len(images)
    words, mask = batch["observation.language.tokens"], batch["observation.language.attention_mask"]
    prefix, padding, attends = model.embed_prefix(images, seen, words, mask, state=batch["observation.state"])
    _, memory = model.vlm_with_expert.forward(
        attention_mask=make_att_2d_masks(padding, attends),
        position_ids=torch.cumsum(padding, dim=1) - 1,
        past_key_values=None,
        inputs_embeds=[prefix, None],
        use_cache=True,
    )
    memory.batch_repeat_interleave(draws)
    actions = batch["action"].repeat_interleave(draws, 0)
    mixed = moment[:, None, None] * noise + (1 - moment[:, None, None]) * actions
    flow = model.denoise_step(padding.repeat_interleave(draws, 0), memory, mixed, moment)
    inside = (~batch["action_is_pad"]).repeat_interleave(draws, 0).unsqueeze(-1)
    return ((flow - (noise - actions)).square() * inside).sum() / (inside.sum() * actions.shape[-1])


def _drawn_loss(policy: SmolVLAPolicy, images: list[torch.Tensor], batch: dict[str, Any]) -> torch.Tensor:
    count = DRAWS * len(batch["action"])
    noise, moment = torch.randn(count, *batch["action"].shape[1:]), policy.model.sample_time(count, "cpu")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return flow_loss(policy, images, batch, noise, moment)


def _given(tokens: torch.Tensor) -> torch.Tensor:
    return tokens
