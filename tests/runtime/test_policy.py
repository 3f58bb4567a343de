"""An exported package is a policy: the contract, the denoising loop, stage times, sharing."""

import copy
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.fakes import CAMERAS, noise, observation
from vla_demo.core.errors import InvalidInput, PackageError, Stopped, UnknownVariant
from vla_demo.core.observation import ActionChunk, Observation
from vla_demo.core.package import PolicyPackage
from vla_demo.core.policy import Policy
from vla_demo.core.variant import Variant
from vla_demo.runtime import ExportedPolicy, Running, open_policy
from vla_demo.runtime.policy import Tensors


def chunk(policy: ExportedPolicy, seen: Observation | None = None, seed: int = 0) -> ActionChunk:
    return policy.predict_chunk(seen or observation(), noise=noise(policy.spec, seed))


@pytest.fixture(params=["act", "smolvla"])
def policy(request: pytest.FixtureRequest) -> ExportedPolicy:
    package: PolicyPackage = request.getfixturevalue(request.param)
    return open_policy(package.folder, running=Running(1))


def test_it_answers_a_chunk_of_finite_actions_with_the_time_of_each_stage(policy: ExportedPolicy) -> None:
    body: Policy = policy
    answer = chunk(policy, observation(5))
    assert answer.actions.shape == (body.spec.chunk_size, len(body.spec.joint_names))
    assert answer.actions.dtype == np.float32
    assert np.isfinite(answer.actions).all()
    assert answer.observed_at == observation(5).captured_at
    assert list(answer.stage_ms) == [stage.role for stage in body.spec.stages]
    assert all(ms > 0 for ms in answer.stage_ms.values())


def test_the_same_question_has_the_same_answer_whatever_was_asked_between(policy: ExportedPolicy) -> None:
    first = chunk(policy)
    chunk(policy, observation(9), seed=9)
    policy.reset()
    assert (chunk(policy).actions == first.actions).all()


def brighter(camera: str) -> Callable[[Observation], Observation]:
    return lambda seen: replace(seen, images={**seen.images, camera: 255 - seen.images[camera]})


@pytest.mark.parametrize("change", [*map(brighter, CAMERAS), lambda seen: replace(seen, joints=seen.joints + 1)])
def test_every_camera_and_the_joints_matter(policy: ExportedPolicy, change: Callable[[Observation], Observation]) -> None:
    assert (chunk(policy, change(observation())).actions != chunk(policy).actions).any()


def test_the_instruction_and_the_noise_matter_where_there_are_any(smolvla: PolicyPackage) -> None:
    policy = open_policy(smolvla.folder)
    assert (chunk(policy, observation(instruction="Grab the mug.")).actions != chunk(policy).actions).any()
    assert (chunk(policy, seed=1).actions != chunk(policy).actions).any()


def test_euler_runs_from_time_one_towards_zero_in_the_variants_number_of_steps(smolvla: PolicyPackage) -> None:
    """The loop of LeRobot, written out over the pieces."""
    policy = open_policy(smolvla.folder, "steps=3")
    context = policy.condition(policy.prefix(observation()))
    x = noise(policy.spec)
    assert x is not None
    for moment in (1.0, 1.0 - 1 / 3, 1.0 - 2 / 3):
        x = x - policy.velocity(x, moment, context) / 3
    np.testing.assert_allclose(chunk(policy).actions, policy.actions(x), rtol=1e-5)


def test_without_denoising_the_last_stage_answers_the_actions(act: PolicyPackage) -> None:
    policy = open_policy(act.folder)
    prefix = policy.prefix(observation())
    assert "features" in prefix and "actions" not in prefix
    assert (policy.actions(policy.condition(prefix)["actions"][0]) == chunk(policy).actions).all()


def test_a_tap_is_told_the_inputs_of_every_graph_before_it_runs(smolvla: PolicyPackage) -> None:
    policy = open_policy(smolvla.folder, "steps=3")
    told: list[tuple[str, str]] = []
    moments: list[float] = []

    def tap(role: str, graph: str, inputs: Tensors) -> None:
        wanted = next(g.inputs for s in policy.spec.stages for g in s.graphs if (s.role, g.name) == (role, graph))
        assert set(inputs) == set(wanted)
        told.append((role, graph))
        if graph == "step":
            moments.append(float(inputs["time"][0]))

    policy.predict_chunk(observation(), noise=noise(policy.spec), tap=tap)
    assert told == [("vision", "vision"), ("llm", "prefix"), ("expert", "context"), *[("expert", "step")] * 3]
    assert moments == pytest.approx([1, 2 / 3, 1 / 3])


def test_each_denoising_step_can_be_watched_and_stopped(smolvla: PolicyPackage) -> None:
    policy = open_policy(smolvla.folder, "steps=5")
    seen: list[int] = []

    def watch(step: int, x: NDArray[np.float32]) -> None:
        assert x.shape == policy.spec.noise_shape
        seen.append(step)
        if step == 3:
            raise Stopped("enough")

    with pytest.raises(Stopped):
        policy.predict_chunk(observation(), noise=noise(policy.spec), watch=watch)
    assert seen == [1, 2, 3]


def test_more_steps_come_closer_to_the_limit(smolvla: PolicyPackage) -> None:
    limit, few, many = (chunk(open_policy(smolvla.folder, f"steps={n}")).actions for n in (100, 2, 30))
    assert np.abs(many - limit).max() < np.abs(few - limit).max()


def test_without_a_variant_it_is_the_reference(smolvla: PolicyPackage) -> None:
    assert open_policy(smolvla.folder).variant == Variant.reference(smolvla.spec)
    assert [graph.precision for graph in open_policy(smolvla.folder).graphs] == ["fp32"] * 4


def test_a_variant_may_be_text_or_a_variant(smolvla: PolicyPackage) -> None:
    assert open_policy(smolvla.folder, "steps=7").variant == open_policy(smolvla.folder, Variant.reference(smolvla.spec, 7)).variant
    with pytest.raises(UnknownVariant, match="vision, llm, expert"):
        open_policy(smolvla.folder, "brain=int8")


def test_a_variant_of_another_family_is_refused_and_one_without_steps_gets_the_checkpoints_own(
    act: PolicyPackage, smolvla: PolicyPackage
) -> None:
    with pytest.raises(UnknownVariant, match="act has no stage llm"):
        open_policy(act.folder, Variant.reference(smolvla.spec))
    without = replace(Variant.reference(smolvla.spec), denoise_steps=None)
    assert open_policy(smolvla.folder, without).variant.denoise_steps == smolvla.spec.denoise_steps


def test_a_precision_that_was_not_made_is_an_error_never_fp32(act: PolicyPackage, tmp_path: Path) -> None:
    with pytest.raises(PackageError, match="has not been made yet"):
        open_policy(act.folder, "vision=int8", cache=tmp_path)


def test_two_policies_of_one_package_share_their_sessions(smolvla: PolicyPackage) -> None:
    first, second = open_policy(smolvla.folder), open_policy(smolvla.folder, "steps=2")
    first.load()
    second.load()
    assert [first._sessions[f] is second._sessions[f] for f in first._files.values()] == [True] * 4


def test_nothing_is_loaded_before_it_is_needed(act: PolicyPackage) -> None:
    policy = open_policy(act.folder)
    assert not policy._sessions
    policy.load()
    assert len(policy._sessions) == 2


def test_pictures_of_a_size_the_graph_does_not_read_are_refused_with_the_size_it_does(act: PolicyPackage) -> None:
    as_they_come = replace(act, preprocessing=replace(act.preprocessing, images=dict.fromkeys(CAMERAS, ())))
    policy = copy.copy(open_policy(act.folder))
    policy._preprocessor = type(policy._preprocessor)(as_they_come)
    with pytest.raises(InvalidInput, match="pixels of shape 3x3x24x32, it was given 3x3x48x64"):
        chunk(policy)


def test_threads_may_share_a_policy(smolvla: PolicyPackage) -> None:
    policy = open_policy(smolvla.folder, running=Running(1))
    expected = [chunk(policy, seed=seed).actions for seed in range(4)]
    answers: dict[int, NDArray[np.float32]] = {}
    workers = [threading.Thread(target=lambda s=seed: answers.update({s: chunk(policy, seed=s).actions})) for seed in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert all((answers[seed] == expected[seed]).all() for seed in range(4))


def test_its_stages_can_be_run_one_by_one(policy: ExportedPolicy) -> None:
    tensors = policy.inputs(observation())
    for stage in policy.spec.stages[:-1]:
        tensors = policy.stage(stage.role, tensors)
    whole = policy.prefix(observation())
    assert tensors.keys() == whole.keys()
    assert all(np.array_equal(tensors[name], whole[name]) for name in whole)


def test_a_graph_on_trial_runs_in_the_place_of_its_own(smolvla: PolicyPackage, tmp_path: Path) -> None:
    policy = open_policy(smolvla.folder)
    graphs = {(g.role, g.name): smolvla.folder / g.file for g in smolvla.graphs}
    same = policy.trying({key: path for key, path in graphs.items() if key[0] == "expert"})
    assert (chunk(same).actions == chunk(policy).actions).all()
    wrong = policy.trying({("expert", "step"): tmp_path / "nothing.onnx"})
    with pytest.raises(PackageError, match=r"nothing\.onnx"):
        chunk(wrong)
    assert (chunk(policy).actions == chunk(same).actions).all()
