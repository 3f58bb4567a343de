"""What ONNX Runtime on this machine can run graphs with."""

__all__ = ["onnx_runtime", "preload"]


def onnx_runtime() -> tuple[str, tuple[str, ...]]:
    """Its version and its execution providers, the preferred first."""
    import onnxruntime

    return str(onnxruntime.__version__), tuple(onnxruntime.get_available_providers())


def preload() -> None:
    """Load now what running a package needs, so that the first package does not hold up what runs beside it."""
    import onnxruntime  # noqa: F401
    import tokenizers  # noqa: F401
