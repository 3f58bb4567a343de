"""Floor 1: runs an exported package with onnxruntime and numpy; never torch."""
