"""Dated exports of a folder: which belong together, in which order, and when one is complete."""

import os
from pathlib import Path

import pytest

from ltc_events.importing import DataUnusable
from ltc_events.importing.exports import Digests, Export, Settling, exports, unsorted
from ltc_events.importing.mapping import MappingFile, SourceSection
from ltc_events.importing.sources import find_sources


def mapping(**paths: str) -> MappingFile:
    return MappingFile(name="shop", sources={name: SourceSection(path=path) for name, path in paths.items()})


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x", encoding="utf-8")


def test_files_of_one_date_are_one_export_in_the_order_of_dates(tmp_path: Path) -> None:
    touch(tmp_path, "orders-2024-02.csv", "lines-2024-02.csv", "orders-2024-01.csv", "customers.csv", "orders-2024-03.csv.part")
    found = exports(mapping(orders="orders-*.csv", lines="lines-*.csv", customers="customers.csv"), tmp_path)
    assert [(one.key, sorted(one.files), list(one.missing)) for one in found] == [
        ("2024-01", ["orders"], ["lines-*.csv"]),
        ("2024-02", ["lines", "orders"], []),
    ]


def test_folders_by_date_are_exports_and_hidden_files_are_none(tmp_path: Path) -> None:
    touch(tmp_path, "2024/01/orders.csv", "2024/02/orders.csv", "2024/02/.orders.csv.swp")
    assert [one.key for one in exports(mapping(orders="2024/*/orders.csv"), tmp_path)] == ["01", "02"]
    touch(tmp_path, ".x.csv", "y.csv")
    assert [one.key for one in exports(mapping(orders="*.csv"), tmp_path)] == ["y"]


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_a_name_of_any_bytes_has_a_key(tmp_path: Path) -> None:
    touch(tmp_path, os.fsdecode(b"orders-\xff.csv"))
    named = mapping(orders="orders-*.csv")
    assert [one.key for one in exports(named, tmp_path)] == ["\\udcff"]
    with pytest.raises(DataUnusable, match="not UTF-8"):
        find_sources(named, tmp_path)


@pytest.mark.parametrize("path", ["orders.csv", "**/orders.csv"])
def test_where_there_is_nothing_to_watch_it_is_said(tmp_path: Path, path: str) -> None:
    with pytest.raises(DataUnusable) as raised:
        exports(mapping(orders=path), tmp_path)
    assert "orders-*.csv" in raised.value.fix


def test_a_file_is_complete_when_it_has_not_changed_for_a_while(tmp_path: Path) -> None:
    now = [0.0]
    settling = Settling(10, lambda: now[0])
    path = tmp_path / "orders.csv"
    assert not settling.is_settled(path), "it is not there"
    seen = []
    for moment, text in ((0, "a"), (9, None), (10, "ab"), (15, None), (19.9, None), (20, None)):
        now[0] = moment
        if text is not None:
            path.write_text(text, encoding="utf-8")
        seen.append(settling.is_settled(path))
    assert seen == [False, False, False, False, False, True]
    path.unlink()
    assert not settling.is_settled(path)
    path.write_text("ab", encoding="utf-8")
    assert not settling.is_settled(path), "it is another file"


def test_who_renames_files_into_place_waits_for_nothing(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("a", encoding="utf-8")
    settling = Settling(0)
    assert settling.is_settled(path)
    path.write_text("ab", encoding="utf-8")
    assert settling.is_settled(path)


def test_a_digest_follows_from_what_is_in_the_files(tmp_path: Path) -> None:
    path = tmp_path / "orders-1.csv"
    digests, export = Digests(), Export("1", {"orders": path})
    path.write_text("a", encoding="utf-8")
    first = digests.of(export)
    path.touch()
    assert digests.of(export) == first
    path.write_text("b", encoding="utf-8")
    assert digests.of(export) != first
    assert digests.of(Export("1", {"others": path})) != digests.of(export)


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        (["2024-01-31", "2024-02-01", "2024-10-01"], None),
        (["202401", "202402", "202412"], None),
        (["2024-01", "2024-01-15", "2024-02"], None),
        (["b", "a", ""], None),
        (["9", "10"], "10 comes before 9"),
        (["2024-2", "2024-10"], "2024-10 comes before 2024-2"),
        (["31.01.2024", "01.02.2024"], "31.01.2024 does not begin with its year: such dates do not sort"),
    ],
)
def test_names_that_do_not_sort_are_told(keys: list[str], problem: str | None) -> None:
    assert unsorted(keys) == problem
