"""A trap report with made-up numbers of a plausible shape: for tests of the page, and nowhere else."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from vla_demo.core.precision import Precision
from vla_demo.evaluation.sensitivity import REPORT_VERSION, SensitivityReport

N, STEPS, CHUNK = 24, 10, 50
FIGURES = ("heatmap", "speed", "iterations", "steps", "two_by_two", "by_position", "smoothness")
ERRORS: Mapping[str, tuple[float, float, float]] = {  # precision -> vision, llm, expert
    "fp16": (0.0, 0.0, 0.0006),  # of weights that were float16
    "int8": (0.011, 0.007, 0.041),
    "int8-static": (0.013, 0.012, 0.062),
    "int8-smooth": (0.010, 0.0065, 0.0072),
    "int8w": (0.0021, 0.0016, 0.0034),
    "int4": (0.035, 0.024, 0.081),
    "int2": (0.62, 0.41, 0.93),
}
RATIO = {"fp16": (0.5, 1.02), "int8": (0.27, 0.6), "int8-static": (0.27, 0.55), "int8-smooth": (0.27, 0.62), "int8w": (0.29, 1.1)}
BYTES = {"vision": 3_300_000, "llm": 5_200_000, "expert": 2_900_000}
MS = {"vision": 103.0, "llm": 60.0, "expert": 592.0}


def interval(mean: float, spread: float = 0.12) -> dict[str, float]:
    return {"mean": mean, "low": mean * (1 - spread), "high": mean * (1 + spread)}


def smooth(jerk: float, jump: float | None, flips: float) -> dict[str, float | None]:
    return {"jerk": jerk, "boundary_jump": jump, "gripper_flips": flips}


def refused(stage: str, precision: str) -> dict[str, Any]:
    """A row that could not be measured."""
    row: dict[str, Any] = dict.fromkeys(cell(["vision"], "vision", "int8", 0.1))
    row |= {"sha256": []}
    row |= {"stage": stage, "precision": precision, "operands": Precision.parse(precision).operands, "variant": f"{stage}={precision}"}
    return {**row, "n_observations": 0, "problem": "int8-static needs calibration"}


def cell(roles: list[str], stage: str, precision: str, error: float) -> dict[str, Any]:
    chosen = [role for role in roles if stage in (role, "all")]
    size, speed = RATIO.get(precision, (0.16, 1.9))
    fp32_bytes, fp32_ms = sum(BYTES[role] for role in chosen), sum(MS[role] for role in chosen)
    return {
        "stage": stage,
        "precision": precision,
        "operands": Precision.parse(precision).operands,
        "variant": ",".join(f"{role}={precision if role in chosen else 'fp32'}" for role in roles),
        "error": interval(error),
        "max_abs": 4 * error,
        "min_cosine": max(1 - 5 * error**2, -1),
        "p95": 2 * error,
        "vs_recorded": interval(0.41 + 0.6 * error**2),
        "verdict": "worse" if error > 0.3 else "not distinguishable",
        "bytes": int(fp32_bytes * size),
        "fp32_bytes": fp32_bytes,
        "ms": fp32_ms * speed,
        "fp32_ms": fp32_ms,
        "quantized_nodes": 38,
        "nodes": 38,
        "quantized_weight_bytes": fp32_bytes * 9 // 10,
        "weight_bytes": fp32_bytes * 9 // 10,
        "sha256": ["0123abcd" * 8],
        "n_observations": N,
        "problem": None,
        "smoothness": None,
    }


def sensitivity(roles: list[str]) -> list[dict[str, Any]]:
    places = {"vision": 0, "llm": 1, "expert": 2}
    return [
        cell(roles, stage, precision, errors[places[stage]] if stage in places else float(np.hypot(errors[0], errors[2])))
        for precision, errors in ERRORS.items()
        for stage in [*roles, "all"]
    ] + [refused("vision", "int8-static-entropy")]


def iterations() -> dict[str, Any]:
    k = np.arange(STEPS)
    made = {}
    for precision in ("int8", "int8-smooth", "int4", "int2"):
        fresh = ERRORS[precision][2] * (0.7 + 0.05 * k)
        grown = np.concatenate([[0], np.cumsum(fresh) / STEPS * (1 + 0.02 * k)])
        keys = {"propagated": fresh / 3, "sqnr_db": 20 - 10 * np.log10(fresh), "cosine": 1 - fresh**2, "kappa": -fresh / 10}
        made[precision] = {"teacher_forced": fresh.tolist(), "free_running": grown.tolist(), **{n: v.tolist() for n, v in keys.items()}}
    return made


def steps_rows() -> list[dict[str, Any]]:
    return [
        {
            "steps": n,
            "solver": interval(0.3 / n),
            "quantization": {p: interval(ERRORS[p][2] * (1 + 0.3 / n)) for p in ("int8", "int8-smooth", "int4")},
            "vs_recorded": interval(0.43 - 0.02 / n, 0.05),
            "in_seed_spreads": {"solver": 1.5 / n, "int8": 0.2, "int8-smooth": 0.04, "int4": 0.4},
            "ms": 160.0 + 59 * n,
            "n_observations": 8,
        }
        for n in (1, 2, 5, 10, 20)
    ]


def pair(precision: str, roles: list[str]) -> dict[str, Any]:
    vision, llm, expert = ERRORS[precision]
    first = vision + llm if "llm" in roles else vision
    both = float(np.hypot(first, expert))
    parts = {"prefix": interval(first), "expert": interval(expert), "both": interval(both)}
    return {"precision": precision, **parts, "ratio": both / (first + expert), "residual": 0.4, "cosine": 0.72}


def layers(roles: list[str]) -> list[dict[str, Any]]:
    made = [
        {"stage": role, "layer": f"{'encoder' if role == 'vision' else 'layers'}.{block}.{part}", "precision": precision, "block": block}
        for precision in ("int8", "int4")
        for role in roles
        for block in range(4)
        for part in ("mlp.down_proj", "self_attn.q_proj")
    ]
    scale = {"vision": 0.004, "llm": 0.006, "expert": 0.012}
    for one in made:
        error = scale[one["stage"]] * (0.4 + one["block"]) / (2 if "attn" in one["layer"] else 1)
        one |= {"own_error": 3 * error, "action_error": interval(error, 0.3), "weight_bytes": 393_216}
        del one["block"]
    return made


def sample_report(policy: str) -> SensitivityReport:
    """Read as a file would be: what is no trap report fails here."""
    return SensitivityReport.read(json.dumps(sample_json(policy)))


def sample_json(policy: str) -> dict[str, Any]:
    flows = policy == "smolvla"
    roles = ["vision", "llm", "expert"] if flows else ["vision", "expert"]
    per_iteration = iterations() if flows else {}
    return {
        "version": REPORT_VERSION,
        "policy": policy,
        "family": policy,
        "checkpoint": policy,
        "revision": "5f0c3a9e" * 8,
        "denoise_steps": STEPS if flows else None,
        "chunk_size": CHUNK,
        "fps": 30.0,
        "computed": {"when": "2026-11-22T18:20:00+00:00", "machine": "a stand-in", "seconds": 512.0, "fingerprint": None, "verified": None},
        "dataset": "made up",
        "episodes": list(range(8)),
        "n_episodes": 8,
        "n_observations": N,
        "unit": "standard deviations of the action, by the checkpoint's statistics",
        "bootstrap": {"resamples": 2000, "level": 0.95, "clustered_by": "episode"},
        "seed": 0,
        "fp32": {
            "vs_recorded": interval(0.41, 0.05),
            "seed_spread": interval(0.21) if flows else None,
            "stages": {role: {"bytes": BYTES[role], "ms": MS[role]} for role in roles},
            "smoothness": smooth(0.034, 3.1, 2),
        },
        "sensitivity": sensitivity(roles),
        "per_iteration": per_iteration,
        "amplification": {precision: np.linspace(1, 1.18, STEPS).tolist() for precision in per_iteration},
        "coherence": {precision: np.linspace(1, 0.6, STEPS).tolist() for precision in per_iteration},
        "two_by_two": [pair(precision, roles) for precision in ("int8", "int4")],
        "steps": steps_rows() if flows else [],
        "by_position": {"fp32": [0.4] * CHUNK}
        | {p: (ERRORS[p][2] * np.linspace(0.5, 1.6, CHUNK)).tolist() for p in ("int8", "int8-smooth", "int4")},
        "layers": layers(roles),
        "smoothness": {
            "recorded": smooth(0.021, 1.0, 2),
            "fp32": smooth(0.034, 3.1, 2),
            "int4": smooth(0.052, None, 3),
        },
        "findings": [
            *(finding(name, None, f"A made-up reading of the figure {name}: 7 of 8 times the expert costs most.") for name in FIGURES),
            finding("layers", "int8", "In INT8 a made-up reading of the layers."),
        ],
    }


def finding(figure: str, precision: str | None, text: str) -> dict[str, Any]:
    return {"figure": figure, "stage": None, "precision": precision, "text": text}
