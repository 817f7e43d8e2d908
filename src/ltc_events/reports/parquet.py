"""Writes reports as Parquet files; needs the extra `parquet`, which installs pyarrow."""

from collections.abc import Callable, Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from ltc_events.reports.base import Column, ColumnType
from ltc_events.reports.errors import ParquetUnavailable
from ltc_events.reports.runner import Answer
from ltc_events.reports.values import json_text

# One scale holds for a whole column: nine decimals are what amounts may have.
DIGITS, SCALE = 38, 9
# So many rows are in memory at a time.
GROUP_ROWS = 2_000
_DECIMALS = (ColumnType.DECIMAL, ColumnType.PERCENT, ColumnType.MONEY)


def write_parquet(answer: Answer, path: Path) -> None:
    """Write a report; decimals are `decimal128(38, 9)`, rounded half up, and ids text. Raises ParquetUnavailable."""
    about = {"report": answer.report.name, "as_of": answer.as_of.isoformat(), "position": str(answer.position)}
    write_columns(answer.columns, answer.rows, about, path)


def write_columns(
    columns: Sequence[Column],
    rows: Iterable[tuple[Any, ...]],
    about: dict[str, str],
    path: Path,
    *,
    group_rows: int = GROUP_ROWS,
) -> None:
    """As `write_parquet`, for any rows; each field has the meaning of its column as `comment`."""
    pa, pq = load_pyarrow()
    kinds = {
        ColumnType.TEXT: pa.string(),
        ColumnType.UUID: pa.string(),
        ColumnType.DATE: pa.date32(),
        ColumnType.TIME: pa.timestamp("us", tz="UTC"),
        ColumnType.BOOLEAN: pa.bool_(),
        ColumnType.INTEGER: pa.int64(),
        ColumnType.JSON: pa.string(),
        **dict.fromkeys(_DECIMALS, pa.decimal128(DIGITS, SCALE)),
    }
    described = [pa.field(one.name, kinds[one.type], metadata={"comment": one.meaning}) for one in columns]
    schema = pa.schema(described, metadata=about)
    rest = iter(rows)
    with pq.ParquetWriter(path, schema) as writer:
        while group := list(islice(rest, group_rows)):
            arrays = [
                pa.array([None if row[place] is None else _CONVERT[column.type](row[place]) for row in group], kinds[column.type])
                for place, column in enumerate(columns)
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


def load_pyarrow() -> tuple[Any, Any]:
    """The modules `pyarrow` and `pyarrow.parquet`; raises ParquetUnavailable."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise ParquetUnavailable from error
    return pa, pq


def _same(value: Any) -> Any:
    return value


def _scaled(value: Decimal) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-SCALE), ROUND_HALF_UP)


_CONVERT: dict[ColumnType, Callable[[Any], Any]] = {
    **dict.fromkeys(ColumnType, _same),
    **dict.fromkeys(_DECIMALS, _scaled),
    ColumnType.UUID: str,
    ColumnType.JSON: json_text,
}
