"""Resizing equals PyTorch's to float32 rounding, both ways of doing it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vla_demo.runtime.resampling import resize, weights

SIZES = [((240, 320), (96, 128)), ((480, 640), (384, 512)), ((1080, 1920), (224, 224)), ((480, 640), (479, 641)), ((7, 5), (3, 9))]
side = st.integers(2, 90)  # PyTorch leaves the rows of a picture one pixel wide as they are


def worst_difference(before: tuple[int, int], after: tuple[int, int], antialias: bool) -> float:
    import torch
    import torchvision.transforms.functional as tv

    picture = np.random.default_rng(0).random((3, *before), dtype=np.float32)
    tensor = torch.from_numpy(picture)
    if antialias:
        theirs = tv.resize(tensor, list(after))
    else:
        theirs = torch.nn.functional.interpolate(tensor[None], after, mode="bilinear", align_corners=False)[0]
    return float(np.abs(resize(picture, *after, antialias=antialias) - theirs.numpy()).max())


@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize(("before", "after"), SIZES)
def test_it_resizes_as_pytorch_does(before: tuple[int, int], after: tuple[int, int], antialias: bool) -> None:
    assert worst_difference(before, after, antialias) < 1e-6


@settings(max_examples=40, deadline=None)
@given(st.tuples(side, side), st.tuples(side, side), st.booleans())
def test_it_resizes_as_pytorch_does_whatever_the_sizes(before: tuple[int, int], after: tuple[int, int], antialias: bool) -> None:
    assert worst_difference(before, after, antialias) < 1e-6


def test_the_two_ways_differ_where_a_picture_shrinks() -> None:
    """The negative control of the comparisons above: mixing them up would be seen."""
    picture = np.random.default_rng(0).random((3, 240, 320), dtype=np.float32)
    assert np.abs(resize(picture, 96, 128, antialias=True) - resize(picture, 96, 128, antialias=False)).max() > 0.1


@given(side, side, st.booleans())
def test_every_new_pixel_is_an_average(size: int, target: int, antialias: bool) -> None:
    matrix = weights(size, target, antialias)
    assert matrix.shape == (target, size)
    assert (matrix >= 0).all()
    np.testing.assert_allclose(matrix.sum(axis=1), 1, atol=1e-5)


def test_a_picture_of_the_right_size_is_left_alone() -> None:
    picture = np.zeros((3, 4, 5), np.float32)
    assert resize(picture, 4, 5, antialias=True) is picture
