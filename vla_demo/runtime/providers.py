"""What ONNX Runtime on this machine can run graphs with."""

from dataclasses import dataclass

from vla_demo.core.errors import InvalidInput

__all__ = ["PROCESSOR", "Running", "check_provider", "onnx_runtime", "preload"]

PROCESSOR = "CPUExecutionProvider"


@dataclass(frozen=True, slots=True)
class Running:
    """How graphs are run."""

    threads: int | None = None  # of each inference; None: as many as there are cores
    provider: str = PROCESSOR  # as ONNX Runtime names it; what it cannot run, the processor does
    lean: bool = False  # give memory back after each inference: less than half of it for a full-size ACT, which is 5 to 11 % slower then


def onnx_runtime() -> tuple[str, tuple[str, ...]]:
    """Its version and its execution providers, the preferred first."""
    import onnxruntime

    return str(onnxruntime.__version__), tuple(onnxruntime.get_available_providers())


def check_provider(name: str) -> None:
    """Raise `InvalidInput` for one that this machine's ONNX Runtime does not bring."""
    _, there = onnx_runtime()
    if name not in there:
        raise InvalidInput(f"ONNX Runtime has no {name!r} on this machine; valid: {', '.join(there)}")


def preload() -> None:
    """Load now what running a package needs, so that the first package does not hold up what runs beside it."""
    import onnxruntime  # noqa: F401
    import tokenizers  # noqa: F401
