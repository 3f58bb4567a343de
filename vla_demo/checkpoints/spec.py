"""A checkpoint's `PolicySpec`: what it is and in which stages it runs, whoever runs it. Needs LeRobot's config, not its weights."""

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from vla_demo.checkpoints.folder import CheckpointFolder
from vla_demo.checkpoints.layout import CONFIG_FILE, JOINTS_FILE, PREPROCESSOR_FILE, read_json
from vla_demo.core.errors import CheckpointError
from vla_demo.core.policy import GraphSpec, PolicySpec, StageSpec

if TYPE_CHECKING:
    from lerobot.configs import PreTrainedConfig

__all__ = ["camera_keys", "outside_key", "policy_spec", "sketched_spec"]

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
        n_action_steps=config.n_action_steps,  # type: ignore[attr-defined]
        denoise_steps=config.num_steps if denoises else None,  # type: ignore[attr-defined]
        noise_shape=(config.chunk_size, config.max_action_dim) if denoises else None,  # type: ignore[attr-defined]
        stages=_STAGES[checkpoint.family],
    )


def sketched_spec(checkpoint: CheckpointFolder) -> PolicySpec:
    """The same from the bare `config.json`, without the seconds it takes to import LeRobot: enough to draw the policy while it is prepared.

    Raises `CheckpointError` for a config that leaves out what LeRobot would fill in.
    """
    raw = read_json(checkpoint.path / CONFIG_FILE)
    try:
        plain = SimpleNamespace(
            image_features=[key for key, feature in raw["input_features"].items() if feature["type"] == "VISUAL"],
            action_feature=SimpleNamespace(shape=raw["output_features"]["action"]["shape"]),
            chunk_size=raw["chunk_size"],
            n_action_steps=raw["n_action_steps"],
            num_steps=raw.get("num_steps"),
            max_action_dim=raw.get("max_action_dim"),
        )
    except (KeyError, TypeError, AttributeError) as problem:
        raise CheckpointError(f"{checkpoint.path / CONFIG_FILE} does not say {problem}") from problem
    return policy_spec(checkpoint, cast(Any, plain))


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
