"""Columns of a parquet file as Python lists. `pyarrow.dataset`, which `read_table` goes through, costs a second to import: not used."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vla_demo.core.errors import InvalidInput, MissingPiece
from vla_demo.core.extras import install

__all__ = ["read_columns"]


def read_columns(file: Path, columns: Sequence[str], only: tuple[str, int] | None = None) -> Mapping[str, list[Any]]:
    """Those columns, whole; with `only=(column, value)` at least the rows where that column has that value, and few others.

    Raises `InvalidInput` when the file is damaged or lacks a column.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingPiece(f"reading datasets needs pyarrow: {install('app')}") from error
    try:
        with pq.ParquetFile(file) as table:
            groups = [g for g in range(table.num_row_groups) if only is None or _may_hold(table.metadata.row_group(g), *only)]
            contents: dict[str, list[Any]] = table.read_row_groups(groups, columns=list(columns)).to_pydict()
    except (pa.ArrowException, OSError) as error:
        raise InvalidInput(f"{file} cannot be read: {error}") from error
    missing = [c for c in columns if c not in contents]
    if missing:
        raise InvalidInput(f"{file} lacks {', '.join(missing)}; it has {', '.join(contents)}")
    return contents


def _may_hold(group: Any, column: str, value: int) -> bool:
    """By the group's own minimum and maximum, where it has them. LeRobot writes one row group an episode."""
    for i in range(group.num_columns):
        details = group.column(i)
        if details.path_in_schema == column and details.statistics is not None and details.statistics.has_min_max:
            return bool(details.statistics.min <= value <= details.statistics.max)
    return True
