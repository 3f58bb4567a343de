"""A replay sees recorded observations, gives both policies the same noise, and its report finds exactly the error that was put in."""

import itertools
import json
from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.fakes import FakePolicy, act_spec, fake_episode, smolvla_spec
from vla_demo.core.errors import InvalidInput, VlaDemoError
from vla_demo.core.observation import ActionChunk, Episode, Observation
from vla_demo.core.policy import PolicySpec
from vla_demo.core.variant import Variant
from vla_demo.evaluation.metrics import ActionScale
from vla_demo.evaluation.replay import ReplayReport, chunk_noise, replay
from vla_demo.evaluation.tally import ReplaySubject, ReplayTally

CHUNK = act_spec().chunk_size


@dataclass
class Demonstrator:
    """Plans exactly what was recorded, plus `offset`: an imitation whose every error is known."""

    spec: PolicySpec
    episode: Episode
    offset: float = 0.0
    calls: int = 0

    def reset(self) -> None:
        self.calls = 0

    def predict_chunk(self, observation: Observation, *, noise: NDArray[np.float32] | None = None) -> ActionChunk:
        self.calls += 1
        start = round(observation.captured_at * self.episode.fps)
        actions = np.zeros((self.spec.chunk_size, len(self.spec.joint_names)), np.float32)
        left = self.episode.actions[start : start + self.spec.chunk_size]
        actions[: len(left)] = left
        return ActionChunk(actions + np.float32(self.offset), observation.captured_at, {"vision": 2.0 * self.calls, "expert": 1.0})


def subject(episode: Episode, spec: PolicySpec | None = None) -> ReplaySubject:
    spec = spec or act_spec()
    scale = ActionScale.of(episode.actions.mean(axis=0), episode.actions.std(axis=0), "episode")
    variant, reference = Variant.of(spec, {"vision": "int8"}), Variant.reference(spec)
    sizes = {"vision": 10, "expert": 32}
    return ReplaySubject(variant, reference, episode.index, 0, episode.joint_names, scale, sizes, "a test")


def report_of(policy: object, reference: object, episode: Episode, **options: int | None) -> ReplayReport:
    tally = ReplayTally(subject(episode))
    for step in replay(policy, reference, episode, seed=0, **options):  # type: ignore[arg-type]
        tally.add(step)
    return tally.report()


def test_every_frame_gets_one_step_and_inference_runs_once_a_chunk() -> None:
    episode, policy = fake_episode(frames=2 * CHUNK + 3), FakePolicy()
    steps = list(replay(policy, FakePolicy(), episode, seed=0))
    assert [s.frame for s in steps] == list(range(2 * CHUNK + 3))
    assert [s.frame for s in steps if s.starts_chunk] == [0, CHUNK, 2 * CHUNK]
    assert len(policy.asked) == 3 and policy.resets == 1
    np.testing.assert_array_equal([s.recorded for s in steps], episode.actions)


def test_neither_always_runs_first() -> None:
    """What runs right after a picture was decoded may be slower; both take their turn at it."""
    order: list[str] = []

    class Named(FakePolicy):
        def predict_chunk(self, observation: Observation, *, noise: NDArray[np.float32] | None = None) -> ActionChunk:
            order.append("variant" if self.error else "reference")
            return super().predict_chunk(observation, noise=noise)

    steps = list(replay(Named(error=1.0), Named(), fake_episode(frames=3 * CHUNK), seed=0))
    assert order == ["variant", "reference", "reference", "variant", "variant", "reference"]
    assert all((s.predicted > s.reference).all() for s in steps)


def test_the_policy_sees_the_recorded_observation_at_the_start_of_each_chunk() -> None:
    episode, policy = fake_episode(frames=2 * CHUNK), FakePolicy()
    list(replay(policy, policy, episode, seed=0))
    np.testing.assert_array_equal(policy.asked[1].joints, episode.states[CHUNK])
    np.testing.assert_array_equal(policy.asked[1].images["left"], episode.frame(CHUNK).observation.images["left"])


def test_steps_come_while_inference_goes_on() -> None:
    policy = FakePolicy()
    steps = replay(policy, policy, fake_episode(frames=10 * CHUNK), seed=0)
    list(itertools.islice(steps, CHUNK))
    assert len(policy.asked) == 1
    next(steps)
    assert len(policy.asked) == 2


def test_a_perfect_imitation_has_no_error() -> None:
    episode = fake_episode(frames=3 * CHUNK + 5)
    report = report_of(Demonstrator(act_spec(), episode), Demonstrator(act_spec(), episode), episode)
    assert set(report.chunk_mae.values()) == set(report.executed_mae.values()) == {0.0}
    assert (report.reference_max_abs, report.reference_min_cosine) == (0.0, pytest.approx(1.0))
    assert report.within_tolerance == 1.0


def test_an_offset_of_one_degree_shows_as_exactly_that() -> None:
    episode = fake_episode(frames=3 * CHUNK + 5)
    report = report_of(Demonstrator(act_spec(), episode, offset=1.0), Demonstrator(act_spec(), episode), episode)
    for error in (report.chunk_mae, report.executed_mae, report.reference_mae):
        assert list(error.values()) == pytest.approx([1.0] * 6, abs=1e-5)
    assert set(report.reference_executed_mae.values()) == {0.0}
    assert report.reference_max_abs == pytest.approx(1.0, abs=1e-5)
    assert report.reference_min_cosine < 1.0
    assert report.within_tolerance == 1.0


def test_an_offset_beyond_the_tolerance_leaves_nothing_within_it() -> None:
    episode = fake_episode(frames=CHUNK)
    assert report_of(Demonstrator(act_spec(), episode, offset=5.1), Demonstrator(act_spec(), episode), episode).within_tolerance == 0.0


def test_executed_and_chunk_errors_differ_when_only_a_part_is_executed() -> None:
    """A plan that goes wrong in its second half costs nothing as long as only the first half is executed."""

    class LateError(Demonstrator):
        def predict_chunk(self, observation: Observation, *, noise: NDArray[np.float32] | None = None) -> ActionChunk:
            chunk = super().predict_chunk(observation)
            chunk.actions[CHUNK // 2 :] += 4.0
            return chunk

    episode = fake_episode(frames=4 * CHUNK)
    report = report_of(LateError(act_spec(), episode), Demonstrator(act_spec(), episode), episode, horizon=CHUNK // 2)
    assert set(report.executed_mae.values()) == {0.0}
    assert min(report.chunk_mae.values()) > 1.5
    assert report.chunks == 8


def test_both_policies_get_the_same_noise_and_another_seed_another_one() -> None:
    spec, episode = smolvla_spec(), fake_episode(frames=2 * CHUNK)
    steps = list(replay(FakePolicy(spec), FakePolicy(spec), episode, seed=5))
    assert all(np.array_equal(s.predicted, s.reference) for s in steps)
    again, other = (list(replay(FakePolicy(spec), FakePolicy(spec), episode, seed=seed)) for seed in (5, 6))
    assert all(np.array_equal(s.predicted, t.predicted) for s, t in zip(steps, again, strict=True))
    assert not any(np.array_equal(s.predicted, t.predicted) for s, t in zip(steps, other, strict=True))


def test_noise_depends_on_seed_episode_and_chunk_and_is_the_same_everywhere() -> None:
    spec = smolvla_spec()
    drawn = {key: chunk_noise(spec, *key) for key in itertools.product((0, 1), (0, 1), (0, 1))}
    assert len({noise.tobytes() for noise in drawn.values() if noise is not None}) == 8
    np.testing.assert_allclose(drawn[0, 0, 0].ravel()[:2], np.random.default_rng([0, 0, 0]).standard_normal(2, dtype=np.float32))
    assert chunk_noise(act_spec(), 0, 0, 0) is None


def test_the_reference_as_its_own_variant_runs_once_and_the_report_says_so() -> None:
    episode = fake_episode(frames=2 * CHUNK)
    policy = Demonstrator(act_spec(), episode)
    steps = list(replay(policy, policy, episode, seed=0))
    assert policy.calls == 2
    tally = ReplayTally(replace(subject(episode), variant=Variant.reference(act_spec())))
    for step in steps:
        tally.add(step)
    assert tally.report().as_json()["vs_reference"]["is_reference"] is True
    assert report_of(policy, Demonstrator(act_spec(), episode), episode).as_json()["vs_reference"]["is_reference"] is False


def test_the_report_has_the_shape_that_was_promised() -> None:
    episode = fake_episode(frames=2 * CHUNK)
    document = json.loads(json.dumps(report_of(FakePolicy(error=0.5), FakePolicy(), episode).as_json(), allow_nan=False))
    assert (document["variant"], document["episode"], document["frames"]) == ("vision=int8,expert=fp32", 0, 16)
    assert set(document["vs_recorded"]["chunk_mae"]) == set(document["vs_recorded"]["executed_mae"]) == set(episode.joint_names)
    assert document["vs_reference"]["max_abs"] == pytest.approx(0.5, abs=1e-4)
    assert document["stage_bytes"] == {"vision": 10, "expert": 32} and document["package_bytes"] == 42
    assert set(document["vs_reference"]) >= {"max_abs", "min_cosine", "mae"}


def test_stage_times_are_percentiles_over_chunks() -> None:
    episode = fake_episode(frames=3 * CHUNK)
    report = report_of(Demonstrator(act_spec(), episode), Demonstrator(act_spec(), episode), episode)
    assert report.stage_ms["vision"] == {"p50": 4.0, "p95": pytest.approx(5.8)} and report.chunks == 3


def test_a_stopped_replay_reports_what_it_saw() -> None:
    episode, tally = fake_episode(frames=4 * CHUNK), ReplayTally(subject(fake_episode()))
    with pytest.raises(VlaDemoError, match="nothing was replayed"):
        tally.report()
    for step in itertools.islice(replay(FakePolicy(), FakePolicy(), episode, seed=0), CHUNK + 1):
        tally.add(step)
    report = tally.report()
    assert (report.frames, report.episode_frames, report.chunks) == (CHUNK + 1, 4 * CHUNK, 2)


@pytest.mark.parametrize("horizon", [0, CHUNK + 1])
def test_a_horizon_the_policy_cannot_fill_is_refused(horizon: int) -> None:
    with pytest.raises(InvalidInput, match=f"horizon {horizon} is out of range"):
        next(replay(FakePolicy(), FakePolicy(), fake_episode(), seed=0, horizon=horizon))


def test_numbers_that_are_not_finite_stop_the_replay() -> None:
    with pytest.raises(VlaDemoError, match="at frame 0 the policy answered numbers that are not finite"):
        next(replay(FakePolicy(error=float("nan")), FakePolicy(), fake_episode(), seed=0))
