"""The joint colors are measured: legible on both papers and apart for every eye.

Contrast as WCAG 2 defines it (graphics need 3:1). Color blindness as Machado, Oliveira and Fernandes simulate it (2009, severity 1.0).
Distances are in OKLab, where about 0.02 is the smallest difference one sees.
"""

import itertools
import re

import numpy as np
import pytest
from numpy.typing import NDArray

from vla_demo.ui.shared.component import page_file

Color = NDArray[np.float64]  # (3,) linear RGB

LEAST_CONTRAST = 3.0
LEAST_DISTANCE = 0.09
EYES = {
    "usual": np.eye(3),
    "protanopia": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    "deuteranopia": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
}
TO_LMS = np.array(
    [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566], [0.0883024619, 0.2817188376, 0.6299787005]]
)
TO_LAB = np.array(
    [[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099], [0.0259040371, 0.7827717662, -0.8086757660]]
)


def linear(color: str) -> Color:
    values = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def contrast(a: str, b: str) -> float:
    light, dark = sorted((float(linear(c) @ [0.2126, 0.7152, 0.0722]) + 0.05 for c in (a, b)), reverse=True)
    return light / dark


def distance(a: str, b: str, eye: str) -> float:
    seen = [TO_LAB @ np.cbrt(TO_LMS @ np.clip(EYES[eye] @ linear(c), 0, 1)) for c in (a, b)]
    return float(np.linalg.norm(seen[0] - seen[1]))


def variables(block: str) -> dict[str, str]:
    css = page_file("shell.css")
    body = css[css.index(block + " {") :].partition("}")[0]
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", body))


LIGHT, DARK = variables(":root"), variables(".dark")
JOINTS = [LIGHT[f"joint-{i}"] for i in range(6)]


def test_a_joint_has_one_color_in_light_and_in_dark() -> None:
    assert not [name for name in DARK if name.startswith("joint-")]
    assert len(set(JOINTS)) == 6


@pytest.mark.parametrize("paper", [LIGHT["paper"], DARK["paper"]])
def test_every_joint_is_legible_on_both_papers(paper: str) -> None:
    assert min(contrast(joint, paper) for joint in JOINTS) >= LEAST_CONTRAST


@pytest.mark.parametrize("eye", EYES)
def test_every_two_joints_are_apart_for_every_eye(eye: str) -> None:
    assert min(distance(a, b, eye) for a, b in itertools.combinations(JOINTS, 2)) >= LEAST_DISTANCE


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_text_is_legible(theme: dict[str, str]) -> None:
    for ink in ("ink", "soft", "accent", "warn"):
        assert contrast(theme[ink], theme["paper"]) >= 4.5, ink
    assert contrast(theme["on-accent"], theme["accent"]) >= 4.5


def test_colors_that_fail_are_found() -> None:
    assert contrast("#e69f00", LIGHT["paper"]) < LEAST_CONTRAST
    assert distance("#d55e00", "#9a7400", "protanopia") < LEAST_DISTANCE


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize("eye", EYES)
def test_more_error_is_told_by_lightness_alone_for_every_eye(theme: dict[str, str], eye: str) -> None:
    heat = [float(np.clip(EYES[eye] @ linear(theme[f"heat-{i}"]), 0, 1) @ [0.2126, 0.7152, 0.0722]) for i in range(3)]
    assert heat in (sorted(heat), sorted(heat, reverse=True))
    assert min(abs(a - b) for a, b in itertools.pairwise(heat)) > 0.1
