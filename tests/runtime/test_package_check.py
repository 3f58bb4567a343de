"""A package whose parts contradict each other is refused with each contradiction."""

from dataclasses import replace
from typing import Any

import pytest

from vla_demo.core.errors import PackageError
from vla_demo.core.package import PolicyPackage
from vla_demo.runtime.package_check import check_consistency


def test_a_package_in_order_passes(act: PolicyPackage, smolvla: PolicyPackage) -> None:
    check_consistency(act)
    check_consistency(smolvla)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"joint_names": ()}, "at least one joint"),
        ({"chunk_size": 0}, "chunk size is 0"),
        ({"n_action_steps": 99}, "carries out 99 of"),
        ({"cameras": ("top", "top", "left")}, "named twice"),
        ({"cameras": ("top", "left")}, "pictures are described for"),
        ({"denoise_steps": None}, "must come together"),
        ({"denoise_steps": 0}, "denoises in 0 steps"),
        ({"noise_shape": (8, 5)}, r"the noise is \(8, 5\)"),
        ({"noise_shape": (9, 8)}, r"the noise is \(9, 8\)"),
        ({"stages": ()}, "belongs to no stage"),
    ],
)
def test_a_spec_that_contradicts_itself_is_refused(smolvla: PolicyPackage, change: dict[str, Any], message: str) -> None:
    with pytest.raises(PackageError, match=message):
        check_consistency(replace(smolvla, spec=replace(smolvla.spec, **change)))


def test_every_graph_is_listed_once(act: PolicyPackage) -> None:
    first, *others = act.graphs
    with pytest.raises(PackageError, match="vision of stage vision is not listed"):
        check_consistency(replace(act, graphs=tuple(others)))
    with pytest.raises(PackageError, match="listed twice"):
        check_consistency(replace(act, graphs=(first, *act.graphs)))


def test_a_hash_that_could_name_another_folder_is_refused(act: PolicyPackage) -> None:
    first, *others = act.graphs
    with pytest.raises(PackageError, match="64 hexadecimal"):
        check_consistency(replace(act, graphs=(replace(first, sha256="../" * 20 + "abcd"), *others)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mode": "LOG"}, "known are IDENTITY, MEAN_STD"),
        ({"mode": "MIN_MAX"}, "needs min of 6 joints, not 0"),
        ({"stats": {"mean": (0.0,) * 6, "std": (1.0,) * 5}}, "needs std of 6 joints, not 5"),
        ({"padded_to": 5}, "padded to 5 for 6 joints"),
    ],
)
def test_a_vector_recipe_that_does_not_fit_the_joints_is_refused(act: PolicyPackage, change: dict[str, Any], message: str) -> None:
    recipes = act.preprocessing
    with pytest.raises(PackageError, match=message):
        check_consistency(replace(act, preprocessing=replace(recipes, state=replace(recipes.state, **change))))
