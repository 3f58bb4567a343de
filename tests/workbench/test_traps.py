"""The verb of the trap on tiny packages: what is asked, what is reported, what cannot be."""

import json
from pathlib import Path

import pytest

from tests.fakes import tiny_act_package, tiny_smolvla_package
from vla_demo.core.errors import InvalidInput, UnknownEpisode, UnknownVariant
from vla_demo.core.package import PolicyPackage
from vla_demo.core.variant import Variant
from vla_demo.episodes import Dataset
from vla_demo.evaluation.sensitivity import SensitivityReport
from vla_demo.workbench.progress import Preparing
from vla_demo.workbench.sensitivity import study as traps
from vla_demo.workbench.sensitivity.plan import SensitivityRequest, moments_of, question_about
from vla_demo.workbench.sensitivity.study import SensitivityStudy


@pytest.fixture(scope="module")
def act(tmp_path_factory: pytest.TempPathFactory) -> PolicyPackage:
    return tiny_act_package(tmp_path_factory.mktemp("packages") / "act")


@pytest.fixture(scope="module")
def smolvla(tmp_path_factory: pytest.TempPathFactory) -> PolicyPackage:
    return tiny_smolvla_package(tmp_path_factory.mktemp("packages") / "smolvla")


def asked(*variants: str, **others: object) -> SensitivityRequest:
    return SensitivityRequest("tiny", variants=variants, observations_per_episode=2, **others)  # type: ignore[arg-type]


def report_of(trap: SensitivityStudy) -> SensitivityReport:
    *_, last = trap.steps()
    assert isinstance(last, SensitivityReport)
    return last


def test_a_denoising_policy_gets_every_figure(smolvla: PolicyPackage, dataset: Dataset) -> None:
    variants = ("expert=int8", "vision=int8,llm=int8,expert=int8", "expert=int4")
    report = report_of(SensitivityStudy(asked(*variants, steps=(1, 4)), smolvla, dataset))
    assert [(row.stage, row.precision) for row in report.sensitivity] == [("expert", "int8"), ("all", "int8"), ("expert", "int4")]
    assert all(row.error and row.error.mean > 0 and row.ms and row.fp32_ms for row in report.sensitivity)
    assert set(report.per_iteration) == {"int8", "int4"} and len(report.per_iteration["int8"].free_running) == 5
    assert [square.precision for square in report.two_by_two] == ["int8"]
    assert [row.steps for row in report.steps] == [1, 4] and set(report.steps[0].quantization) == {"int8", "expert=int8", "expert=int4"}
    assert (report.n_episodes, report.n_observations, report.denoise_steps) == (2, 4, 4)
    assert report.findings and SensitivityReport.read(json.dumps(report.as_json())).revision == smolvla.spec.revision


def test_an_act_gets_the_same_questions_without_iterations(act: PolicyPackage, dataset: Dataset) -> None:
    report = report_of(SensitivityStudy(asked("vision=int8", "expert=int8", "vision=int8,expert=int8"), act, dataset))
    assert [row.stage for row in report.sensitivity] == ["vision", "expert", "all"]
    assert report.per_iteration == {} and report.steps == () and report.fp32.seed_spread is None
    assert len(report.two_by_two) == 1 and len(report.by_position["int8"]) == act.spec.chunk_size


def test_without_variants_every_stage_is_asked_for_every_precision_and_what_cannot_be_says_why(
    act: PolicyPackage, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traps, "standard_precisions", lambda: ("int8", "int8-smooth"))
    report = report_of(SensitivityStudy(asked(episodes=(1,)), act, dataset))
    rows = {(row.stage, row.precision): row for row in report.sensitivity}
    assert {stage for stage, precision in rows if precision == "int8"} == {"vision", "expert", "all"}
    refused = [row for (_, precision), row in rows.items() if precision == "int8-smooth"]  # nothing to calibrate on fits these recordings
    assert {row.stage for row in refused} == {"vision", "expert"}  # and none is left for all of them together
    assert all(row.problem and row.error is None and str(act.folder) not in row.problem for row in refused)


def test_progress_comes_chunk_by_chunk_and_never_goes_back(act: PolicyPackage, dataset: Dataset) -> None:
    steps = [step for step in SensitivityStudy(asked("vision=int8"), act, dataset).steps() if isinstance(step, Preparing)]
    shares = [step.fraction for step in steps if step.fraction is not None]
    assert shares == sorted(shares) and shares[-1] == 1
    assert "vision in int8 (3 of 4)" in [step.text for step in steps]


def test_every_layer_is_tried_alone_when_asked(act: PolicyPackage, dataset: Dataset) -> None:
    report = report_of(SensitivityStudy(asked("expert=int8", layers=("int8",)), act, dataset))
    assert {row.stage for row in report.layers} == {"vision", "expert"} and {row.precision for row in report.layers} == {"int8"}
    assert all(row.own_error > 0 and row.action_error.mean >= 0 and row.weight_bytes > 0 for row in report.layers)


def test_a_study_can_be_stopped_between_two_chunks(act: PolicyPackage, dataset: Dataset) -> None:
    study = SensitivityStudy(asked("vision=int8"), act, dataset).steps()
    assert any("FP32 (1 of" in step.text for step in study if isinstance(step, Preparing))
    study.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("request_", "problem", "words"),
    [
        (asked("vision=int3"), UnknownVariant, "valid"),
        (asked("vision=fp32"), InvalidInput, "name a stage"),
        (asked("vision=int8,steps=2"), InvalidInput, "sweep of their own"),
        (asked(episodes=(7,)), UnknownEpisode, "has no episode 7"),
        (asked(layers=("fp32",)), InvalidInput, "such as int8"),
        (asked(steps=(0,)), InvalidInput, "valid: 1 to 100"),
        (SensitivityRequest("tiny", observations_per_episode=0), InvalidInput, "at least one"),
    ],
)
def test_what_does_not_fit_is_said_before_anything_is_computed(
    smolvla: PolicyPackage, dataset: Dataset, request_: SensitivityRequest, problem: type[Exception], words: str
) -> None:
    with pytest.raises(problem, match=words):
        next(SensitivityStudy(request_, smolvla, dataset).steps())


def test_a_variant_is_filed_under_what_differs(smolvla: PolicyPackage) -> None:
    spec = smolvla.spec
    filed = {
        text: question_about(Variant.parse(text, spec), spec) for text in ("llm=int4", "vision=int8,llm=int8", "vision=int8,expert=int4")
    }
    assert [(q.stage, q.precision, q.operands) for q in filed.values()] == [
        ("llm", "int4", "W4A16"),
        ("vision+llm", "int8", "W8A8"),
        ("vision+expert", "vision=int8,expert=int4", "W8A8 W4A16"),
    ]


def test_moments_are_spread_and_two_of_an_episode_follow_each_other(act: PolicyPackage, dataset: Dataset) -> None:
    moments = list(moments_of(dataset, act.spec, SensitivityRequest("tiny", observations_per_episode=2)))
    assert [(m.episode, m.frame) for m in moments] == [(0, 0), (0, 8), (1, 8), (1, 16)]  # plans of 8 actions, 20 frames
    assert [m.follows for m in moments] == [None, 0, None, 2]
    assert [m.before is None for m in moments] == [True, False, False, False]
    assert [len(m.recorded) for m in moments] == [8, 8, 8, 4]
    everything = list(moments_of(dataset, act.spec, SensitivityRequest("tiny", observations_per_episode=99)))
    assert [m.frame for m in everything] == [0, 8, 16] * 2


def test_a_report_names_no_folder_of_this_machine(act: PolicyPackage, dataset: Dataset) -> None:
    report = report_of(SensitivityStudy(asked("vision=int8", episodes=(0,)), act, dataset))
    assert str(Path(dataset.folder).parent) not in json.dumps(report.as_json())


def test_a_report_says_what_it_was_computed_with_and_reads_it_back(act: PolicyPackage, dataset: Dataset) -> None:
    report = report_of(SensitivityStudy(asked("vision=int8", "expert=fp16"), act, dataset))
    fingerprint = report.computed.fingerprint
    assert fingerprint is not None and SensitivityReport.read(json.dumps(report.as_json())).computed.fingerprint == fingerprint
    ran = {(graph.stage, graph.precision): graph for graph in fingerprint.graphs}
    assert set(ran) == {("vision", "fp32"), ("expert", "fp32"), ("vision", "int8"), ("expert", "fp16")}
    assert ran["vision", "int8"].made_with["scheme"] == "DynamicInt8" and {"quantization", "episodes"} <= fingerprint.code.keys()
    (row,) = (row for row in report.sensitivity if row.stage == "vision")
    assert row.sha256 == (ran["vision", "int8"].sha256,)


def test_other_observations_have_another_fingerprint(act: PolicyPackage, dataset: Dataset) -> None:
    one, other = (report_of(SensitivityStudy(asked("expert=fp16", episodes=(e,)), act, dataset)).computed.fingerprint for e in (0, 1))
    assert one is not None and other is not None and one.settings["observed"] != other.settings["observed"]
