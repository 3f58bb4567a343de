"""A kept rollout is found again only where all that decided it is the same: each ingredient changes the name it is kept under."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.tiny_packages import tiny_act_package, tiny_smolvla_package
from vla_demo.core.errors import PackageError
from vla_demo.core.package import PolicyPackage
from vla_demo.core.processor import Processor
from vla_demo.core.variant import Variant
from vla_demo.evaluation import fingerprint as module
from vla_demo.evaluation.fingerprint import RunFingerprint
from vla_demo.evaluation.latency import given_latency
from vla_demo.quantization import stages
from vla_demo.runtime.graph_store import GraphStore, reference_graphs
from vla_demo.runtime.strict_json import from_json, parse_json, to_json
from vla_demo.workbench.preparation import prepare_variant
from vla_demo.workbench.rollout.batch import Batch, RolloutRequest, RolloutStore
from vla_demo.workbench.rollout.batch_run import film_of
from vla_demo.workbench.rollout.run import roll_out


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> PolicyPackage:
    return tiny_act_package(tmp_path_factory.mktemp("tiny") / "package")


def batch(package: PolicyPackage, precisions: dict[str, str] | None = None, **changed: object) -> Batch:
    variant = Variant.of(package.spec, precisions or {})
    list(prepare_variant(package, variant))
    asked = RolloutRequest(variant, given_latency("100"), mode="sync", starts="1-fresh", patience=1.0)
    return Batch.of(package, replace(asked, **changed))


def test_the_same_request_has_the_same_fingerprint_wherever_the_package_lies(package: PolicyPackage, tmp_path: Path) -> None:
    elsewhere = tiny_act_package(tmp_path / "package")
    assert batch(package).fingerprint() == batch(package).fingerprint() == batch(elsewhere).fingerprint()


@pytest.mark.parametrize(
    "changed", [{"mode": "async"}, {"seed": 1}, {"threshold": 0.6}, {"patience": 2.0}, {"latency": given_latency("101")}]
)
def test_each_setting_counts(package: PolicyPackage, changed: dict[str, object]) -> None:
    assert batch(package).fingerprint().digest != batch(package, **changed).fingerprint().digest


def _twin(fingerprint: RunFingerprint) -> RunFingerprint:
    return replace(fingerprint, code={**fingerprint.code, "twin": "0" * 12})


def _older_runtime(fingerprint: RunFingerprint) -> RunFingerprint:
    return replace(fingerprint, libraries={**fingerprint.libraries, "onnxruntime": "1.0"})


def _fewer_bits(fingerprint: RunFingerprint) -> RunFingerprint:
    return replace(fingerprint, processor=replace(fingerprint.processor, instructions=("avx2",)))


def _other_driver(fingerprint: RunFingerprint) -> RunFingerprint:
    return replace(fingerprint, renderer="another renderer")


def _other_preprocessing(fingerprint: RunFingerprint) -> RunFingerprint:
    return replace(fingerprint, package="0" * 64)


def _other_graph(fingerprint: RunFingerprint) -> RunFingerprint:
    return replace(fingerprint, graphs=(replace(fingerprint.graphs[0], sha256="0" * 64), *fingerprint.graphs[1:]))


def _other_scheme(fingerprint: RunFingerprint) -> RunFingerprint:
    return replace(fingerprint, graphs=(replace(fingerprint.graphs[0], made_with={"scheme": "another"}), *fingerprint.graphs[1:]))


CHANGES = [_twin, _older_runtime, _fewer_bits, _other_driver, _other_preprocessing, _other_graph, _other_scheme]


@pytest.mark.parametrize("change", CHANGES)
def test_each_part_counts(package: PolicyPackage, change: Callable[[RunFingerprint], RunFingerprint]) -> None:
    own = batch(package).fingerprint()
    assert change(own).digest != own.digest


@pytest.mark.parametrize("change", CHANGES)
def test_only_libraries_processor_and_renderer_are_the_machine(
    package: PolicyPackage, change: Callable[[RunFingerprint], RunFingerprint]
) -> None:
    own = batch(package).fingerprint()
    assert own.same_machine(change(own)) == (change not in (_older_runtime, _fewer_bits, _other_driver))


def test_the_parts_are_those_of_this_machine_and_of_the_graphs_that_run(package: PolicyPackage, own_cache: Path) -> None:
    import mujoco
    import numpy
    import onnxruntime

    found = batch(package, {"vision": "int8"}).fingerprint()
    versions = {"mujoco": mujoco.__version__, "numpy": numpy.__version__, "onnxruntime": onnxruntime.__version__}
    assert versions.items() <= found.libraries.items() and "python" in found.libraries
    assert found.renderer is not None and "OpenGL" in found.renderer and "twin" in found.code
    receipt = GraphStore(own_cache).find(reference_graphs(package)[0], "int8")
    assert receipt is not None and (found.graphs[0].sha256, found.graphs[0].made_with) == (receipt.graph.sha256, receipt.made_with)
    assert found.graphs[0].made_with["weight_bits"] in (7, 8) and found.graphs[1].made_with == {}


def test_a_graph_made_by_another_scheme_is_another_rollout(
    package: PolicyPackage, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The receipt of a graph made anew says by which scheme; nothing else of the request changes."""
    before = batch(package, {"vision": "int8"}).fingerprint()
    monkeypatch.setattr("vla_demo.quantization.schemes.safe_bits", lambda: 15 - before.graphs[0].made_with["weight_bits"])
    after = batch(package, {"vision": "int8"}).fingerprint()
    assert before.graphs[0].made_with != after.graphs[0].made_with and before.graphs[0].sha256 != after.graphs[0].sha256
    assert before.digest != after.digest
    monkeypatch.setattr(stages, "_version", lambda name: "0.0")
    assert batch(package, {"vision": "int8"}).fingerprint().digest not in (before.digest, after.digest)


def test_other_code_another_processor_or_another_library_is_another_rollout(
    package: PolicyPackage, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = batch(package).fingerprint().digest
    for name, stand_in in (
        ("source_digests", lambda _: {"twin": "0"}),
        ("this_processor", lambda: Processor("another", "x86_64", ())),
        ("version", lambda name: "0.0"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, stand_in)
            assert batch(package).fingerprint().digest != own
    assert batch(package).fingerprint().digest == own


def test_a_tokenizer_counts_and_the_checkpoint_s_name_does_not(tmp_path: Path) -> None:
    package = tiny_smolvla_package(tmp_path / "package")
    own = batch(package).fingerprint()
    assert batch(replace(package, spec=replace(package.spec, checkpoint="another name"))).fingerprint() == own
    assert package.preprocessing.language is not None
    tokenizer = package.folder / package.preprocessing.language.tokenizer_file
    tokenizer.write_text(tokenizer.read_text() + "\n")
    assert batch(package).fingerprint().package != own.package


def test_a_graph_that_is_not_made_has_no_fingerprint(package: PolicyPackage, own_cache: Path) -> None:
    asked = RolloutRequest(Variant.of(package.spec, {"vision": "int8"}), given_latency("0"), starts="1-fresh")
    with pytest.raises(PackageError, match="has not been made yet"):
        Batch.of(package, asked).fingerprint()


def test_a_report_says_its_fingerprint_and_it_reads_back(package: PolicyPackage) -> None:
    asked = batch(package)
    request = RolloutRequest(asked.variant, given_latency("100"), mode="sync", starts="1-fresh", patience=1.0)
    *_, report = roll_out(package, request)
    document = json.loads(json.dumps(report.as_json()))["fingerprint"]
    assert from_json(RunFingerprint, parse_json(json.dumps(document)), "") == report.fingerprint == asked.fingerprint()
    assert document == json.loads(json.dumps(to_json(asked.fingerprint())))


def test_old_rows_and_films_are_not_served_after_the_code_changed(
    package: PolicyPackage, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = batch(package)
    request = RolloutRequest(asked.variant, given_latency("100"), mode="sync", starts="1-fresh", patience=1.0)
    list(roll_out(package, request))
    *_, film = film_of(package, request, asked.starts[0].number, 30)
    assert len(RolloutStore.of(asked).read(asked)) == 1
    monkeypatch.setattr(module, "source_digests", lambda _: {"twin": "0"})
    assert RolloutStore.of(asked).read(asked) == {}
    *_, again = film_of(package, request, asked.starts[0].number, 30)
    assert again != film
