"""A file that is asked for is there when it is whole, and not before."""

from pathlib import Path

import pytest

from ltc_events.querying.whole_file import whole_file


def test_it_appears_when_it_is_whole(tmp_path: Path) -> None:
    wanted = tmp_path / "report.csv"
    with whole_file(wanted) as path:
        path.write_text("new")
        assert not wanted.exists()
    assert wanted.read_text() == "new"


def test_what_fails_leaves_what_was_there(tmp_path: Path) -> None:
    wanted = tmp_path / "report.csv"
    wanted.write_text("old")
    with pytest.raises(AttributeError), whole_file(wanted) as path:
        path.write_text("half").write("the other half")  # type: ignore[attr-defined]
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("report.csv", "old")]


def test_a_link_stays_one(tmp_path: Path) -> None:
    link = tmp_path / "latest"
    link.symlink_to(tmp_path / "report.csv")
    with whole_file(link) as path:
        path.write_text("new")
    assert link.is_symlink()
    assert (tmp_path / "report.csv").read_text() == "new"


def test_a_device_is_written_as_it_is() -> None:
    with whole_file(Path("/dev/null")) as path:
        assert path == Path("/dev/null")
