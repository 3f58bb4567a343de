"""The reference is LeRobot itself behind the project's contract: the same numbers, in physical units, the same noise the same chunk."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.tiny_checkpoints import JOINTS, PICTURE, edit_json
from vla_demo.checkpoints import load_reference, resolve
from vla_demo.checkpoints.spec import sketched_spec
from vla_demo.core.errors import CheckpointError, InvalidInput, Stopped
from vla_demo.core.observation import Observation


def observation(seed: int = 0, cameras: tuple[str, ...] = ("top", "gripper", "left")) -> Observation:
    rng = np.random.default_rng(seed)
    images = {c: rng.integers(0, 256, (*PICTURE, 3), np.uint8) for c in cameras}
    return Observation(images, rng.normal(0, 30, 6).astype(np.float32), "Grab the tea bag.", 4.5)


def noise(seed: int = 0) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.random.default_rng(seed).standard_normal((8, 8)).astype(np.float32)


def test_act_answers_with_a_chunk_in_joint_units(act_checkpoint: Path) -> None:
    policy = load_reference(resolve(str(act_checkpoint)))
    chunk = policy.predict_chunk(observation())
    assert (chunk.actions.shape, chunk.actions.dtype, chunk.observed_at) == ((8, 6), np.float32, 4.5)
    assert (policy.spec.cameras, policy.spec.joint_names) == (("top", "gripper", "left"), JOINTS)
    assert [s.role for s in policy.spec.stages] == ["vision", "expert"]
    assert (policy.spec.denoise_steps, policy.spec.noise_shape) == (None, None)


def test_smolvla_answers_as_lerobot_does_and_the_noise_decides(smolvla_checkpoint: Path) -> None:
    import torch

    policy = load_reference(resolve(str(smolvla_checkpoint)))
    seen, start = observation(), noise()
    pictures = {f"observation.images.{c}": torch.from_numpy(i).permute(2, 0, 1) / 255 for c, i in seen.images.items()}
    batch = policy.loaded.preprocessor(pictures | {"observation.state": torch.from_numpy(seen.joints), "task": seen.instruction})
    with torch.no_grad():
        wanted = policy.loaded.postprocessor(policy.loaded.policy.predict_action_chunk(batch, noise=torch.from_numpy(start)[None]))
    assert np.array_equal(policy.predict_chunk(seen, noise=start).actions, wanted[0].numpy())
    assert not np.array_equal(policy.predict_chunk(seen, noise=noise(1)).actions, wanted[0].numpy())
    assert [s.role for s in policy.spec.stages] == ["vision", "llm", "expert"]
    assert (policy.spec.denoise_steps, policy.spec.noise_shape) == (4, (8, 8))


@pytest.mark.parametrize("family", ["act", "smolvla"])
def test_a_sketch_without_lerobot_is_the_same_spec(family: str, request: pytest.FixtureRequest) -> None:
    checkpoint = resolve(str(request.getfixturevalue(f"{family}_checkpoint")))
    assert sketched_spec(checkpoint) == load_reference(checkpoint).spec


def test_a_config_too_bare_for_a_sketch_says_so(act_checkpoint: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    shutil.copytree(act_checkpoint, bare)
    checkpoint = resolve(str(bare))
    edit_json(bare / "config.json", {"input_features": None})
    with pytest.raises(CheckpointError, match="does not say"):
        sketched_spec(checkpoint)


def test_what_does_not_fit_is_refused(smolvla_checkpoint: Path) -> None:
    policy = load_reference(resolve(str(smolvla_checkpoint)))
    for wrong in (None, noise()[:, :6]):
        with pytest.raises(InvalidInput, match=r"noise of shape \(8, 8\)"):
            policy.predict_chunk(observation(), noise=wrong)
    with pytest.raises(InvalidInput, match="no picture of left"):
        policy.predict_chunk(observation(cameras=("top", "gripper")), noise=noise())


def test_cameras_carry_the_names_the_outside_world_uses(act_checkpoint: Path, tmp_path: Path) -> None:
    import json
    import shutil

    folder = shutil.copytree(act_checkpoint, tmp_path / "renamed")
    document = json.loads((folder / "policy_preprocessor.json").read_text())
    document["steps"][0]["config"]["rename_map"] = {"observation.images.roof": "observation.images.top"}
    edit_json(folder / "policy_preprocessor.json", document)
    policy = load_reference(resolve(str(folder)))
    assert policy.spec.cameras == ("roof", "gripper", "left")
    seen = observation()
    renamed = Observation({"roof": seen.images["top"]} | dict(seen.images), seen.joints, seen.instruction, 0.0)
    assert np.array_equal(policy.predict_chunk(renamed).actions, load_reference(resolve(str(act_checkpoint))).predict_chunk(seen).actions)


@pytest.mark.parametrize(("remove", "says"), [("model.action_head.weight", "lacks 1 of the policy's tensors"), (None, "not finite")])
def test_incomplete_or_broken_weights_are_refused(act_checkpoint: Path, tmp_path: Path, remove: str | None, says: str) -> None:
    import shutil

    from safetensors.numpy import load_file, save_file

    folder = shutil.copytree(act_checkpoint, tmp_path / "broken")
    weights = load_file(folder / "model.safetensors")
    if remove:
        del weights[remove]
    else:
        weights["model.action_head.bias"][0] = np.nan
    save_file(weights, folder / "model.safetensors")
    with pytest.raises(CheckpointError, match=says):
        load_reference(resolve(str(folder)))


def test_a_request_to_stop_while_loading_is_no_fault_of_the_checkpoint(act_checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import lerobot.policies.factory

    def stopped(_: str) -> None:
        raise Stopped("asked to stop")

    monkeypatch.setattr(lerobot.policies.factory, "get_policy_class", stopped)
    with pytest.raises(Stopped):
        load_reference(resolve(str(act_checkpoint)))
