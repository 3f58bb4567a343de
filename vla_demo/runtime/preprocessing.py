"""A physical observation to the tensors the first graphs read, and the last graph's output back to physical actions.

Everything here follows the recipes in the package; what does not fit is refused by name before a graph sees it.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vla_demo.core.errors import InvalidInput
from vla_demo.core.observation import Observation
from vla_demo.core.package import PolicyPackage
from vla_demo.core.policy import PolicySpec
from vla_demo.runtime.language import Instruction
from vla_demo.runtime.manifest import package_file
from vla_demo.runtime.pictures import operations_of, to_input
from vla_demo.runtime.vectors import normalize, unnormalize

__all__ = ["Preprocessor", "checked_noise"]


class Preprocessor:
    """The package's recipes, made ready once: operations for each camera, statistics, tokenizer."""

    def __init__(self, package: PolicyPackage) -> None:
        recipes = package.preprocessing
        self._spec = package.spec
        self._recipes = recipes
        self._operations = {camera: operations_of(camera, recipes.images[camera]) for camera in package.spec.cameras}
        self._instruction = (
            None
            if recipes.language is None
            else Instruction(recipes.language, package_file(package.folder, recipes.language.tokenizer_file))
        )

    def inputs(self, observation: Observation) -> dict[str, NDArray[np.generic]]:
        """`pixels` f32 (C, 3, h, w), `state` f32 (1, S) and, for a language policy, `token_ids` i64 and `token_mask` bool (1, L).

        Raises `InvalidInput` saying what was expected: a missing camera, a picture that is not uint8 (H, W, 3), a wrong number of
        joints, a joint that is not finite.
        """
        images = [_checked_image(observation, camera, self._spec) for camera in self._spec.cameras]
        joints = _checked_joints(observation, self._spec)
        tensors: dict[str, NDArray[np.generic]] = {
            "pixels": self._pixels(images),
            "state": normalize(joints, self._recipes.state)[None],
        }
        if self._instruction is not None:
            tensors["token_ids"], tensors["token_mask"] = self._instruction.tokens(observation.instruction)
        return tensors

    def actions(self, output: NDArray[np.float32]) -> NDArray[np.float32]:
        """(1, T, A) of the graphs to (T, J) in dataset units."""
        return unnormalize(output[0], self._recipes.action, len(self._spec.joint_names))

    def normalized_actions(self, actions: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, J) in dataset units to (n, A) as the graphs denoise them: the inverse of `actions`, padded with zeros."""
        width = (self._spec.noise_shape or (0, len(self._spec.joint_names)))[1]
        recipe = replace(self._recipes.action, padded_to=width)
        return np.stack([normalize(row, recipe) for row in actions])

    def _pixels(self, images: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
        pictures = [to_input(image, self._operations[camera]) for image, camera in zip(images, self._spec.cameras, strict=True)]
        sizes = {camera: f"{p.shape[2]}x{p.shape[1]}" for camera, p in zip(self._spec.cameras, pictures, strict=True)}
        if len(set(sizes.values())) > 1:
            raise InvalidInput(f"this policy needs all cameras in one size, they are {_listed(sizes)}")
        return np.stack(pictures)


def checked_noise(noise: NDArray[np.float32] | None, spec: PolicySpec) -> NDArray[np.float32] | None:
    """(1, T, A) to start denoising from, or None for a policy that does not denoise. Raises `InvalidInput` when it does not fit."""
    if spec.noise_shape is None:
        if noise is not None:
            raise InvalidInput(f"{spec.family} does not denoise, so it takes no noise")
        return None
    if noise is None:
        raise InvalidInput(f"{spec.family} starts from noise: give predict_chunk a float32 array of shape {spec.noise_shape}")
    array = np.asarray(noise, np.float32)
    if array.shape != spec.noise_shape or not np.isfinite(array).all():
        raise InvalidInput(f"the noise has shape {array.shape}; {spec.family} needs finite numbers of shape {spec.noise_shape}")
    return array[None]


def _checked_image(observation: Observation, camera: str, spec: PolicySpec) -> NDArray[np.uint8]:
    image = observation.images.get(camera)
    if image is None:
        raise InvalidInput(
            f"no picture of camera {camera!r}; this policy sees through {', '.join(spec.cameras)}, "
            f"the observation has {', '.join(observation.images) or 'none'}"
        )
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise InvalidInput(
            f"the picture of camera {camera!r} is {image.dtype} of shape {image.shape}; expected is uint8 RGB of shape (height, width, 3)"
        )
    return image


def _checked_joints(observation: Observation, spec: PolicySpec) -> NDArray[np.float32]:
    joints = np.asarray(observation.joints)
    if joints.shape != (len(spec.joint_names),) or joints.dtype.kind not in "fiu":
        raise InvalidInput(
            f"the joints are {joints.dtype} of shape {joints.shape}; expected are "
            f"{len(spec.joint_names)} numbers: {', '.join(spec.joint_names)}"
        )
    wrong = [name for name, value in zip(spec.joint_names, joints, strict=True) if not np.isfinite(value)]
    if wrong:
        raise InvalidInput(f"the joint {', '.join(wrong)} is not a finite number")
    return joints.astype(np.float32)


def _listed(values: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())
