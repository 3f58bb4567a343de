"""What a screen needs to replay policies over the episodes of one dataset. One object serves all visitors."""

from collections.abc import Callable, Sequence
from pathlib import Path

from vla_demo.core.demo import fetched_folder
from vla_demo.core.errors import MissingPiece
from vla_demo.episodes import Dataset
from vla_demo.workbench.policies import PolicyLibrary
from vla_demo.workbench.replay.episodes import EpisodeCard, PlayableEpisode, episode_cards, playable_episode
from vla_demo.workbench.replay.run import Replay, RunRequest

__all__ = ["ReplayWing"]


class ReplayWing:
    """`dataset` is opened when it is first asked for."""

    def __init__(self, policies: PolicyLibrary, dataset: Callable[[], Dataset]) -> None:
        self._policies, self._dataset = policies, dataset

    def episodes(self) -> Sequence[EpisodeCard]:
        """All of them, in order of index."""
        return episode_cards(self._dataset())

    def episode(self, index: int) -> PlayableEpisode:
        """Raises `UnknownEpisode`, listing what there is."""
        return playable_episode(self._dataset(), index)

    def run(self, request: RunRequest) -> Replay:
        """Its steps do the work. Raises `InvalidInput` for a policy that has not been opened."""
        return Replay(request, self._policies.package(request.policy), self._dataset())

    def folders(self) -> Sequence[Path]:
        """Whose files a browser may be given. Without any dataset that of the demo, which may be fetched while the page is open."""
        try:
            return [self._dataset().folder]
        except MissingPiece:
            return [fetched_folder()]
