"""CSV files read row by row and again at random: whatever is wrong with a row stays in that row."""

from contextlib import closing
from pathlib import Path

import pytest

from ltc_events.importing.csvfile import CsvFile, Dialect
from ltc_events.importing.errors import DataUnusable


def write(folder: Path, content: bytes) -> Path:
    path = folder / "file.csv"
    path.write_bytes(content)
    return path


def read(folder: Path, content: bytes, **dialect: object) -> list[tuple[int, list[str], str]]:
    """The rows as (line, fields, code of the problem), which reading them once more at random must give again."""
    with closing(CsvFile(write(folder, content), Dialect(**dialect))) as file:  # type: ignore[arg-type]
        rows = list(file.rows())
        assert [file.row(row.ordinal) for row in reversed(rows)] == rows[::-1]
        assert file.row_count == len(rows)
    return [(row.line, row.fields, row.problem.code if row.problem else "") for row in rows]


def test_rows_know_their_lines(tmp_path: Path) -> None:
    content = b'a,b\r\n1,x\r\n\r\n2,"two\r\nlines"\r\n3,"say ""hi"", ok"\r\n'
    assert read(tmp_path, content) == [(2, ["1", "x"], ""), (4, ["2", "two\r\nlines"], ""), (6, ["3", 'say "hi", ok'], "")]


def test_a_byte_order_mark_is_not_part_of_the_first_heading(tmp_path: Path) -> None:
    with closing(CsvFile(write(tmp_path, b"\xef\xbb\xbfid,b\n"), Dialect())) as file:
        assert file.header == ["id", "b"]


def test_the_last_line_needs_no_line_feed(tmp_path: Path) -> None:
    assert read(tmp_path, b"a\n1\n2") == [(2, ["1"], ""), (3, ["2"], "")]


def test_other_encodings_and_separators(tmp_path: Path) -> None:
    text = "Kürzel;Ort\n1;Köln\n"
    for encoding in ("cp1252", "utf-16", "utf-16-le", "utf-32"):
        assert read(tmp_path, text.encode(encoding), encoding=encoding, delimiter=";") == [(2, ["1", "Köln"], "")]
    assert read(tmp_path, b"a\tb\n5' pipe\t12\" tube\n", delimiter="\t", quote="") == [(2, ["5' pipe", '12" tube'], "")]


def test_lines_above_the_header_are_skipped(tmp_path: Path) -> None:
    with closing(CsvFile(write(tmp_path, b"Report of today\n\nid,b\n1,2\n"), Dialect(skip_lines=2))) as file:
        assert file.header == ["id", "b"]
        assert [row.line for row in file.rows()] == [4]


def test_without_a_header_the_first_line_is_a_row(tmp_path: Path) -> None:
    assert read(tmp_path, b"1,2\n3,4\n", header=False) == [(1, ["1", "2"], ""), (2, ["3", "4"], "")]


def test_a_stray_quote_spoils_its_own_row_alone(tmp_path: Path) -> None:
    assert read(tmp_path, b'a,b\n1,"x"y\n2,ok\n') == [(2, [], "not_csv"), (3, ["2", "ok"], "")]


def test_a_quote_that_is_never_closed_is_a_refused_row_and_not_a_long_text(tmp_path: Path) -> None:
    assert read(tmp_path, b'a,b\n1,x\n2,"open\n3,z\n') == [(2, ["1", "x"], ""), (3, [], "not_csv")]


def test_bytes_of_another_encoding_spoil_their_own_row_alone(tmp_path: Path) -> None:
    rows = read(tmp_path, b"a,b\n1,caf\xe9\n2,ok\n")
    assert [(line, code) for line, _, code in rows] == [(2, "not_decodable"), (3, "")]


def test_nul_characters_are_refused(tmp_path: Path) -> None:
    assert [code for _, _, code in read(tmp_path, b"a,b\n1,x\0\n2,ok\n")] == ["nul_character", ""]


@pytest.mark.parametrize(
    ("content", "dialect", "problem"),
    [
        (b"", {}, "no header line"),
        (b"\xff\xfea\n", {}, "no utf-8"),
        (b"a,b\r1,2\r", {}, "new-line character"),
        (b"abc", {"encoding": "utf-16"}, "is not utf-16"),
    ],
)
def test_a_file_that_cannot_be_read_at_all_is_an_error(
    tmp_path: Path, content: bytes, dialect: dict[str, str], problem: str
) -> None:
    with pytest.raises(DataUnusable, match=problem) as unusable:
        CsvFile(write(tmp_path, content), Dialect(**dialect))  # type: ignore[arg-type]
    assert unusable.value.message.startswith("file.csv: ")
    assert unusable.value.fix
