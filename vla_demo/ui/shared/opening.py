"""Opening a policy for a visitor of any tab: its preparation as a stream of messages, its variant as a link asks for it."""

from collections.abc import Generator
from typing import Any

from vla_demo.core.errors import PackageError, Stopped
from vla_demo.core.package import PolicyPackage
from vla_demo.core.policy import PolicySpec
from vla_demo.core.variant import Variant
from vla_demo.ui.shared import messages
from vla_demo.ui.shared.contract import Library
from vla_demo.ui.shared.link import read_variant
from vla_demo.ui.shared.messages import Message
from vla_demo.ui.shared.session import VisitorWork
from vla_demo.ui.shared.toasts import warn

__all__ = ["asked_variant", "open_package"]


def open_package(library: Library, source: str, session: VisitorWork[Any]) -> Generator[Message, None, PolicyPackage]:
    """Streams the preparation, returns the package. Raises `Stopped` when the visitor asked for it."""
    for step in library.open_package(source):
        if session.stopping.is_set():
            raise Stopped(f"preparing {source} was stopped")
        if isinstance(step, PolicyPackage):
            return step
        yield messages.progress(step, session.work)
    raise PackageError(f"preparing {source} ended without a package")


def asked_variant(text: str | None, spec: PolicySpec) -> Variant:
    """The variant a link asks for; a toast for each part that the policy does not have, and FP32 there."""
    variant, wrong = read_variant(text or "", spec)
    warn(wrong)
    return variant
