"""The worked examples of CONTRIBUTING.md, carried out in a copy of the tree.

A block whose first line is a comment with a path (`# src/…`, `-- src/…`) is a new file. A `diff` block begins with `+++` and
the path of the file that it changes; its parts, which `@@` keeps apart, are found by the lines that they do not add.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PAGE = "CONTRIBUTING.md"
_COPIED = ("src", "tests", "docs", "examples", "pyproject.toml", PAGE)
_LEFT_OUT = shutil.ignore_patterns("__pycache__", ".*_cache", "*.egg-info")
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_NEW = re.compile(r"(?:#|--) ((?:src|tests)/\S+)\n")


class Step(NamedTuple):
    """One block: the file, and what becomes of it."""

    path: str
    content: str
    is_new: bool


def copy_tree(folder: Path) -> None:
    """Copy what code, tests and documents need."""
    for name in _COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=_LEFT_OUT)
        else:
            shutil.copy(source, folder / name)


def steps(heading: str) -> list[Step]:
    """What the section of this heading says is to be done."""
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    section = re.split(r"^##+ ", text.partition(f"\n### {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    return list(_steps(section))


def _steps(section: str) -> Iterator[Step]:
    for language, block in _BLOCK.findall(section):
        first, _, rest = block.partition("\n")
        if language == "diff":
            yield Step(first.removeprefix("+++ "), rest, is_new=False)
        elif new := _NEW.match(block):
            yield Step(new[1], rest, is_new=True)


def carry_out(step: Step, folder: Path) -> None:
    """Do it in a copy of the tree; raises AssertionError where the file is not as the page says."""
    path = folder / step.path
    if step.is_new:
        assert not path.exists(), f"{step.path} is there already"
        path.write_text(step.content, encoding="utf-8")
        return
    text = path.read_text(encoding="utf-8")
    for part in re.split(r"^@@\n", step.content, flags=re.MULTILINE):
        lines = part.splitlines(keepends=True)
        old = "".join(line[1:] or "\n" for line in lines if line[:1] != "+")
        new = "".join(line[1:] or "\n" for line in lines if line[:1] != "-")
        assert text.count(old) == 1, f"{PAGE} changes {step.path} where it has, {text.count(old)} times:\n{old}"
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
