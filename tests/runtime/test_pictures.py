"""Picture operations equal LeRobot's own to float32 rounding; what does not fit is refused."""

from typing import Any

import numpy as np
import pytest

from vla_demo.core.errors import InvalidInput, PackageError
from vla_demo.runtime.pictures import operations_of, to_input


def through(image: np.ndarray[Any, Any], *entries: dict[str, Any]) -> np.ndarray[Any, Any]:
    return to_input(image, operations_of("top", entries))


def image(height: int, width: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(height).integers(0, 256, (height, width, 3), dtype=np.uint8)


def as_tensor(picture: np.ndarray[Any, Any]) -> Any:
    import torch

    return torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255


@pytest.mark.parametrize("size", [(240, 320), (320, 240), (512, 512), (480, 640), (100, 33)])
def test_padding_goes_where_smolvla_puts_it(size: tuple[int, int]) -> None:
    from lerobot.policies.common.vla_utils import resize_with_pad

    theirs = resize_with_pad(as_tensor(image(*size)), 512, 512, pad_value=0)[0] * 2.0 - 1.0
    entries = ({"op": "resize_with_pad", "height": 512, "width": 512, "value": 0.0}, {"op": "affine", "scale": 2.0, "offset": -1.0})
    np.testing.assert_allclose(through(image(*size), *entries), theirs, atol=1e-6)


def test_centred_padding_would_be_seen() -> None:
    """The negative control of the comparison above."""
    from lerobot.policies.common.vla_utils import resize_with_pad_torch

    centred = resize_with_pad_torch(as_tensor(image(240, 320)), 128, 128)[0].numpy()
    ours = through(image(240, 320), {"op": "resize_with_pad", "height": 128, "width": 128, "value": 0.0})
    assert np.abs(ours - centred).max() > 0.1


def test_crop_and_resize_equal_lerobots_processor() -> None:
    from lerobot.processor.hil_processor import ImageCropResizeProcessorStep

    key = "observation.images.top"
    step = ImageCropResizeProcessorStep(crop_params_dict={key: (10, 20, 200, 260)}, resize_size=(96, 128))
    theirs = step.observation({key: as_tensor(image(240, 320))})[key][0]
    crop = {"op": "crop", "top": 10, "left": 20, "height": 200, "width": 260}
    ours = through(image(240, 320), crop, {"op": "resize", "height": 96, "width": 128, "antialias": True})
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_normalizing_divides_by_std_and_eps() -> None:
    ours = through(image(4, 5), {"op": "normalize", "mean": [0.1, 0.2, 0.3], "std": [0.5, 0.0, 0.7], "eps": 0.5})
    expected = (image(4, 5).transpose(2, 0, 1) / 255 - np.array([0.1, 0.2, 0.3])[:, None, None]) / np.array([1.0, 0.5, 1.2])[:, None, None]
    np.testing.assert_allclose(ours, expected, atol=1e-6)


def test_without_operations_a_picture_is_only_scaled_to_one() -> None:
    white = np.full((2, 3, 3), 255, np.uint8)
    assert (through(white) == np.ones((3, 2, 3))).all()
    assert through(white).dtype == np.float32


def test_a_crop_beyond_the_picture_is_refused() -> None:
    with pytest.raises(InvalidInput, match="a picture of 20x10 is too small"):
        through(image(10, 20), {"op": "crop", "top": 0, "left": 0, "height": 11, "width": 20})


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"op": "rotate"}, "known are crop, resize"),
        ({}, "not a known picture operation"),
        ({"op": "resize", "height": 4, "width": 4}, r"images.top\[0\] lacks antialias"),
        ({"op": "affine", "scale": "2", "offset": 0.0}, "instead of float"),
        ({"op": "normalize", "mean": [1.0], "std": [1.0, 1.0, 1.0], "eps": 0.0}, "1 entries instead of 3"),
    ],
)
def test_an_operation_it_does_not_know_is_refused(entry: dict[str, Any], message: str) -> None:
    with pytest.raises(PackageError, match=message):
        operations_of("top", [entry])
