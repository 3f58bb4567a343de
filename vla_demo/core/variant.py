"""A variant: which precision each stage runs in and how many denoising steps. Written `vision=int8,llm=fp32,expert=int8,steps=10`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from vla_demo.core.errors import UnknownVariant
from vla_demo.core.policy import PolicySpec
from vla_demo.core.precision import REFERENCE_PRECISION, canonical_precision

__all__ = ["MAX_DENOISE_STEPS", "REFERENCE_PRECISION", "StageChoice", "Variant"]

MAX_DENOISE_STEPS = 100


@dataclass(frozen=True, slots=True)
class StageChoice:
    role: str
    precision: str


@dataclass(frozen=True, slots=True)
class Variant:
    """Hashable: a cache key, a table row, a plot label, a part of a link."""

    stages: tuple[StageChoice, ...]  # one for each stage of the policy, in running order
    denoise_steps: int | None

    def __str__(self) -> str:
        parts = [f"{s.role}={s.precision}" for s in self.stages]
        if self.denoise_steps is not None:
            parts.append(f"steps={self.denoise_steps}")
        return ",".join(parts)

    def precision(self, role: str) -> str:
        """The precision a stage runs in. Raises `UnknownVariant` for a stage this variant does not have."""
        chosen = {s.role: s.precision for s in self.stages}
        if role not in chosen:
            raise UnknownVariant(f"this variant has no stage {role}; its stages are {', '.join(chosen)}")
        return chosen[role]

    @classmethod
    def reference(cls, spec: PolicySpec, denoise_steps: int | None = None) -> "Variant":
        """Every stage in FP32, with the checkpoint's own number of steps unless told otherwise."""
        return cls.of(spec, {}, denoise_steps)

    @classmethod
    def of(cls, spec: PolicySpec, precisions: Mapping[str, str], denoise_steps: int | None = None) -> "Variant":
        """`precisions` by role; stages it does not name stay FP32. Raises `UnknownVariant` for a stage or precision that does not exist."""
        roles = [s.role for s in spec.stages]
        unknown = sorted(set(precisions) - set(roles))
        if unknown:
            raise UnknownVariant(f"{spec.family} has no stage {', '.join(unknown)}; its stages are {', '.join(roles)}")
        choices = tuple(StageChoice(r, canonical_precision(precisions.get(r, REFERENCE_PRECISION))) for r in roles)
        return cls(choices, _checked_steps(spec, denoise_steps))

    @classmethod
    def parse(cls, text: str, spec: PolicySpec) -> "Variant":
        """Read `vision=int8,steps=10`. Raises `UnknownVariant`, listing what is valid."""
        chosen: dict[str, str] = {}
        steps: int | None = None
        for key, value in _pairs(text.split(",")):
            if key in chosen or (key == "steps" and steps is not None):
                raise UnknownVariant(f"{key} is given twice in {text!r}")
            if key == "steps":
                steps = _whole_number(value)
            else:
                chosen[key] = value
        return cls.of(spec, chosen, steps)


def _pairs(parts: Iterable[str]) -> Iterable[tuple[str, str]]:
    for part in parts:
        if not part.strip():
            continue
        key, equals, value = part.partition("=")
        if not equals:
            raise UnknownVariant(f"cannot read {part!r}; a variant is written like vision=int8,expert=fp32,steps=10")
        yield key.strip(), value.strip()


def _whole_number(value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise UnknownVariant(f"steps={value!r} is not a whole number") from None


def _checked_steps(spec: PolicySpec, steps: int | None) -> int | None:
    if spec.denoise_steps is None:
        if steps is not None:
            raise UnknownVariant(f"{spec.family} does not denoise, so it takes no steps=")
        return None
    if steps is None:
        return spec.denoise_steps
    if not 1 <= steps <= MAX_DENOISE_STEPS:
        raise UnknownVariant(f"steps={steps} is out of range; valid: 1 to {MAX_DENOISE_STEPS}")
    return steps
