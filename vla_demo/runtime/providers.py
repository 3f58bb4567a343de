"""What ONNX Runtime on this machine can run graphs with."""

__all__ = ["onnx_runtime"]


def onnx_runtime() -> tuple[str, tuple[str, ...]]:
    """Its version and its execution providers, the preferred first."""
    import onnxruntime

    return str(onnxruntime.__version__), tuple(onnxruntime.get_available_providers())
