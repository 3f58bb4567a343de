"""Camera pictures as a message can carry them."""

import base64
import io
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["jpegs"]

_QUALITY = 80


def jpegs(pictures: Mapping[str, NDArray[np.uint8]]) -> dict[str, str]:
    """Camera -> (H, W, 3) RGB as camera -> JPEG in base64."""
    return {camera: _jpeg(picture) for camera, picture in pictures.items()}


def _jpeg(picture: NDArray[np.uint8]) -> str:
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "JPEG", quality=_QUALITY)
    return base64.b64encode(out.getvalue()).decode("ascii")
