"""Loads a LeRobot checkpoint folder with LeRobot's own classes: FP32, CPU, no weights from anywhere but the folder.

It trusts the folder (see `vetting` for strangers' ones) and knows nothing of observations.
"""

import contextlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vla_demo.checkpoints.backbone import find_backbone
from vla_demo.checkpoints.layout import POSTPROCESSOR_FILE, PREPROCESSOR_FILE, WEIGHTS_FILE, read_json
from vla_demo.core.errors import CheckpointError, MissingPiece, VlaDemoError
from vla_demo.core.extras import install

if TYPE_CHECKING:
    from lerobot.configs import PreTrainedConfig
    from lerobot.policies.pretrained import PreTrainedPolicy
    from lerobot.processor import PolicyProcessorPipeline

__all__ = ["LoadedCheckpoint", "load_checkpoint"]


@dataclass(frozen=True, slots=True)
class LoadedCheckpoint:
    """LeRobot's own objects, ready to predict: `postprocessor(policy.predict_action_chunk(preprocessor(batch)))`."""

    folder: Path
    config: "PreTrainedConfig"
    policy: "PreTrainedPolicy"  # eval mode, float32, CPU
    preprocessor: "PolicyProcessorPipeline[Any, Any]"
    postprocessor: "PolicyProcessorPipeline[Any, Any]"


def load_checkpoint(folder: Path) -> LoadedCheckpoint:
    """Config, policy and processors of a LeRobot checkpoint folder (`act` or `smolvla`).

    Raises `CheckpointError` for a folder that LeRobot cannot build a complete policy from, `MissingPiece` without LeRobot.
    """
    try:
        import lerobot.policies.factory  # noqa: F401
    except ImportError as problem:
        raise MissingPiece(f"opening a checkpoint needs PyTorch and LeRobot ({problem}): {install('export')}") from problem
    config = load_config(folder)
    with _lerobot_speaks_on_stderr(), _as_checkpoint_error(folder):
        policy = _policy(config, folder / WEIGHTS_FILE)
        pre, post = _processors(config, folder)
    return LoadedCheckpoint(folder, config, policy, pre, post)


def load_config(folder: Path) -> "PreTrainedConfig":
    """The policy's config, set to run here: CPU, nothing compiled, nothing downloaded, the backbone's folder resolved."""
    from lerobot.configs import PreTrainedConfig
    from lerobot.policies.act.configuration_act import ACTConfig
    from lerobot.policies.smolvla.configuration_smolvla import SmolVLAConfig

    with _as_checkpoint_error(folder):
        config = PreTrainedConfig.from_pretrained(folder, cli_overrides=["--device=cpu"])
    if isinstance(config, ACTConfig):
        config.pretrained_backbone_weights = None  # the checkpoint has its own; this would download ImageNet's
    elif isinstance(config, SmolVLAConfig):
        config.load_vlm_weights = False  # likewise
        config.compile_model = False
        config.vlm_model_name = str(find_backbone(folder, config.vlm_model_name))
    return config


def _policy(config: "PreTrainedConfig", weights: Path) -> "PreTrainedPolicy":
    from lerobot.policies.factory import get_policy_class
    from safetensors.torch import load_model

    # float() before the weights arrive: a backbone config may ask for bfloat16, which would round them
    policy: PreTrainedPolicy = get_policy_class(config.type)(config).float()
    missing, _ = load_model(policy, weights, strict=False)
    if missing:
        raise CheckpointError(
            f"{weights} lacks {len(missing)} of the policy's tensors, such as {sorted(missing)[0]}; "
            "LeRobot would fill them with random numbers"
        )
    bad = next((name for name, tensor in policy.state_dict().items() if not tensor.isfinite().all()), None)
    if bad is not None:
        raise CheckpointError(f"{weights} holds numbers that are not finite, first in {bad}")
    return policy.eval()


def _processors(config: "PreTrainedConfig", folder: Path) -> tuple[Any, Any]:
    from lerobot.policies.factory import make_pre_post_processors

    cpu = {"device_processor": {"device": "cpu"}}
    pipelines: tuple[Any, Any] = make_pre_post_processors(
        config,
        pretrained_path=str(folder),
        preprocessor_overrides=_applicable(folder, PREPROCESSOR_FILE, cpu | _tokenizer_override(folder)),
        postprocessor_overrides=_applicable(folder, POSTPROCESSOR_FILE, cpu),
    )
    return pipelines


def _tokenizer_override(folder: Path) -> dict[str, dict[str, Any]]:
    for step in read_json(folder / PREPROCESSOR_FILE)["steps"]:
        if step.get("registry_name") == "tokenizer_processor":
            name = step["config"]["tokenizer_name"]
            return {"tokenizer_processor": {"tokenizer_name": str(find_backbone(folder, name))}}
    return {}


def _applicable(folder: Path, file: str, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """LeRobot refuses an override for a step that the pipeline does not have."""
    steps = {step.get("registry_name") for step in read_json(folder / file)["steps"]}
    return {name: value for name, value in overrides.items() if name in steps}


@contextlib.contextmanager
def _lerobot_speaks_on_stderr() -> Any:
    """LeRobot prints while it builds a SmolVLA; our stdout belongs to results."""
    with contextlib.redirect_stdout(sys.stderr):
        yield


@contextlib.contextmanager
def _as_checkpoint_error(folder: Path) -> Any:
    """What LeRobot, draccus and safetensors raise on a bad folder has no common base; the message keeps theirs."""
    try:
        yield
    except VlaDemoError:  # ours, or a request to stop
        raise
    except Exception as problem:
        raise CheckpointError(f"LeRobot cannot load {folder}: {type(problem).__name__}: {problem}") from problem
