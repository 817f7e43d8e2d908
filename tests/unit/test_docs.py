"""The documents agree with the project: generated pages are current; named tests, files, links and anchors exist."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from docs.generate import DOCS, pages

from ltc_events.schemas.envelope import parse

ROOT = Path(__file__).parents[2]
TEXTS = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md"), *DOCS.glob("adr/*.md")])
REQUIREMENTS = 78


@pytest.mark.parametrize("name", sorted(pages()))
def test_generated_pages_are_current(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == pages()[name], "run `make docs`"


def test_the_example_of_a_command_is_one() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", pages()["commands-and-events.md"], re.DOTALL)
    message = parse(example, datetime(2026, 3, 1, tzinfo=UTC))
    assert message.command is not None
    assert message.actor == "Ann"


def test_every_part_of_the_data_is_described() -> None:
    text = pages()["commands-and-events.md"]
    assert not re.search(r": AwareDatetime|: UnionType", text)
    for name in ("Profile", "QuoteLineRequest", "OrderLineRequest", "AllocationRequest", "DiscountMatrix", "Term"):
        assert f"\n| {name} | " in text


@pytest.mark.parametrize("page", [DOCS / "guarantees.md", ROOT / "SECURITY.md"], ids=lambda page: page.name)
def test_every_test_that_a_promise_names_exists(page: Path) -> None:
    named = re.findall(r"`(tests/[^`]+)`", page.read_text(encoding="utf-8"))
    assert len(named) > 30
    for one in named:
        file, *names = one.split("::")
        text = (ROOT / file).read_text(encoding="utf-8")
        for name in names:
            assert re.search(rf"(def|class) {name}\b", text), one


def test_every_requirement_has_its_row_and_every_file_it_names_exists() -> None:
    text = (DOCS / "coverage.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| R-(\d+) \|", text, re.MULTILINE)
    assert [int(number) for number in rows] == list(range(1, REQUIREMENTS + 1))
    for path in re.findall(r"`((?:src|tests|docs|examples)/[^`]+)`", text):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(path: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#]*)(?:#([^)]*))?\)", path.read_text(encoding="utf-8")):
        if not target.startswith(("http:", "https:")):
            page = path.parent / target if target else path
            assert page.exists(), f"{path.name}: {target}"
            assert not anchor or anchor in _anchors(page), f"{path.name}: {target}#{anchor}"


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}
