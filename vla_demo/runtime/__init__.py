"""Floor 1: runs an exported package with onnxruntime and numpy; never torch."""

from vla_demo.runtime.graph_store import GraphStore, reference_graphs
from vla_demo.runtime.manifest import graph_of_file, read_manifest, write_manifest
from vla_demo.runtime.policy import ExportedPolicy, open_policy
from vla_demo.runtime.providers import Running

__all__ = [
    "ExportedPolicy",
    "GraphStore",
    "Running",
    "graph_of_file",
    "open_policy",
    "read_manifest",
    "reference_graphs",
    "write_manifest",
]
