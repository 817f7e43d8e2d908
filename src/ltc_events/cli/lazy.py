"""Lazily imported commands: listing them imports none."""

from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group


class Entry(NamedTuple):
    """A command's location, `module:name`, and the first sentence of its help, shown without importing it."""

    target: str
    help: str
    takes_other_options: bool = False


class PlainGroup(TyperGroup):
    """A group whose help names each command with the whole of its first sentence, on any terminal."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Their names, in the order in which they were given."""
        return list(self.commands)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """One entry for each command."""
        rows = [(name, summary) for name in self.list_commands(ctx) if (summary := self._summary(name)) is not None]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)

    def _summary(self, name: str) -> str | None:
        command = self.commands[name]
        return None if command.hidden else first_sentence(command.help or "")


class _Commands(MutableMapping[str, Any]):
    """A mapping of commands by name, each loaded on access."""

    def __init__(self, entries: dict[str, Entry]) -> None:
        self._entries = entries
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._loaded:
            self._loaded[name] = _load(name, self._entries[name])
        return self._loaded[name]

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __setitem__(self, name: str, command: Any) -> None:
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._loaded[name]


def lazy_group(entries: dict[str, Entry]) -> type[TyperGroup]:
    """The class of a group that has these commands."""

    class Group(PlainGroup):
        def __init__(self, **given: Any) -> None:
            super().__init__(**given)
            self.commands = _Commands(entries)

        def _summary(self, name: str) -> str | None:
            return entries[name].help

    return Group


def first_sentence(help: str) -> str:
    """What a command does, in one sentence: the first of its help."""
    paragraph = " ".join(help.partition("\n\n")[0].split())
    sentence, stop, _ = paragraph.partition(". ")
    return f"{sentence}." if stop else paragraph


def _load(name: str, entry: Entry) -> Any:
    module, _, attribute = entry.target.partition(":")
    found = getattr(import_module(module), attribute)
    if not isinstance(found, typer.Typer):
        settings = {"ignore_unknown_options": True} if entry.takes_other_options else None
        app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
        app.command(name, context_settings=settings)(found)
        return get_command(app)
    own = found.info.cls
    found.info.cls = own if isinstance(own, type) and issubclass(own, PlainGroup) else PlainGroup
    found.rich_markup_mode = None
    group = get_group(found)
    group.name = name
    return group
