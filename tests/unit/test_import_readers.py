"""Files of all formats as rows of texts: whatever is wrong with a row stays in that row."""

import gzip
import json
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.unit.workbook import write_workbook

from ltc_events.importing.engine import Engine
from ltc_events.importing.errors import DataUnusable
from ltc_events.importing.mapping import MappingFile, SourceSection
from ltc_events.importing.readers import open_reader
from ltc_events.importing.sources import Unreadable, create_table, find_sources, load

Row = tuple[int, tuple[str | None, ...], str]


def read(path: Path, content: bytes | None = None, **options: Any) -> list[Row]:
    """The rows as (line, cells, code of the problem)."""
    if content is not None:
        path.write_bytes(content)
    with ExitStack() as stack:
        reader = open_reader(SourceSection(path=path.name, **options), path, stack)
        return [(row.line, tuple(row.cells), row.problem.code if row.problem else "") for row in reader.rows]


def columns(path: Path, content: bytes, **options: Any) -> list[str]:
    path.write_bytes(content)
    with ExitStack() as stack:
        return open_reader(SourceSection(path=path.name, **options), path, stack).columns


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file.csv"


def test_rows_know_their_lines(file: Path) -> None:
    content = b'a,b\r\n1,x\r\n\r\n2,"two\r\nlines"\r\n3,"say ""hi"", ok"\r\n'
    assert read(file, content) == [(2, ("1", "x"), ""), (4, ("2", "two\r\nlines"), ""), (6, ("3", 'say "hi", ok'), "")]


def test_spaces_around_a_cell_do_not_count_and_an_empty_one_is_none(file: Path) -> None:
    assert read(file, b"a,b\n 1 ,  \n") == [(2, ("1", None), "")]


def test_a_byte_order_mark_is_not_part_of_the_first_heading(file: Path) -> None:
    assert columns(file, b"\xef\xbb\xbfid,b\n") == ["id", "b"]


def test_headings_that_stand_twice_or_say_nothing_get_a_name(file: Path) -> None:
    assert columns(file, b"No,no,,,_row\n") == ["No", "no_2", "column_3", "column_4", "column_5"]


def test_the_last_line_needs_no_line_feed(file: Path) -> None:
    assert read(file, b"a\n1\n2") == [(2, ("1",), ""), (3, ("2",), "")]


def test_other_encodings_and_separators(file: Path) -> None:
    text = "Kürzel;Ort\n1;Köln\n"
    for encoding in ("cp1252", "utf-16", "utf-16-le", "utf-32"):
        assert read(file, text.encode(encoding), encoding=encoding) == [(2, ("1", "Köln"), "")]
    assert read(file, b"a\tb\n5' pipe\t12\" tube\n", quote="") == [(2, ("5' pipe", '12" tube'), "")]
    assert read(file, b'"a;b",c\n1,2\n') == [(2, ("1", "2"), "")], "what separates is outside quotes"


def test_lines_above_the_header_are_skipped(file: Path) -> None:
    assert columns(file, b"Report of today\n\nid,b\n1,2\n", skip_lines=2) == ["id", "b"]
    assert read(file, b"Report of today\n\nid,b\n1,2\n", skip_lines=2) == [(4, ("1", "2"), "")]


def test_without_a_header_the_first_line_is_a_row(file: Path) -> None:
    for options in ({}, {"delimiter": ","}):
        rows = read(file, b'1,2\n"3\n",4\n5,6\n', columns=["a", "b"], **options)
        assert rows == [(1, ("1", "2"), ""), (2, ("3", "4"), ""), (4, ("5", "6"), "")]


def test_a_stray_quote_spoils_its_own_row_alone(file: Path) -> None:
    assert read(file, b'a,b\n1,"x"y\n2,ok\n') == [(2, (), "not_csv"), (3, ("2", "ok"), "")]


def test_a_quote_that_is_never_closed_is_a_refused_row_and_not_a_long_text(file: Path) -> None:
    assert read(file, b'a,b\n1,x\n2,"open\n3,z\n') == [(2, ("1", "x"), ""), (3, (), "not_csv")]


def test_bytes_of_another_encoding_spoil_their_own_row_alone(file: Path) -> None:
    assert [(line, code) for line, _, code in read(file, b"a,b\n1,caf\xe9\n2,ok\n")] == [(2, "not_decodable"), (3, "")]


def test_nul_characters_are_refused(file: Path) -> None:
    assert [code for _, _, code in read(file, b"a,b\n1,x\0\n2,ok\n")] == ["nul_character", ""]


def test_rows_of_another_width_are_refused_or_made_to_fit_where_that_is_said(file: Path) -> None:
    content = b"a,b\n1\n1,2,3\n1,2,\n"
    assert [code for _, _, code in read(file, content)] == ["wrong_width"] * 3
    found = read(file, content, short_rows="pad", long_rows="cut")
    assert found == [(2, ("1", None), ""), (3, (), "wrong_width"), (4, ("1", "2"), "")]


@pytest.mark.parametrize(
    ("content", "options", "problem"),
    [
        (b"", {}, "no header line"),
        (b"\xff\xfea\n", {}, "no utf-8"),
        (b"a,b\r1,2\r", {}, "new-line character"),
        (b"abc", {"encoding": "utf-16"}, "is not utf-16"),
    ],
)
def test_a_file_that_cannot_be_read_at_all_is_an_error(file: Path, content: bytes, options: dict[str, str], problem: str) -> None:
    with pytest.raises(DataUnusable, match=problem) as unusable:
        read(file, content, **options)
    assert unusable.value.message.startswith("file.csv: ")
    assert unusable.value.fix


def as_gzip(folder: Path) -> Path:
    path = folder / "orders.csv.gz"
    path.write_bytes(gzip.compress(b"id,amount,paid\n1,10.50,true\n2,,false\n"))
    return path


def as_zip(folder: Path) -> Path:
    path = folder / "orders.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("export/orders.csv", "id,amount,paid\n1,10.50,true\n2,,false\n")
    return path


def as_tsv(folder: Path) -> Path:
    path = folder / "orders.tsv"
    path.write_bytes(b"id\tamount\tpaid\n1\t10.50\ttrue\n2\t\tfalse\n")
    return path


def as_json(folder: Path) -> Path:
    path = folder / "orders.json"
    path.write_text('[{"id": 1, "amount": 10.50, "paid": true}, {"id": 2, "amount": null, "paid": false}]')
    return path


def as_json_lines(folder: Path) -> Path:
    path = folder / "orders.jsonl"
    path.write_text('{"id": 1, "amount": 10.50, "paid": true}\n\n{"paid": false, "id": 2}\n')
    return path


def as_sqlite(folder: Path) -> Path:
    path = folder / "orders.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE orders (id INTEGER, amount TEXT, paid TEXT)")
    connection.execute("INSERT INTO orders VALUES (1, '10.50', 'true'), (2, NULL, 'false')")
    connection.commit()
    connection.close()
    return path


def as_workbook(folder: Path) -> Path:
    return write_workbook(folder / "orders.xlsx", [["id", "amount", "paid"], [1, "10.50", True], [2, None, False]])


def as_parquet(folder: Path) -> Path:
    table = pa.table({"id": [1, 2], "amount": pa.array(["10.50", None]), "paid": [True, False]})
    pq.write_table(table, folder / "orders.parquet")
    return folder / "orders.parquet"


def loaded(folder: Path, refuse: Callable[[Unreadable], None], **options: Any) -> list[tuple[Any, ...]]:
    """The table of a source as DuckDB has it."""
    mapping = MappingFile(name="shop", sources={"orders": SourceSection(**options)})
    (source,) = find_sources(mapping, folder)
    room = folder / "room"
    room.mkdir()
    engine = Engine(room, mapping, [path.absolute() for path in source.paths])
    try:
        create_table(source, engine)
        load(source, engine, 5, refuse, lambda _: None)
        return engine.run("SELECT * FROM raw.orders ORDER BY _row")
    finally:
        engine.close()


@pytest.mark.parametrize(
    "write", [as_gzip, as_zip, as_tsv, as_json, as_json_lines, as_sqlite, as_workbook, as_parquet], ids=lambda one: one.__name__
)
def test_every_format_is_the_same_table_of_texts(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    path = write(tmp_path)
    options = {"table": "orders"} if path.suffix == ".sqlite" else {}
    found = loaded(tmp_path, lambda row: pytest.fail(str(row)), path=path.name, **options)
    assert [row[:3] for row in found] == [("1", "10.50", "true"), ("2", None, "false")]
    assert [row[-1] for row in found] == [5, 6]


def test_numbers_of_json_keep_every_digit(tmp_path: Path) -> None:
    (tmp_path / "o.json").write_text('{"data": {"items": [{"n": {"deep": [12345678901234567890.10]}}]}}')
    found = loaded(tmp_path, lambda row: pytest.fail(str(row)), path="o.json", records="data.items")
    assert found[0][0] == '{"deep": ["12345678901234567890.10"]}'


def test_of_dated_exports_the_last_that_has_a_key_holds(tmp_path: Path) -> None:
    (tmp_path / "2024-01.csv").write_text("id,amount\n1,10\n2,20\n")
    (tmp_path / "2024-02.csv").write_text("id,amount\n2,25\n3,30\n3,31\n")
    found = loaded(tmp_path, lambda row: pytest.fail(str(row)), path="2024-*.csv", key="id")
    assert [row[:3] for row in found] == [
        ("1", "10", "2024-01.csv"),
        ("2", "25", "2024-02.csv"),
        ("3", "30", "2024-02.csv"),
        ("3", "31", "2024-02.csv"),
    ]
    assert [bool(row[-1]) for row in found] == [False, False, True, True], "twice in one file, neither is certain"


def test_a_duckdb_file_is_read_in_place(tmp_path: Path) -> None:
    with duckdb.connect(tmp_path / "shop.duckdb") as database:
        database.execute("CREATE TABLE orders (id INTEGER, amount DECIMAL(12, 2), ordered DATE, note VARCHAR)")
        database.execute("INSERT INTO orders VALUES (1, 10.50, '2024-02-29', ' a '), (2, NULL, NULL, '')")
    found = loaded(tmp_path, lambda row: pytest.fail(str(row)), path="shop.duckdb", table="orders")
    assert [row[:4] for row in found] == [("1", "10.50", "2024-02-29", "a"), ("2", None, None, None)]


def test_an_export_of_another_shape_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a1.csv").write_text("id,amount\n1,10\n")
    (tmp_path / "a2.csv").write_text("id,total\n1,10\n")
    with pytest.raises(DataUnusable, match=r"a2\.csv: its columns are not those"):
        loaded(tmp_path, lambda row: None, path="a*.csv")


@settings(max_examples=25, deadline=None)
@example(["0\r0", "0\n0", "0\r\n0", '"', "\r", ","])
@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12), min_size=1, max_size=5))
def test_whatever_is_in_a_cell_arrives(tmp_path_factory: pytest.TempPathFactory, cells: list[str]) -> None:
    folder = tmp_path_factory.mktemp("cells")
    (folder / "o.jsonl").write_text("\n".join(json.dumps({"cell": cell}) for cell in cells), encoding="utf-8")
    found = loaded(folder, lambda row: pytest.fail(str(row)), path="o.jsonl")
    assert [row[0] for row in found] == [cell.strip() or None for cell in cells]
