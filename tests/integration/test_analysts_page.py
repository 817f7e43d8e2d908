"""What the page for analysts shows works as it stands: every query, at every state, and every line of the shell."""

import os
import re
import shlex
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from ltc_events.querying.session import Asked, ReadSession
from ltc_events.store import Database

PAGE = (Path(__file__).parents[2] / "docs" / "analysts.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
(LINES,) = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
STATES = (Asked(), Asked(as_of=date(2026, 3, 31)), Asked(known_at=2000), Asked(date(2026, 3, 31), 2000))


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_finds_something_at_every_state(company: Database, query: str) -> None:
    for asked in STATES:
        session = ReadSession(company, asked)
        with session.run(query) as found:
            assert next(found.rows, None) is not None, asked
        session.close()


def test_there_are_queries() -> None:
    assert len(QUERIES) >= 5


@pytest.mark.parametrize("line", LINES.splitlines())
def test_a_line_writes_what_it_says(company: Database, tmp_path: Path, line: str) -> None:
    program, *words = shlex.split(line)
    assert program == "ltc"
    environment = {**os.environ, "LTC_DATABASE_URL": company.conninfo}
    subprocess.run(
        [sys.executable, "-m", "ltc_events", *words], env=environment, cwd=tmp_path, check=True, timeout=120, capture_output=True
    )
    written = tmp_path / words[words.index("-o") + 1]
    assert (written.is_dir() and (written / "manifest.json").is_file()) if "--by-month" in words else written.stat().st_size > 0
