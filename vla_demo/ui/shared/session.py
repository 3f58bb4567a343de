"""Opening a policy for a session of any tab: its preparation as a stream of messages, and one piece of work at a time."""

import threading
from collections.abc import Generator
from dataclasses import dataclass, field

from vla_demo.core.errors import PackageError, Stopped
from vla_demo.core.package import PolicyPackage
from vla_demo.core.policy import PolicySpec
from vla_demo.core.variant import Variant
from vla_demo.ui.shared import messages
from vla_demo.ui.shared.bench import Bench
from vla_demo.ui.shared.link import read_variant
from vla_demo.ui.shared.messages import Message
from vla_demo.ui.shared.toasts import complain

__all__ = ["Session", "asked_variant", "packaged"]


@dataclass(slots=True)
class Session:
    """One browser tab: at most one piece of work at a time; beginning another stops what went on."""

    work: str = ""  # the page's name for it
    stopping: threading.Event = field(default_factory=threading.Event)

    def begin(self, work: str) -> threading.Event:
        self.stop()
        self.work, self.stopping = work, threading.Event()
        return self.stopping

    def stop(self) -> None:
        self.stopping.set()


def packaged(bench: Bench, source: str, work: str, stop: threading.Event) -> Generator[Message, None, PolicyPackage]:
    """Streams the preparation, returns the package. Raises `Stopped` when the visitor asked for it."""
    for step in bench.open_package(source):
        if stop.is_set():
            raise Stopped(f"preparing {source} was stopped")
        if isinstance(step, PolicyPackage):
            return step
        yield messages.progress(step, work)
    raise PackageError(f"preparing {source} ended without a package")


def asked_variant(text: str | None, spec: PolicySpec) -> Variant:
    """The variant a link asks for; a toast for each part that the policy does not have, and FP32 there."""
    variant, wrong = read_variant(text or "", spec)
    complain(wrong)
    return variant
