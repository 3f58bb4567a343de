"""Variants: what is written is what is read, and whatever is wrong is refused with a list of what would be right."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import act_spec, smolvla_spec
from vla_demo.core.errors import InvalidInput, UnknownVariant
from vla_demo.core.precision import OFFERED_PRECISIONS
from vla_demo.core.variant import MAX_DENOISE_STEPS, Variant

SPECS = {"act": act_spec(), "smolvla": smolvla_spec()}


@st.composite
def variants(draw: st.DrawFn) -> tuple[str, Variant]:
    family = draw(st.sampled_from(sorted(SPECS)))
    spec = SPECS[family]
    chosen = {
        stage.role: draw(st.sampled_from((*OFFERED_PRECISIONS, "int4-b64-a8", "int8-static-entropy", "mixed-0123456789ab")))
        for stage in spec.stages
    }
    steps = None if spec.denoise_steps is None else draw(st.integers(1, MAX_DENOISE_STEPS))
    return family, Variant.of(spec, chosen, steps)


@given(variants())
def test_a_written_variant_reads_back_as_itself(case: tuple[str, Variant]) -> None:
    family, variant = case
    assert Variant.parse(str(variant), SPECS[family]) == variant


@given(variants(), st.randoms(use_true_random=False))
def test_the_order_of_the_parts_and_blanks_do_not_matter(case: tuple[str, Variant], random: object) -> None:
    family, variant = case
    parts = str(variant).split(",")
    random.shuffle(parts)  # type: ignore[attr-defined]
    assert Variant.parse(" , ".join(parts) + " ,", SPECS[family]) == variant


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_as_an_unknown_variant(text: str) -> None:
    try:
        variant = Variant.parse(text, SPECS["smolvla"])
    except UnknownVariant:
        return
    assert Variant.parse(str(variant), SPECS["smolvla"]) == variant


def test_a_variant_is_written_like_the_readme_says() -> None:
    variant = Variant.of(SPECS["smolvla"], {"vision": "int8", "expert": "int8"}, 10)
    assert str(variant) == "vision=int8,llm=fp32,expert=int8,steps=10"


def test_stages_not_named_stay_in_fp32_and_steps_are_the_checkpoints_own() -> None:
    assert Variant.parse("vision=int8", SPECS["smolvla"]) == Variant.of(SPECS["smolvla"], {"vision": "int8"}, 4)
    assert Variant.parse("", SPECS["act"]) == Variant.reference(SPECS["act"])


@pytest.mark.parametrize(
    ("text", "family", "valid"),
    [
        ("llm=int8", "act", "vision, expert"),
        ("vision=int3", "act", "fp32, fp16, int8"),
        ("steps=10", "act", "no steps="),
        ("steps=0", "smolvla", "1 to 100"),
        ("steps=101", "smolvla", "1 to 100"),
        ("steps=ten", "smolvla", "not a whole number"),
        ("vision", "act", "vision=int8,expert=fp32"),
        ("vision=int8,vision=int8", "act", "given twice"),
        ("steps=3,steps=4", "smolvla", "given twice"),
        ("=int8", "act", "vision, expert"),
    ],
)
def test_what_is_wrong_is_refused_with_what_would_be_right(text: str, family: str, valid: str) -> None:
    with pytest.raises(UnknownVariant, match=valid):
        Variant.parse(text, SPECS[family])


def test_an_unknown_precision_is_refused_however_it_comes_in() -> None:
    with pytest.raises(UnknownVariant, match="fp32, fp16, int8"):
        Variant.of(SPECS["act"], {"vision": "../../etc"})


def test_the_precision_of_a_stage_it_lacks_is_refused() -> None:
    with pytest.raises(InvalidInput, match="vision, expert"):
        Variant.reference(SPECS["act"]).precision("llm")


def test_equal_variants_are_one_key() -> None:
    spec = SPECS["smolvla"]
    assert len({Variant.parse("expert=int8", spec), Variant.parse("steps=4,expert=int8,vision=fp32", spec)}) == 1
