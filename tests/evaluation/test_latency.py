"""A latency never goes without its source."""

import pytest

from tests.fakes import act_spec, smolvla_spec
from vla_demo.core.errors import InvalidInput
from vla_demo.core.variant import Variant
from vla_demo.evaluation.latency import given_latency, measured_latency, predicted_latency, published_latency

ACT, SMOLVLA = act_spec(), smolvla_spec()


@pytest.mark.parametrize(
    ("spec", "variant", "seconds"),
    [(ACT, "", 2.86), (ACT, "vision=int8", 0.32), (SMOLVLA, "", 29.1), (SMOLVLA, "llm=int4", 6.15)],
)
def test_the_articles_four_figures(spec: object, variant: str, seconds: float) -> None:
    found = published_latency(spec, Variant.parse(variant, spec))  # type: ignore[arg-type]
    assert (found.seconds, found.kind) == (seconds, "published") and "5 March 2026" in found.about


def test_a_prediction_says_its_band_and_what_it_cannot_know() -> None:
    found = predicted_latency(ACT, Variant.reference(ACT))
    assert found.kind == "predicted" and found.seconds == pytest.approx(2.86)
    assert "2.2 to 3.7 s" in found.about and "cannot know" in found.about


def test_a_measured_one_is_a_median_and_says_of_how_many() -> None:
    found = measured_latency([0.3, 0.1, 0.2], "a machine")
    assert (found.seconds, found.kind) == (0.2, "measured") and "median of 3" in found.about and "a machine" in found.about


@pytest.mark.parametrize("text", ["fast", "-1", "nan", "1e9"])
def test_what_is_no_latency_is_refused_with_what_is(text: str) -> None:
    with pytest.raises(InvalidInput, match="imx95-published, imx95-predicted, board:NAME, or milliseconds"):
        given_latency(text)


def test_a_family_nobody_published_or_counted_is_refused() -> None:
    from dataclasses import replace

    other = replace(ACT, family="pi0")
    for source in (published_latency, predicted_latency):
        with pytest.raises(InvalidInput, match="Give milliseconds"):
            source(other, Variant.reference(other))
