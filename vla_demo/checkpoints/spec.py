"""A checkpoint's `PolicySpec`: what it is and in which stages it runs, whoever runs it. Needs LeRobot's config, not its weights."""

from typing import TYPE_CHECKING

from vla_demo.checkpoints.folder import CheckpointFolder
from vla_demo.checkpoints.layout import JOINTS_FILE, PREPROCESSOR_FILE, read_json
from vla_demo.core.errors import CheckpointError
from vla_demo.core.policy import GraphSpec, PolicySpec, StageSpec

if TYPE_CHECKING:
    from lerobot.configs import PreTrainedConfig

__all__ = ["camera_keys", "outside_key", "policy_spec"]

_STAGES = {
    "smolvla": (
        StageSpec("vision", (GraphSpec("vision", ("pixels",), ("image_tokens",), False),)),
        StageSpec(
            "llm",
            (GraphSpec("prefix", ("image_tokens", "token_ids", "token_mask", "state"), ("keys", "values", "prefix_mask"), False),),
        ),
        StageSpec(
            "expert",
            (
                GraphSpec("context", ("keys", "values"), ("context_keys", "context_values"), False),
                GraphSpec("step", ("x", "time", "context_keys", "context_values", "prefix_mask"), ("velocity",), True),
            ),
        ),
    ),
    "act": (
        StageSpec("vision", (GraphSpec("vision", ("pixels",), ("features",), False),)),
        StageSpec("expert", (GraphSpec("transformer", ("features", "state"), ("actions",), False),)),
    ),
}


def policy_spec(checkpoint: CheckpointFolder, config: "PreTrainedConfig") -> PolicySpec:
    """Cameras are the names the outside world uses, before the preprocessor renames them, in the order the policy stacks them."""
    denoises = checkpoint.family == "smolvla"
    return PolicySpec(
        family=checkpoint.family,
        checkpoint=checkpoint.name,
        revision=checkpoint.revision,
        cameras=tuple(camera_keys(checkpoint, config)),
        joint_names=_joint_names(checkpoint, config),
        chunk_size=config.chunk_size,  # type: ignore[attr-defined]
        denoise_steps=config.num_steps if denoises else None,  # type: ignore[attr-defined]
        noise_shape=(config.chunk_size, config.max_action_dim) if denoises else None,  # type: ignore[attr-defined]
        stages=_STAGES[checkpoint.family],
    )


def camera_keys(checkpoint: CheckpointFolder, config: "PreTrainedConfig") -> dict[str, str]:
    """Camera name -> the key its picture has in LeRobot's batch before the preprocessor, in the policy's order.

    An empty camera (SmolVLA's `empty_cameras`) is left out: it is a picture that no token may look at.
    """
    keys = [outside_key(checkpoint, key) for key in config.image_features if ".empty_camera_" not in key]
    names = [key.removeprefix("observation.images.").removeprefix("observation.") for key in keys]
    if len(set(names)) < len(names):
        raise CheckpointError(f"two cameras of {checkpoint.name} have the same name: {', '.join(names)}")
    return dict(zip(names, keys, strict=True))


def outside_key(checkpoint: CheckpointFolder, key: str) -> str:
    """The key that the preprocessor renames to `key`, or `key` itself."""
    for step in reversed(read_json(checkpoint.path / PREPROCESSOR_FILE)["steps"]):
        if step.get("registry_name") == "rename_observations_processor":
            renamed = step.get("config", {}).get("rename_map") or {}
            key = next((old for old, new in renamed.items() if new == key), key)
    return key


def _joint_names(checkpoint: CheckpointFolder, config: "PreTrainedConfig") -> tuple[str, ...]:
    assert config.action_feature is not None  # vetted
    joints = config.action_feature.shape[0]
    if not (checkpoint.path / JOINTS_FILE).is_file():
        return tuple(f"joint_{i + 1}" for i in range(joints))  # LeRobot's config does not keep their names
    names = read_json(checkpoint.path / JOINTS_FILE).get("names")
    if not isinstance(names, list) or len(names) != joints or not all(isinstance(n, str) for n in names):
        raise CheckpointError(f"{checkpoint.path / JOINTS_FILE} does not name the {joints} joints of the policy")
    return tuple(names)
