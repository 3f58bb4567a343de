"""Errors inside the denoising loop, against a linear field where each of them is known in closed form."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tests.fake_flow import STD, LinearFlow
from tests.fakes import noise
from vla_demo.evaluation.anatomy import FlowErrors, amplification, coherence, flow_errors, iteration_errors
from vla_demo.evaluation.flow import ActionUnit, follow

N, B = 10, 0.2


def constant(value: float) -> Callable[[float], float]:
    return lambda moment: value


def errors(exact: LinearFlow, quantized: LinearFlow, steps: int = N) -> FlowErrors:
    start = noise(exact.spec)
    assert start is not None
    contexts = [{"keys": np.asarray([p.offset])} for p in (exact, quantized)]
    reference, own = (follow(p, c, start, steps) for p, c in zip((exact, quantized), contexts, strict=True))
    return flow_errors(quantized, contexts[1], reference, own, ActionUnit.of(exact, STD))


@pytest.mark.parametrize("slope", [-2.0, 0.5, 3.0])
def test_a_constant_error_grows_as_the_field_says(slope: float) -> None:
    found = [errors(LinearFlow(slope), LinearFlow(slope, bias=constant(B)))]
    grown = np.array([((1 - slope / N) ** k - 1) / (-slope / N) / N for k in range(N + 1)]) * B
    figures = iteration_errors(found)
    np.testing.assert_allclose(figures.teacher_forced, [B] * N, rtol=1e-5)
    np.testing.assert_allclose(figures.free_running, grown, atol=1e-6)
    np.testing.assert_allclose(figures.propagated, abs(slope) * grown[:-1], atol=1e-5)
    np.testing.assert_allclose(amplification(found), [grown[k] * N / (B * k) for k in range(1, N + 1)], rtol=1e-4)


def test_amplification_tells_an_amplifying_field_from_a_contracting_one_and_from_none() -> None:
    last = [amplification([errors(LinearFlow(s), LinearFlow(s, bias=constant(B)))])[-1] for s in (-3.0, 0.0, 3.0)]
    assert last[0] is not None and last[1] is not None and last[2] is not None
    assert last[0] > 1.5 and last[1] == pytest.approx(1, abs=1e-5) and last[2] < 0.5


@pytest.mark.parametrize("slope", [-2.0, 0.0, 3.0])
def test_the_split_is_exact(slope: float) -> None:
    quantized = LinearFlow(slope, gain=0.05, bias=lambda moment: B * np.sin(9 * moment))
    assert errors(LinearFlow(slope), quantized).split_residual() < 1e-6


def test_a_wrong_split_is_noticed() -> None:
    found = errors(LinearFlow(-2.0), LinearFlow(-2.0, bias=constant(B)))
    assert replace(found, propagated=0 * found.propagated).split_residual() > 1e-3  # nothing feeds back
    assert replace(found, fresh=found.fresh * 1.01).split_residual() > 1e-5


def test_coherence_is_one_for_a_bias_and_small_for_errors_that_alternate() -> None:
    biased = coherence([errors(LinearFlow(1.0), LinearFlow(1.0, bias=constant(B)))])
    alternating = LinearFlow(1.0, bias=lambda moment: B * (-1) ** round(moment * N))
    turning = coherence([errors(LinearFlow(1.0), alternating)])
    np.testing.assert_allclose(biased, [1.0] * N, rtol=1e-4)
    assert turning[0] == pytest.approx(1) and turning[-1] == pytest.approx(0, abs=1e-4)


def test_a_velocity_that_is_merely_scaled_is_all_kappa_and_keeps_its_direction() -> None:
    figures = iteration_errors([errors(LinearFlow(2.0), LinearFlow(2.0, gain=0.1))])
    np.testing.assert_allclose(figures.kappa, [0.1] * N, rtol=1e-4)
    np.testing.assert_allclose(figures.cosine, [1.0] * N, rtol=1e-6)
    np.testing.assert_allclose(figures.sqnr_db, [20.0] * N, rtol=1e-3)  # 10 log10(1 / 0.1^2)


def test_a_policy_compared_with_itself_has_no_error_and_no_ratio_of_it() -> None:
    found = [errors(LinearFlow(2.0), LinearFlow(2.0))]
    figures = iteration_errors(found)
    assert set(figures.teacher_forced) == set(figures.free_running) == set(figures.propagated) == {0.0}
    assert set(figures.sqnr_db) == set(amplification(found)) == set(coherence(found)) == {None}


def test_padded_dimensions_do_not_count() -> None:
    figures = iteration_errors([errors(LinearFlow(1.0), LinearFlow(1.0, padding=100.0))])
    assert max(figures.free_running) == 0.0


def test_errors_are_in_standard_deviations_whatever_the_normalization() -> None:
    policy = LinearFlow()
    np.testing.assert_allclose(ActionUnit.of(policy, 10 * STD).of_difference(np.ones((2, 8))), np.full((2, 6), 0.1), rtol=1e-5)


def test_over_several_chunks_norms_are_averaged() -> None:
    found = [errors(LinearFlow(1.0), LinearFlow(1.0, bias=constant(b))) for b in (0.1, 0.3)]
    np.testing.assert_allclose(iteration_errors(found).teacher_forced, [0.2] * N, rtol=1e-4)
