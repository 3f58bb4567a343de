"""Precisions as text: one way to write each, and what does not exist is refused with what does."""

import pytest

from vla_demo.core.errors import UnknownVariant
from vla_demo.core.precision import OFFERED_PRECISIONS, Precision, canonical_precision


@pytest.mark.parametrize("text", [*OFFERED_PRECISIONS, "int4-b64-a8", "int8-static-entropy", "mixed-0123456789ab"])
def test_a_written_precision_reads_back_as_itself(text: str) -> None:
    assert canonical_precision(text) == text


@pytest.mark.parametrize(
    ("text", "short"),
    [("int4-b32-a16", "int4"), ("int4-a8-b64", "int4-b64-a8"), ("int8-static-minmax", "int8-static"), ("int8w-a8-b32", "int8w-a8")],
)
def test_defaults_are_not_written_and_options_have_one_order(text: str, short: str) -> None:
    assert canonical_precision(text) == short


@pytest.mark.parametrize(
    ("text", "operands"),
    [
        ("fp32", "W32A32"),
        ("fp16", "W16A32"),
        ("int8", "W8A8"),
        ("int8-static", "W8A8"),
        ("int4", "W4A16"),
        ("int4-a8", "W4A8"),
        ("int8w", "W8A16"),
        ("int2", "W2A16"),
    ],
)
def test_what_weights_and_activations_are_is_said_as_the_field_writes_it(text: str, operands: str) -> None:
    assert Precision.parse(text).operands == operands


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("int3", "fp32, fp16, int8"),
        ("", "fp32, fp16, int8"),
        ("int8-b32", "valid for int8: none"),
        ("int4-b31", "b32, b16, b64, b128, b256, a16, a8"),
        ("int4-b32-b64", "b32 and b64"),
        ("int8-static-mse", "minmax, entropy, percentile"),
        ("mixed", "mixed-<12 hexadecimal digits>"),
        ("mixed-../../etc", "mixed-<12 hexadecimal digits>"),
    ],
)
def test_what_is_wrong_is_refused_with_what_would_be_right(text: str, valid: str) -> None:
    with pytest.raises(UnknownVariant, match=valid.replace("<", ".").replace(">", ".")):
        Precision.parse(text)
