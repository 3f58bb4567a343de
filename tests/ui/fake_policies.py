"""Two policies of known shape to choose from. No model, no torch."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.fakes import act_spec, smolvla_spec
from vla_demo.core.errors import CheckpointError
from vla_demo.core.package import PolicyPackage, Preprocessing, StageGraph, VectorRecipe
from vla_demo.core.policy import PolicySpec
from vla_demo.workbench.progress import Preparing

FPS = 30.0
RECIPE = "mixed-0123456789ab"


def package(name: str) -> PolicyPackage:
    """A manifest's content without files: the page reads stages, bytes and counts, and never opens a graph."""
    spec = replace(smolvla_spec() if name == "smolvla" else act_spec(), chunk_size=50, n_action_steps=50)
    sizes = {"vision": 1_400_000, "prefix": 3_400_000, "context": 200_000, "step": 4_600_000, "transformer": 5_200_000}
    graphs = [
        StageGraph(stage.role, g.name, "fp32", f"{g.name}.onnx", sizes[g.name], "0" * 64, 20, 0)
        for stage in spec.stages
        for g in stage.graphs
    ]
    vector = VectorRecipe("IDENTITY", {}, 0.0, None)
    return PolicyPackage(Path(name), spec, tuple(graphs), Preprocessing({}, vector, vector, None), {}, {})


def set_event() -> threading.Event:
    event = threading.Event()
    event.set()
    return event


@dataclass
class FakeLibrary:
    """Knows `act` and `smolvla`."""

    opened: threading.Event = field(default_factory=set_event)  # cleared: packages go on being prepared
    warmed: threading.Event = field(default_factory=threading.Event)

    def bundled(self) -> Mapping[str, str]:
        return {"act": "ACT · tea bag (bundled)", "smolvla": "SmolVLA · tea bag (bundled)"}

    def fps(self) -> float:
        return FPS

    def recipes(self, family: str) -> Mapping[str, Mapping[str, str]]:
        return {"expert": {RECIPE: "INT8 in 18 of 20 layers, FP32 in the rest."}}

    def sketch(self, source: str) -> PolicySpec | None:
        return package(source).spec if source in self.bundled() else None

    def open_package(self, source: str) -> Iterator[Preparing | PolicyPackage]:
        if source not in self.bundled():
            raise CheckpointError(f"{source} is neither a folder nor a policy on the Hub; bundled are act and smolvla")
        while not self.opened.wait(0.05):
            yield Preparing("Exporting the vision encoder", 0.3)
        yield package(source)

    def warm_up(self) -> None:
        self.warmed.set()
