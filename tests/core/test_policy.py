"""The fakes' promise to be policies."""

from tests.fakes import FakePolicy, fake_episode, noise, observation, smolvla_spec
from vla_demo.core.policy import Policy


def test_a_fake_policy_keeps_the_contract() -> None:
    policy: Policy = FakePolicy(smolvla_spec())
    chunk = policy.predict_chunk(observation(3), noise=noise(policy.spec))
    assert chunk.actions.shape == (policy.spec.chunk_size, len(policy.spec.joint_names))
    assert chunk.observed_at == observation(3).captured_at
    assert list(chunk.stage_ms) == ["vision", "llm", "expert"]


def test_a_fake_episode_reads_like_a_recorded_one() -> None:
    episode = fake_episode(frames=5)
    frame = episode.frame(4)
    assert len(episode) == 5
    assert (frame.action == episode.actions[4]).all()
    assert (frame.observation.joints == episode.states[4]).all()
