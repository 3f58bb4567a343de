"""How closely a package in another precision agrees with itself in FP32, over observations and the same noise."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from vla_demo.core.observation import Observation
from vla_demo.core.package import PolicyPackage
from vla_demo.core.variant import Variant
from vla_demo.evaluation.metrics import ActionScale, cosine
from vla_demo.quantization.calibration import Calibration
from vla_demo.quantization.stages import prepare_variant
from vla_demo.runtime import open_policy


def smallest_cosine(
    package: PolicyPackage, precisions: Mapping[str, str], seen: Sequence[Observation], calibration: Calibration, cache: Path
) -> float:
    """Of a chunk, joints centered and scaled as by the checkpoint; every product with weights of the chosen stages is quantized."""
    variant = Variant.of(package.spec, precisions)
    made = prepare_variant(package, variant, cache, calibration=calibration)
    assert all(graph.quantized_nodes == graph.nodes for graph in made)
    stats = package.preprocessing.action.stats
    scale = ActionScale.of(stats["mean"], stats["std"], "checkpoint")
    policy, reference = open_policy(package.folder, variant, cache=cache), open_policy(package.folder)
    found = []
    for number, observation in enumerate(seen):
        noise = np.random.default_rng(number).standard_normal(package.spec.noise_shape, dtype=np.float32)  # type: ignore[arg-type]
        chunks = [body.predict_chunk(observation, noise=noise).actions for body in (policy, reference)]
        found.append(cosine(*chunks, scale))
    print(f"{variant} of {package.folder.name}: min cosine {min(found):.6f}, mean {np.mean(found):.6f}")
    return min(found)
