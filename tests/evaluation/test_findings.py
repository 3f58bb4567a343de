"""Sentences follow the numbers: other numbers, another sentence."""

from dataclasses import replace

from tests.trap_reports import around, report, row
from vla_demo.evaluation.claims.findings import findings
from vla_demo.evaluation.sensitivity import LayerRow, SensitivityReport


def about(figure: str, of: SensitivityReport) -> str:
    return " ".join(f.text for f in findings(of) if f.figure == figure)


def test_the_stage_that_costs_most_is_named_with_its_factor() -> None:
    assert "In INT8 the action expert costs most: 3.0 times the error of the next stage." in about("heatmap", report())
    close = replace(report(), sensitivity=(row("vision", "int8", 0.03), row("expert", "int8", 0.031)))
    assert "costs most, though its interval overlaps the next: 1.0 times" in about("heatmap", close)


def test_precisions_of_which_the_same_is_true_share_a_sentence() -> None:
    rows = [row(stage, precision, error) for precision in ("int8", "int4") for stage, error in (("vision", 0.01), ("expert", 0.03))]
    assert "In INT8 and INT4 the action expert costs most" in about("heatmap", replace(report(), sensitivity=tuple(rows)))


def test_a_stage_that_is_slower_in_fewer_bytes_is_said_to_be() -> None:
    said = about("speed", report())
    assert "Smaller but slower on this machine: the action expert in INT8 (1.5 times FP32's time)." in said
    assert "Faster than FP32 on this machine: the vision encoder in INT8 (2.0 times as fast)." in said
    assert about("speed", replace(report(), sensitivity=(row("expert", "int8", 0.1, ms=19.9),))) == ""


def test_the_loop_amplifies_contracts_or_does_neither() -> None:
    assert "The loop contracts what the steps of an expert in INT8 get wrong: amplification 0.50" in about("iterations", report())
    assert "The loop amplifies" in about("iterations", replace(report(), amplification={"int8": (1.0, 1.7)}))
    assert "passes on as it is" in about("iterations", replace(report(), amplification={"int8": (1.0, 1.01)}))
    assert "err in much the same direction (coherence 0.90; 0.71 would be chance)" in about("iterations", report())
    assert "partly cancel" in about("iterations", replace(report(), coherence={"int8": (1.0, 0.72)}))


def test_a_fresh_error_that_grows_is_said_to() -> None:
    assert "as large as the first's in INT8: 1.0 times" in about("iterations", report())
    errors = replace(report().per_iteration["int8"], teacher_forced=(0.1, 0.3))
    assert "larger than the first's in INT8: 3.0 times" in about("iterations", replace(report(), per_iteration={"int8": errors}))


def test_whether_errors_add_is_said() -> None:
    assert "together are their sum (ratio 1.00; unrelated errors would give 0.79)" in about("two_by_two", report())
    assert "the expert brings more of the error: 3.0 times" in about("two_by_two", report())
    square = report().two_by_two[0]
    close = about("two_by_two", replace(report(), two_by_two=(replace(square, prefix=around(0.029)),)))
    assert "In INT8 neither clearly brings more of the error" in close and "the expert brings more" not in close
    assert "worse than their sum" in about("two_by_two", replace(report(), two_by_two=(replace(square, ratio=2.9),)))
    assert "less than their sum" in about("two_by_two", replace(report(), two_by_two=(replace(square, ratio=0.8),)))
    assert "added as vectors chunk by chunk, predict the error of both together (residual 0.10)" in about("two_by_two", report())
    assert "do not predict" in about("two_by_two", replace(report(), two_by_two=(replace(square, residual=0.9),)))


def test_steps_are_weighed_against_precision_and_the_recording_is_warned_of() -> None:
    said = about("steps", report())
    assert "From 2 steps on, INT8 in all stages costs more than the steps that are saved: 0.04 against 0.02." in said
    assert "few steps lean to the average" in said
    rough = replace(report(), steps=tuple(replace(r, solver=around(9.0), vs_recorded=around(0.1)) for r in report().steps))
    assert "saving steps costs more than INT8" in about("steps", rough) and "average" not in about("steps", rough)


def test_what_the_episodes_do_not_tell_apart_is_said_in_these_words() -> None:
    assert "3 of 3 variants are not distinguishable" in about("heatmap", report())
    worse = tuple(replace(r, verdict="worse") if r.verdict else r for r in report().sensitivity)
    assert "Farther from the recording than FP32: vision in INT8, expert in INT8 and all in INT8." in about(
        "heatmap", replace(report(), sensitivity=worse)
    )


def test_the_spread_of_the_policy_itself_is_the_yardstick() -> None:
    assert "INT8 16 %" in about("heatmap", report())


def test_what_is_not_possible_is_listed() -> None:
    assert "Refused here, each for a reason that is given: llm in INT8." in about("heatmap", report())


def test_positions_and_jerk_are_said_when_there_is_something_to_say() -> None:
    assert "grows along the chunk in INT8: the last third is 4.0 times" in about(
        "by_position", report()
    ) and "jerk is 1.2 times in INT8" in about("smoothness", report())
    calm = replace(report(), smoothness=dict.fromkeys(("recorded", "fp32", "int8"), report().fp32.smoothness))
    assert "Beside" not in about("smoothness", calm)
    assert "FP32's own jerk: 1.0 times the demonstrator's." in about("smoothness", calm)


def test_the_layer_that_costs_most_is_named_and_whether_its_own_error_told_so() -> None:
    layers = tuple(LayerRow("expert", f"layer {i}", "int4", 0.1 * (i + 1), around(0.01 * (i + 1)), 100) for i in range(5))
    said = about("layers", replace(report(), layers=layers))
    assert "Of 5 layers alone in INT4, layer 4 (expert) costs most: 0.05 standard deviations, 1.7 times the median layer's" in said
    assert "tells much of its error at the actions (rank correlation 1.00)" in said
    turned = tuple(replace(row, own_error=-row.own_error) for row in layers)
    assert "tells little of" in about("layers", replace(report(), layers=turned))


def test_no_numbers_no_sentences() -> None:
    empty = replace(report(), sensitivity=(), per_iteration={}, amplification={}, coherence={}, two_by_two=(), steps=(), by_position={})
    assert {f.figure for f in findings(empty)} == {"smoothness"}


def test_a_precision_that_costs_nothing_has_no_multiples() -> None:
    """float16 of a checkpoint that was stored in float16."""
    free = (row("vision", "fp16", 0.0), row("expert", "fp16", 0.0), row("all", "fp16", 0.0))
    square = replace(report().two_by_two[0], expert=around(0.0), ratio=1.0)
    nothing = replace(square, prefix=around(0.0), both=around(0.0), ratio=None, residual=None, cosine=None)
    said = findings(replace(report(), sensitivity=free, two_by_two=(square, nothing)))
    assert not any("costs most" in f.text or "brings more" in f.text for f in said)


def test_a_stage_that_was_swept_alone_is_called_by_its_name() -> None:
    one = report().steps[0]
    rows = tuple(replace(r, quantization={"expert=int8": r.quantization["int8"]}) for r in report().steps)
    assert one.quantization and "expert INT8 costs more than the steps that are saved" in about("steps", replace(report(), steps=rows))


def test_a_sentence_says_in_fields_what_it_is_about() -> None:
    found = findings(report())
    assert {(f.figure, f.stage, f.precision) for f in found} >= {("heatmap", "expert", "int8"), ("steps", "all", "int8")}
    rows = [row(stage, precision, error) for precision in ("int8", "int4") for stage, error in (("vision", 0.01), ("expert", 0.03))]
    several = next(f for f in findings(replace(report(), sensitivity=tuple(rows))) if "costs most" in f.text)
    assert (several.stage, several.precision) == ("expert", None)
