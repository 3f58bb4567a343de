"""Which torch module computes each graph of a family, and a first set of tensors to trace them on."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.errors import CheckpointError
from vla_demo.core.observation import Observation

if TYPE_CHECKING:
    from torch import Tensor, nn

    from vla_demo.checkpoints import ReferencePolicy

__all__ = ["first_tensors", "module_for"]


def module_for(graph: str, reference: "ReferencePolicy", tensors: "Mapping[str, Tensor]") -> "nn.Module":
    """The module of a graph; some need the shapes of the `tensors` made so far."""
    return _BUILDERS[reference.spec.family][graph](reference.loaded.policy, tensors)


def first_tensors(reference: "ReferencePolicy", observation: Observation, noise: NDArray[np.float32] | None) -> "dict[str, Tensor]":
    """What the first graphs read, as LeRobot's own processors and policy prepare it; with `noise` (T, A) also x (1, T, A) and time (1,).

    Raises `CheckpointError` when the cameras' pictures do not come out in one size.
    """
    import torch

    with torch.no_grad():
        batch = reference.prepared(observation)
        tensors = _PREPARE[reference.spec.family](reference.loaded.policy, batch)
    if noise is not None:
        tensors |= {"x": torch.from_numpy(noise)[None], "time": torch.ones(1)}
    return tensors


def _act_tensors(policy: Any, batch: Mapping[str, Any]) -> "dict[str, Tensor]":
    return {"pixels": _stacked([batch[key] for key in policy.config.image_features]), "state": batch["observation.state"]}


def _smolvla_tensors(policy: Any, batch: Mapping[str, Any]) -> "dict[str, Tensor]":
    pictures, masks = policy.prepare_images(batch)
    seen = [picture for picture, mask in zip(pictures, masks, strict=True) if mask.all()]  # the others are empty cameras
    return {
        "pixels": _stacked(seen),
        "state": policy.prepare_state(batch),
        "token_ids": batch["observation.language.tokens"],
        "token_mask": batch["observation.language.attention_mask"],
    }


def _stacked(pictures: "list[Tensor]") -> "Tensor":
    import torch

    sizes = sorted({tuple(picture.shape[2:]) for picture in pictures})
    if len(sizes) > 1:
        raise CheckpointError(f"the cameras' pictures reach the policy in the sizes {sizes}; supported is one size for all")
    return torch.cat(pictures)


def _smolvla(name: str) -> "_Builder":
    def build(policy: Any, tensors: "Mapping[str, Tensor]") -> "nn.Module":
        from vla_demo.export import smolvla_graphs

        if name == "Vision":
            return smolvla_graphs.Vision(policy, *tensors["pixels"].shape[2:])
        module: nn.Module = getattr(smolvla_graphs, name)(policy)
        return module

    return build


def _act_vision(policy: Any, _tensors: "Mapping[str, Tensor]") -> "nn.Module":
    from vla_demo.export.act_graphs import Vision

    return Vision(policy)


def _act_transformer(policy: Any, tensors: "Mapping[str, Tensor]") -> "nn.Module":
    from vla_demo.export.act_graphs import Transformer

    cameras, channels, height, width = tensors["features"].shape
    return Transformer(policy, cameras, (channels, height, width))


_Builder = Callable[[Any, "Mapping[str, Tensor]"], "nn.Module"]
_BUILDERS: dict[str, dict[str, _Builder]] = {
    "act": {"vision": _act_vision, "transformer": _act_transformer},
    "smolvla": {name: _smolvla(name.capitalize()) for name in ("vision", "prefix", "context", "step")},
}
_PREPARE = {"act": _act_tensors, "smolvla": _smolvla_tensors}
