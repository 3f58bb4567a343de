"""Names that people read, each made in one place."""

import ast
from pathlib import Path

import pytest

from vla_demo.core import labels
from vla_demo.core.precision import OFFERED_PRECISIONS
from vla_demo.runtime.control_loop import MODES


def test_known_stages_and_families_have_a_name_and_others_show_as_they_are() -> None:
    assert [labels.stage_label(role) for role in ("vision", "llm", "expert", "tactile")] == [
        "Vision encoder",
        "Language backbone",
        "Action expert",
        "tactile",
    ]
    assert [labels.family_label(family) for family in ("smolvla", "pi0")] == ["SmolVLA", "pi0"]


@pytest.mark.parametrize(
    ("precision", "label"),
    [
        ("fp32", "FP32"),
        ("int8", "INT8"),
        ("int8w", "INT8 weights"),
        ("int8-static", "INT8 static"),
        ("int8-static-entropy", "INT8 static entropy"),
        ("int4-b64-a8", "INT4 b64 a8"),
        ("mixed-0123456789ab", "Mixed 012345"),
        ("vision=int8w,llm=int4", "vision INT8 weights, llm INT4"),
        ("int3", "INT3"),  # of a board that knows more than this program
    ],
)
def test_a_precision_is_written_as_people_write_it(precision: str, label: str) -> None:
    assert labels.precision_label(precision) == label


@pytest.mark.parametrize(
    ("variant", "label"),
    [
        ("vision=fp32,expert=fp32", "FP32"),
        ("vision=int8w,llm=int8w,expert=int8w,steps=2", "INT8 weights, 2 steps"),
        ("vision=int8,expert=fp32", "vision INT8, expert FP32"),
        ("vision=int4,llm=int4,expert=fp32,steps=10", "vision INT4, llm INT4, expert FP32, 10 steps"),
    ],
)
def test_a_variant_names_its_stages_only_where_they_differ(variant: str, label: str) -> None:
    assert labels.variant_label(variant) == label


def test_joints_are_in_degrees_and_the_gripper_in_percent() -> None:
    assert labels.joint_label("shoulder_pan.pos") == "shoulder pan"
    assert [labels.joint_unit(name) for name in ("shoulder_pan.pos", "gripper.pos")] == ["°", "%"]


def test_every_precision_and_every_mode_that_is_offered_has_a_sentence() -> None:
    assert tuple(labels.PRECISION_SENTENCES) == OFFERED_PRECISIONS
    assert tuple(labels.MODES) == tuple(labels.MODE_SENTENCES) == tuple(MODES)


NAMES = {*labels.STAGES.values(), *labels.FAMILIES.values(), *labels.MODES.values(), *labels.PRECISION_SENTENCES.values()}


def named_again(source: str) -> list[str]:
    """Strings that say in full what is named in `labels`."""
    values = (node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant))
    return [value for value in values if isinstance(value, str) and value in NAMES]


def test_nobody_else_names_stages_families_modes_or_precisions() -> None:
    sources = [path for path in Path(labels.__file__).parents[1].rglob("*.py") if path != Path(labels.__file__)]
    assert {path.name: found for path in sources if (found := named_again(path.read_text("utf-8")))} == {}


def test_a_second_name_would_be_found() -> None:
    assert named_again('LABELS = {"act": "ACT", "vision": "Vision encoder", "llm": "language"}') == ["ACT", "Vision encoder"]
