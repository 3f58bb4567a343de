"""Graphs of other precisions are found by content, whole or not at all, and never replaced by FP32."""

from dataclasses import replace
from pathlib import Path

import pytest

from vla_demo.core.errors import PackageError
from vla_demo.core.package import PolicyPackage, StageGraph
from vla_demo.core.storage import fingerprint
from vla_demo.core.variant import Variant
from vla_demo.runtime.graph_store import GraphStore, Receipt, located, reference_graphs


def put(store: GraphStore, fp32: StageGraph, content: bytes = b"int8 graph") -> Receipt:
    def make(target: Path) -> Receipt:
        target.write_bytes(content)
        found = fingerprint([target])
        graph = replace(fp32, precision="int8", file=store.stored_name(fp32, "int8"), size_bytes=found.size_bytes, sha256=found.sha256)
        return Receipt(graph, {"scheme": "test"})

    return store.put(fp32, "int8", make)


@pytest.fixture
def store(tmp_path: Path) -> GraphStore:
    return GraphStore(tmp_path)


@pytest.fixture
def vision(act: PolicyPackage) -> StageGraph:
    return reference_graphs(act)[0]


def test_what_was_put_in_is_found_and_intact(store: GraphStore, vision: StageGraph) -> None:
    assert store.find(vision, "int8") is None
    receipt = put(store, vision)
    assert store.find(vision, "int8") == receipt
    assert store.is_intact(receipt)
    assert store.path(receipt.graph).read_bytes() == b"int8 graph"


def test_a_second_one_takes_the_place_of_the_first_and_leaves_no_litter(store: GraphStore, vision: StageGraph) -> None:
    put(store, vision)
    receipt = put(store, vision, b"another")
    assert store.path(receipt.graph).read_bytes() == b"another"
    assert len(list(store.folder.iterdir())) == 1


def test_a_failure_while_making_leaves_what_was_there(store: GraphStore, vision: StageGraph) -> None:
    receipt = put(store, vision)

    def fail(target: Path) -> Receipt:
        target.write_bytes(b"half")
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError):
        store.put(vision, "int8", fail)
    assert store.find(vision, "int8") == receipt
    assert len(list(store.folder.iterdir())) == 1


def test_bytes_that_changed_are_noticed(store: GraphStore, vision: StageGraph) -> None:
    receipt = put(store, vision)
    store.path(receipt.graph).write_bytes(b"int8 grapH")
    assert not store.is_intact(receipt)
    store.path(receipt.graph).write_bytes(b"cut")
    with pytest.raises(PackageError, match="damaged"):
        store.find(vision, "int8")


@pytest.mark.parametrize("receipt", ["", "{}", '{"graph": {}, "made_with": {}}'])
def test_a_damaged_receipt_is_an_error_not_an_absence(store: GraphStore, vision: StageGraph, receipt: str) -> None:
    place = store.path(put(store, vision).graph).parent
    (place / "receipt.json").write_text(receipt)
    with pytest.raises(PackageError, match="damaged"):
        store.find(vision, "int8")


def test_a_stage_that_was_not_made_says_what_makes_it(store: GraphStore, act: PolicyPackage, vision: StageGraph) -> None:
    variant = Variant.of(act.spec, {"vision": "int8"})
    with pytest.raises(PackageError, match=r"int8 graph vision .*--variant vision=int8,expert=fp32.*prepare_variant"):
        located(act, store, vision, variant)


def test_a_package_may_bring_its_own(store: GraphStore, act: PolicyPackage, vision: StageGraph) -> None:
    own = replace(vision, precision="int8")
    variant = Variant.of(act.spec, {"vision": "int8"})
    assert located(replace(act, graphs=(*act.graphs, own)), store, vision, variant) == (own, act.folder / "vision.onnx")
