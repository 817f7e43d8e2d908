"""A report as a Parquet file, for the lake; with the extra `parquet`, which brings pyarrow."""

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import orjson

from ltc_events.reports.base import ColumnType
from ltc_events.reports.errors import ParquetUnavailable
from ltc_events.reports.runner import Result

# One scale holds for a whole column: nine decimals are what amounts may have.
DIGITS, SCALE = 38, 9


def write_parquet(result: Result, path: Path) -> None:
    """Decimals become `decimal128(38, 9)`, rounded half up there; ids are text. Raises ParquetUnavailable without pyarrow."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise ParquetUnavailable from error
    types: dict[ColumnType, tuple[Any, Callable[[Any], Any]]] = {
        ColumnType.TEXT: (pa.string(), _same),
        ColumnType.UUID: (pa.string(), str),
        ColumnType.DATE: (pa.date32(), _same),
        ColumnType.TIME: (pa.timestamp("us", tz="UTC"), _same),
        ColumnType.BOOLEAN: (pa.bool_(), _same),
        ColumnType.INTEGER: (pa.int64(), _same),
        ColumnType.JSON: (pa.string(), lambda value: orjson.dumps(value).decode()),
        **dict.fromkeys((ColumnType.DECIMAL, ColumnType.PERCENT, ColumnType.MONEY), (pa.decimal128(DIGITS, SCALE), _scaled)),
    }
    arrays, fields = [], []
    for place, column in enumerate(result.columns):
        kind, convert = types[column.type]
        arrays.append(pa.array([None if row[place] is None else convert(row[place]) for row in result.rows], kind))
        fields.append(pa.field(column.name, kind))
    about = {"report": result.report.name, "as_of": result.as_of.isoformat(), "position": str(result.position)}
    pq.write_table(pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata=about)), path)


def _same(value: Any) -> Any:
    return value


def _scaled(value: Decimal) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-SCALE), ROUND_HALF_UP)
