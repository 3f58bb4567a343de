"""Observations become tensors by the package's recipes; what does not fit is refused with the names of what would."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.fakes import CAMERAS, JOINTS, observation
from vla_demo.core.errors import InvalidInput
from vla_demo.core.observation import Observation
from vla_demo.core.package import PolicyPackage
from vla_demo.runtime.preprocessing import Preprocessor, checked_noise


def with_image(seen: Observation, camera: str, image: Any) -> Observation:
    return replace(seen, images={**seen.images, camera: image})


def with_joint(seen: Observation, value: float) -> Observation:
    return replace(seen, joints=np.array([*seen.joints[:-1], value], np.float32))


def test_a_language_policy_gets_pixels_state_and_tokens(smolvla: PolicyPackage) -> None:
    tensors = Preprocessor(smolvla).inputs(observation())
    shapes = {name: (value.dtype.name, value.shape) for name, value in tensors.items()}
    assert shapes == {
        "pixels": ("float32", (3, 3, 32, 32)),
        "state": ("float32", (1, 8)),
        "token_ids": ("int64", (1, 12)),
        "token_mask": ("bool", (1, 12)),
    }


def test_a_policy_without_language_gets_no_tokens(act: PolicyPackage) -> None:
    assert set(Preprocessor(act).inputs(observation())) == {"pixels", "state"}


def test_cameras_are_stacked_in_the_packages_order_and_others_are_ignored(act: PolicyPackage) -> None:
    seen = observation()
    turned = replace(seen, images=dict(reversed(list({**seen.images, "spare": seen.images["top"]}.items()))))
    pixels = Preprocessor(act).inputs(seen)["pixels"]
    assert (Preprocessor(act).inputs(turned)["pixels"] == pixels).all()
    order = replace(act.spec, cameras=("left", "top", "gripper"))
    other = Preprocessor(replace(act, spec=order)).inputs(seen)["pixels"]
    assert (other == pixels[[2, 0, 1]]).all()


def test_reading_an_observation_does_not_change_it(smolvla: PolicyPackage) -> None:
    seen, same = observation(), observation()
    Preprocessor(smolvla).inputs(seen)
    assert all((seen.images[camera] == same.images[camera]).all() for camera in CAMERAS)
    assert (seen.joints == same.joints).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda o: replace(o, images={}), "no picture of camera 'top'.*top, gripper, left.*has none"),
        (lambda o: with_image(o, "left", o.images["left"] / 255), "'left' is float64 .*uint8 RGB"),
        (lambda o: with_image(o, "left", o.images["left"].transpose(2, 0, 1)), r"shape \(3, 48, 64\)"),
        (lambda o: with_image(o, "left", o.images["left"][..., :1]), r"\(height, width, 3\)"),
        (lambda o: with_image(o, "left", o.images["left"][:0]), r"\(0, 64, 3\)"),
        (lambda o: replace(o, joints=o.joints[:5]), f"shape \\(5,\\); expected are 6 numbers: {', '.join(JOINTS)}"),
        (lambda o: replace(o, joints=o.joints[None]), r"shape \(1, 6\)"),
        (lambda o: replace(o, joints=np.array(["a"] * 6)), "expected are 6 numbers"),
        (lambda o: with_joint(o, np.nan), "the joint gripper is not a finite number"),
        (lambda o: with_joint(o, -np.inf), "gripper"),
    ],
)
def test_an_observation_that_does_not_fit_is_refused(
    act: PolicyPackage, change: Callable[[Observation], Observation], message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        Preprocessor(act).inputs(change(observation()))


def test_cameras_of_different_sizes_are_refused_where_nothing_resizes_them(act: PolicyPackage) -> None:
    as_they_come = replace(act, preprocessing=replace(act.preprocessing, images=dict.fromkeys(CAMERAS, ())))
    seen = with_image(observation(), "left", np.zeros((20, 30, 3), np.uint8))
    with pytest.raises(InvalidInput, match="top 64x48, gripper 64x48, left 30x20"):
        Preprocessor(as_they_come).inputs(seen)


def test_noise_is_required_where_a_policy_denoises_and_refused_where_not(act: PolicyPackage, smolvla: PolicyPackage) -> None:
    assert checked_noise(None, act.spec) is None
    with pytest.raises(InvalidInput, match="does not denoise"):
        checked_noise(np.zeros((8, 8), np.float32), act.spec)
    with pytest.raises(InvalidInput, match=r"float32 array of shape \(8, 8\)"):
        checked_noise(None, smolvla.spec)


@pytest.mark.parametrize("wrong", [np.zeros((8, 6)), np.zeros((1, 8, 8)), np.full((8, 8), np.nan)])
def test_noise_of_another_shape_or_not_finite_is_refused(smolvla: PolicyPackage, wrong: Any) -> None:
    with pytest.raises(InvalidInput, match=r"finite numbers of shape \(8, 8\)"):
        checked_noise(wrong, smolvla.spec)
