"""A package for a board brings the quantized graphs along: the board needs no cache and makes nothing itself."""

from pathlib import Path

import pytest

from tests.tiny_packages import tiny_smolvla_package
from vla_demo.core.errors import PackageError
from vla_demo.core.package import PolicyPackage
from vla_demo.core.variant import Variant
from vla_demo.runtime import open_policy
from vla_demo.runtime.manifest import verify_package
from vla_demo.workbench.preparation import prepare_variant
from vla_demo.workbench.robot.packages import packed_for_board


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PolicyPackage:
    monkeypatch.setenv("VLA_DEMO_CACHE", str(tmp_path / "cache"))
    return tiny_smolvla_package(tmp_path / "package")


def int8(package: PolicyPackage) -> Variant:
    return Variant.of(package.spec, {stage.role: "int8w" for stage in package.spec.stages})


def test_a_packed_variant_runs_where_no_cache_is(package: PolicyPackage, tmp_path: Path) -> None:
    list(prepare_variant(package, int8(package)))
    packed = packed_for_board(package, int8(package))
    verify_package(packed)
    elsewhere = tmp_path / "board"
    policy = open_policy(packed.folder, int8(package), cache=elsewhere)
    policy.load()
    assert {graph.precision for graph in policy.graphs} == {"int8w"}
    with pytest.raises(PackageError, match="has not been made yet"):
        open_policy(package.folder, int8(package), cache=elsewhere)


def test_the_same_variant_packed_twice_is_the_same_package(package: PolicyPackage) -> None:
    list(prepare_variant(package, int8(package)))
    first = (packed_for_board(package, int8(package)).folder / "manifest.json").read_bytes()
    assert (packed_for_board(package, int8(package)).folder / "manifest.json").read_bytes() == first


def test_all_in_fp32_is_the_package_itself_and_what_was_not_made_is_an_error(package: PolicyPackage) -> None:
    assert packed_for_board(package, Variant.reference(package.spec)) is package
    with pytest.raises(PackageError, match="has not been made yet"):
        packed_for_board(package, int8(package))
