"""What stages and precisions are called in the figures of the Trap tab, and in which order they stand."""

from collections.abc import Iterable

from vla_demo.core.labels import precision_label
from vla_demo.core.precision import OFFERED_PRECISIONS, Precision

__all__ = ["in_order", "row_of", "scheme_of"]


def in_order(precisions: Iterable[str]) -> list[str]:
    """Each once, as the dial has them; recipes last."""

    def place(precision: str) -> tuple[int, str]:
        scheme = scheme_of(precision)
        return (OFFERED_PRECISIONS.index(scheme) if scheme in OFFERED_PRECISIONS else len(OFFERED_PRECISIONS), precision)

    return sorted(dict.fromkeys(precisions), key=place)


def scheme_of(name: str) -> str:
    """Of a precision; of stages in several precisions, as in `vision=int8,llm=int4`, that it is mixed."""
    return "mixed" if "=" in name else Precision.parse(name).scheme


def row_of(precision: str) -> dict[str, str]:
    operands = "" if "=" in precision else Precision.parse(precision).operands
    return {"precision": precision, "label": precision_label(precision), "operands": operands}
