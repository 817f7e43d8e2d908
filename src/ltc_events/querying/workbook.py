"""A workbook of Excel (Office Open XML, ECMA-376), written row by row: no more in memory for a million rows than for one."""

import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO, cast
from xml.sax.saxutils import escape

from ltc_events.kernel.output_escaping import csv_cell
from ltc_events.querying.errors import DoesNotFit
from ltc_events.reports.base import Column, ColumnType
from ltc_events.reports.values import json_rows, json_text

ROWS_MAX = 1_048_576
"""So many rows a sheet has, its head among them; what is more goes on another sheet."""
TEXT_MAX = 32_767
DIGITS_MAX = 15
"""More digits a number of Excel does not keep: such an amount is written as text."""
FORM = "an Excel workbook"

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_DATE, _BOLD, _QUOTED = 1, 2, 3
# Formats of cells by number: plain, a date, bold, and a text that stays one when somebody edits its cell.
_STYLES = (
    f'<styleSheet xmlns="{_MAIN}"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="4"><xf xfId="0"/>'
    '<xf numFmtId="14" applyNumberFormat="1" xfId="0"/><xf fontId="1" applyFont="1" xfId="0"/>'
    '<xf numFmtId="49" quotePrefix="1" applyNumberFormat="1" xfId="0"/></cellXfs></styleSheet>'
)
_EPOCH = date(1899, 12, 30)
_FIRST_DATE = date(1900, 3, 1)  # before it, Excel counts a day that was none
# What XML cannot hold, and what a reader would take for it written out.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0d\x0e-\x1f\ud800-\udfff\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_NUMBERS = frozenset({ColumnType.INTEGER, ColumnType.DECIMAL, ColumnType.PERCENT, ColumnType.MONEY})


def write_workbook(title: str, columns: Sequence[Column], rows: Iterable[tuple[Any, ...]], path: Path) -> None:
    """Write rows as worksheets, with a worksheet `columns` that has the meaning of each column. Texts are never formulas.

    Equal rows give equal bytes. Raises DoesNotFit for a text longer than a cell allows.
    """
    names: list[str] = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as book:
        rest = iter(rows)
        first = next(rest, None)
        while not names or first is not None:
            begun = rest if first is None else chain((first,), rest)
            names.append(_sheet_name(title, len(names)))
            _sheet(book, len(names), _lines(columns, islice(begun, ROWS_MAX - 1)))
            first = next(rest, None)
        names.append("columns")
        meanings = ((_text(one.name), _text(one.type.value), _text(one.meaning)) for one in columns)
        _sheet(book, len(names), chain([tuple(_text(one, _BOLD) for one in ("column", "type", "meaning"))], meanings))
        for name, text in _frame(names).items():
            book.writestr(_entry(name), _HEAD + text)


def _lines(columns: Sequence[Column], rows: Iterable[tuple[Any, ...]]) -> Iterator[Sequence[str]]:
    yield [_text(column.name, _BOLD) for column in columns]
    for row in rows:
        (told,) = json_rows(columns, [row])
        yield [_cell(column, value, shown) for column, value, shown in zip(columns, row, told, strict=True)]


def _sheet(book: zipfile.ZipFile, number: int, lines: Iterable[Sequence[str]]) -> None:
    with book.open(_entry(f"xl/worksheets/sheet{number}.xml"), "w", force_zip64=True) as opened:
        file = cast(BinaryIO, opened)
        pane = '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
        views = f'<sheetViews><sheetView workbookViewId="0">{pane}</sheetView></sheetViews>'
        file.write(f'{_HEAD}<worksheet xmlns="{_MAIN}">{views}<sheetData>'.encode())
        for place, cells in enumerate(lines, 1):
            line = "".join(cell.replace("<c", f'<c r="{_letters(at)}{place}"', 1) for at, cell in enumerate(cells) if cell)
            file.write(f'<row r="{place}">{line}</row>'.encode())
        file.write(b"</sheetData></worksheet>")


def _cell(column: Column, value: Any, shown: Any) -> str:
    """One cell; `shown` is the value as JSON has it."""
    if value is None:
        return ""
    match column.type:
        case ColumnType.BOOLEAN:
            return f'<c t="b"><v>{int(value)}</v></c>'
        case ColumnType.DATE if value >= _FIRST_DATE:
            return f'<c s="{_DATE}"><v>{(value - _EPOCH).days}</v></c>'
        case kind if kind in _NUMBERS and len(Decimal(value).normalize().as_tuple().digits) <= DIGITS_MAX:
            return f"<c><v>{shown}</v></c>"
        case ColumnType.JSON:
            return _text(json_text(value), of=column.name)
        case _:
            return _text(str(shown), of=column.name)


def _text(text: str, style: int = 0, of: str = "") -> str:
    if len(text) > TEXT_MAX:
        raise DoesNotFit(column=of, form=FORM, problem=f"it has {len(text):,} characters, and a cell takes {TEXT_MAX:,}")
    style = _QUOTED if csv_cell(text) != text else style
    written = escape(_UNWRITABLE.sub(lambda found: f"_x{ord(found[0]):04X}_", text))
    return f'<c s="{style}" t="inlineStr"><is><t xml:space="preserve">{written}</t></is></c>'


def _letters(place: int) -> str:
    """The name of a column by its number: A … Z, AA …"""
    name = ""
    place += 1
    while place:
        place, letter = divmod(place - 1, 26)
        name = chr(ord("A") + letter) + name
    return name


def _sheet_name(title: str, number: int) -> str:
    """At most 31 characters, none of which a sheet's name cannot have."""
    name = re.sub(r"[\[\]:*?/\\']", " ", title)[:27]
    return name if number == 0 else f"{name} {number + 1}"


def _frame(names: Sequence[str]) -> dict[str, str]:
    """The parts of the package that list the worksheets."""
    sheets = "".join(f'<sheet name="{escape(name)}" sheetId="{at}" r:id="rId{at}"/>' for at, name in enumerate(names, 1))
    targets = [("worksheet", f"worksheets/sheet{at}.xml") for at in range(1, len(names) + 1)] + [("styles", "styles.xml")]
    related = "".join(
        f'<Relationship Id="rId{at}" Type="{_RELATIONS}/{kind}" Target="{target}"/>'
        for at, (kind, target) in enumerate(targets, 1)
    )
    parts = "".join(
        f'<Override PartName="/xl/worksheets/sheet{at}.xml" ContentType="{_TYPE}.worksheet+xml"/>'
        for at in range(1, len(names) + 1)
    )
    return {
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets>{sheets}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">{related}</Relationships>',
        "xl/styles.xml": _STYLES,
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1"'
        f' Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>{parts}</Types>',
    }


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry
