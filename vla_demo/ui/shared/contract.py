"""What every tab needs of the world: policies to choose from, and how one is opened. The product hands in the workbench's library."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from vla_demo.core.package import PolicyPackage
from vla_demo.core.policy import PolicySpec
from vla_demo.workbench.progress import Preparing

__all__ = ["Library", "Stoppable"]


class Stoppable(Protocol):
    """Work that goes on."""

    def stop(self) -> None:
        """From any thread; it ends soon after."""
        ...


class Library(Protocol):
    """Every verb may raise a `VlaDemoError`."""

    def bundled(self) -> Mapping[str, str]:
        """Name -> label of the policies that come with the app, the default first."""
        ...

    def fps(self) -> float:
        """Of the actions that policies plan here."""
        ...

    def sketch(self, source: str) -> PolicySpec | None:
        """What `open_package` is about to prepare, at once; None when only preparing it tells."""
        ...

    def recipes(self, family: str) -> Mapping[str, Mapping[str, str]]:
        """Role -> the mixed precisions known for that stage of a family's policies, each with a sentence."""
        ...

    def open_package(self, source: str) -> Iterator[Preparing | PolicyPackage]:
        """Progress, then the package, made by an export when the cache does not have it."""
        ...

    def warm_up(self) -> None:
        """Prepare the bundled policies, so that their Run starts at once. Called once, on a thread of its own."""
        ...
