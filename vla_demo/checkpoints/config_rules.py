"""What a policy's `config.json` and a backbone's may say, judged as plain JSON before any of LeRobot's code sees it.

A checkpoint may come from anybody: sizes that would eat the machine, options that pull in other code, and options the exporter does not
reproduce are named here, each with what would be valid.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vla_demo.core.variant import MAX_DENOISE_STEPS

__all__ = ["backbone_problems", "config_problems"]

FAMILIES = ("act", "smolvla")
_MAX_PIXELS = 4_000_000  # one camera
_MAX_CAMERAS = 8
_MAX_JOINTS = 64

_RANGES: dict[str, dict[str, tuple[float, float]]] = {
    "act": {
        "n_obs_steps": (1, 1),
        "chunk_size": (1, 1000),
        "n_action_steps": (1, 1000),
        "dim_model": (8, 4096),
        "n_heads": (1, 128),
        "dim_feedforward": (8, 32768),
        "n_encoder_layers": (1, 48),
        "n_decoder_layers": (1, 48),
        "n_vae_encoder_layers": (1, 48),
        "latent_dim": (1, 4096),
    },
    "smolvla": {
        "n_obs_steps": (1, 1),
        "chunk_size": (1, 1000),
        "n_action_steps": (1, 1000),
        "num_steps": (1, MAX_DENOISE_STEPS),
        "max_state_dim": (1, 1024),
        "max_action_dim": (1, 1024),
        "tokenizer_max_length": (1, 1024),
        "num_vlm_layers": (-1, 64),
        "num_expert_layers": (-1, 64),
        "self_attn_every_n_layers": (-1, 64),
        "expert_width_multiplier": (0.01, 4),
        "empty_cameras": (0, _MAX_CAMERAS),
        "min_period": (1e-9, 1e9),
        "max_period": (1e-9, 1e9),
    },
}
_CHOICES: dict[str, dict[str, tuple[Any, ...]]] = {
    "act": {
        "use_peft": (False,),
        "vision_backbone": ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152"),
        "feedforward_activation": ("relu", "gelu"),
    },
    "smolvla": {
        "use_peft": (False,),
        "attention_mode": ("cross_attn",),
        "use_cache": (True,),
        "add_image_special_tokens": (False,),
        "adapt_to_pi_aloha": (False,),
        "prefix_length": (-1, 0),
        "pad_language_to": ("longest", "max_length"),
        "rtc_config": (None,),
    },
}
_BACKBONE_RANGES: dict[str, dict[str, tuple[float, float]]] = {
    "vision_config": {
        "hidden_size": (8, 4096),
        "intermediate_size": (8, 32768),
        "num_hidden_layers": (1, 64),
        "num_attention_heads": (1, 64),
        "image_size": (8, 2048),
        "patch_size": (2, 128),
    },
    "text_config": {
        "hidden_size": (8, 8192),
        "intermediate_size": (8, 32768),
        "num_hidden_layers": (1, 64),
        "num_attention_heads": (1, 64),
        "num_key_value_heads": (1, 64),
        "head_dim": (2, 512),
        "vocab_size": (8, 300_000),
    },
}


def config_problems(config: Mapping[str, Any]) -> Iterator[str]:
    """Everything about a policy's config that is not supported here, in words; nothing when it is fine."""
    family = config.get("type")
    if family not in FAMILIES:
        yield f"the policy is {family!r}; supported are {', '.join(FAMILIES)}"
        return
    yield from _outside(config, _RANGES[family])
    for key, valid in _CHOICES[family].items():
        if config.get(key, valid[0]) not in valid:
            yield f"{key} is {config[key]!r}; supported: {', '.join(map(repr, valid))}"
    if family == "smolvla":
        yield from _square_problems(config.get("resize_imgs_with_padding", (512, 512)))
    yield from _feature_problems(config)


def backbone_problems(config: Mapping[str, Any]) -> Iterator[str]:
    """The same for the config of a SmolVLA's backbone."""
    if config.get("model_type") != "smolvlm":
        yield f"the backbone is a {config.get('model_type')!r}; supported: 'smolvlm'"
    if "auto_map" in config:
        yield "the backbone asks to run code of its own (auto_map)"
    yield from _outside({"scale_factor": 4} | dict(config), {"scale_factor": (1, 16)})
    for part, ranges in _BACKBONE_RANGES.items():
        sizes = config.get(part, {})
        if not isinstance(sizes, Mapping):
            yield f"{part} is not an object"
            continue
        for problem in _outside(sizes, ranges):
            yield f"{part}: {problem}"


def _outside(config: Mapping[str, Any], ranges: Mapping[str, tuple[float, float]]) -> Iterator[str]:
    for key, (low, high) in ranges.items():
        value = config.get(key, low)  # absent: LeRobot's default, which is in range
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or not low <= value <= high:
            yield f"{key} is {value!r:.40}; valid: {low} to {high}"


def _square_problems(size: Any) -> Iterator[str]:
    if (
        not isinstance(size, Sequence)
        or len(size) != 2
        or any(type(n) is not int or not 8 <= n <= 2048 for n in size)
        or size[0] != size[1]
    ):
        yield f"resize_imgs_with_padding is {size!r:.40}; supported: two equal numbers of pixels, 8 to 2048"


def _feature_problems(config: Mapping[str, Any]) -> Iterator[str]:
    inputs, outputs = (_features(config.get(key)) for key in ("input_features", "output_features"))
    if inputs is None or outputs is None:
        yield "its input_features or output_features do not list names with a type and a shape"
        return
    for name, (kind, shape) in inputs.items():
        if kind == "VISUAL":
            yield from _picture_problems(name, shape)
        elif (name, kind) != ("observation.state", "STATE"):
            yield f"it observes {name} ({kind}); supported are cameras and observation.state"
    cameras = sum(kind == "VISUAL" for kind, _ in inputs.values())
    if not 1 <= cameras <= _MAX_CAMERAS:
        yield f"it has {cameras} cameras; valid: 1 to {_MAX_CAMERAS}"
    yield from _joint_problems(inputs.get("observation.state"), outputs.get("action"), config)


def _features(value: Any) -> dict[str, tuple[str, tuple[int, ...]]] | None:
    try:
        found = {name: (f["type"], tuple(f["shape"])) for name, f in value.items()}
    except (AttributeError, TypeError, KeyError):
        return None
    whole = all(type(n) is int and n > 0 for _, shape in found.values() for n in shape)
    return found if whole and all(re.fullmatch(r"[\w.\-]{1,100}", name) for name in found) else None


def _picture_problems(name: str, shape: tuple[int, ...]) -> Iterator[str]:
    if len(shape) != 3 or shape[0] != 3 or shape[1] * shape[2] > _MAX_PIXELS:
        yield f"the camera {name} has shape {shape}; valid: (3, height, width) of at most {_MAX_PIXELS} pixels"


def _joint_problems(state: Any, action: Any, config: Mapping[str, Any]) -> Iterator[str]:
    if state is None or action is None or action[0] != "ACTION":
        yield "it needs observation.state and an action; one of them is missing"
        return
    (joints, *more), commanded = state[1], action[1]
    if more or commanded != (joints,) or joints > _MAX_JOINTS:
        yield f"it observes joints of shape {state[1]} and commands {commanded}; supported: the same joints, at most {_MAX_JOINTS}"
    for key in ("max_state_dim", "max_action_dim"):
        if config["type"] == "smolvla" and type(config.get(key)) is int and config[key] < joints:
            yield f"{key} is {config[key]} for {joints} joints"
