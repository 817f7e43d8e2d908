"""Mappings written into a folder for a test, and what came of an import."""

from pathlib import Path

from ltc_events.importing import Reconciliation


def write_mapping(folder: Path, toml: str, **files: str) -> Path:
    """A mapping in `folder`: its mapping.toml, and per file (`steps_10_place` is steps/10-place.sql) head and SQL.

    A head is what stands above the first empty line.
    """
    for sub in ("tables", "steps"):
        (folder / sub).mkdir(parents=True, exist_ok=True)
    (folder / "mapping.toml").write_text(toml, encoding="utf-8")
    for name, text in files.items():
        kind, _, rest = name.partition("_")
        head, empty, sql = text.strip().partition("\n\n")
        body = f"/*\n{head}\n*/\n{sql}\n" if empty else f"{text.strip()}\n"
        (folder / kind / f"{rest.replace('_', '-')}.sql").write_text(body, encoding="utf-8")
    return folder


def counts(result: Reconciliation) -> dict[str, int]:
    """What became of all commands."""
    commands = result.commands.values()
    return {
        "accepted": sum(count.accepted for count in commands),
        "duplicate": sum(count.duplicate for count in commands),
        "refused": sum(count.refused for count in commands),
    }
