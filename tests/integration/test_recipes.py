"""The worked examples of CONTRIBUTING.md do what they say, in a copy of the tree."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests import recipes

RECIPES = (
    "A new event",
    "A new aggregate",
    "A new read table",
    "A new report",
    "A new noun of the command line",
    "A new door",
)


class Copy:
    """A copy of the tree, and its programs."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = folder
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "LTC_", "COV_"))},
            "PYTHONPATH": f"{folder / 'src'}:{folder}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "LTC_TEST_DATABASE_URL": database_url,
        }

    def run(self, *arguments: str) -> str:
        """What a Python program prints; raises AssertionError where it fails."""
        program = (sys.executable, "-W", "ignore", "-m", *arguments)
        done = subprocess.run(
            program, cwd=self.folder, env=self._environment, check=False, capture_output=True, text=True, timeout=300
        )
        said = done.stdout + done.stderr
        assert done.returncode == 0, f"{' '.join(arguments)}\n{said[-5000:]}"
        return said

    def test(self, *chosen: str) -> str:
        """Tests of the copy, which must pass."""
        return self.run("pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *chosen)


@pytest.fixture(scope="module")
def copy(server: Any, tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A copy in which all recipes were carried out, one after the other."""
    folder = tmp_path_factory.mktemp("tree")
    recipes.copy_tree(folder)
    for heading in RECIPES:
        steps = recipes.steps(heading)
        assert steps, heading
        for step in steps:
            recipes.carry_out(step, folder)
    return Copy(folder, server.url)


def test_a_recipe_that_no_longer_fits_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("one\ntwo\n")
    recipes.carry_out(recipes.Step("a.py", " one\n+more\n two\n", is_new=False), tmp_path)
    assert (tmp_path / "a.py").read_text() == "one\nmore\ntwo\n"
    with pytest.raises(AssertionError, match=r"changes a\.py where it has, 0 times"):
        recipes.carry_out(recipes.Step("a.py", " one\n+more\n two\n", is_new=False), tmp_path)


def test_their_code_is_as_the_house_has_it(copy: Copy) -> None:
    touched = sorted({step.path for heading in RECIPES for step in recipes.steps(heading) if step.path.endswith(".py")})
    copy.run("ruff", "check", "--no-cache", *touched)
    copy.run("ruff", "format", "--no-cache", "--check", *touched)


def test_a_new_event_and_aggregate_are_published_and_decided(copy: Copy) -> None:
    copy.run("ltc_events", "schema", "export")
    copy.run("docs.generate")
    assert "all as exported" in copy.run("ltc_events", "schema", "check")
    copy.test(
        "tests/unit/test_campaign_budget.py",
        "tests/unit/test_visit.py",
        "tests/unit/test_business_dates_policy.py::test_every_command_that_acts_on_something_is_among_the_cases",
        "tests/unit/test_business_dates_policy.py::test_what_selling_does_not_touch_is_never_dated_before_what_it_acts_on",
        "tests/unit/test_command_limits.py::test_every_field_of_every_command_has_a_limit",
        "tests/unit/test_docs.py::test_generated_pages_are_current",
    )


def test_a_new_read_table_holds_what_its_specification_says(copy: Copy) -> None:
    copy.test("tests/integration/test_read_tables.py", "-k", "campaign_budgets or every")


def test_a_new_report_has_its_snapshot(copy: Copy) -> None:
    copy.run("tests.snapshots.reports")
    copy.test("tests/integration/test_report_snapshots.py", "-k", "budgets or rows")


def test_a_new_noun_and_a_new_door_do_their_work(copy: Copy) -> None:
    copy.test("tests/integration/test_types.py", "tests/integration/test_inbox.py")
