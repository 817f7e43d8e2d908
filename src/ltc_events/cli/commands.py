"""The commands of `ltc` and their modules, each imported when its command runs."""

from ltc_events.cli.lazy import Entry

_CLI = "ltc_events.cli"

COMMANDS: dict[str, Entry] = {
    "init": Entry(f"{_CLI}.doctor:init", "Lay out the ledger and the read tables, and with --kafka the topics."),
    "doctor": Entry(f"{_CLI}.doctor:doctor", "Look at everything that must be right; each finding names its fix."),
    "recover": Entry(
        f"{_CLI}.recover:recover",
        "Bring topic and read tables back to a store that has gone back, by the restore of a backup or a promotion.",
    ),
    "backup": Entry(f"{_CLI}.backup:backup", "Bring the backup in a folder up to now, or begin one; while workers go on."),
    "restore": Entry(f"{_CLI}.backup:restore", "Restore a backup into a database that holds no ledger: all of it, or nothing."),
    "expired": Entry(f"{_CLI}.expired:expired", "Show which commands expired on their topic before they were taken."),
    "demo": Entry(
        f"{_CLI}.demo:demo", "Simulate a company on an empty database and show around: four reports and the story of an invoice."
    ),
    "submit": Entry(f"{_CLI}.submit:submit", "Submit commands; prints one outcome a line."),
    "import": Entry(f"{_CLI}.importing:app", "Bring in files of another system: scaffold a mapping, preview it, import, undo."),
    "simulate": Entry(f"{_CLI}.simulate:simulate", "Simulate a company and submit its commands, or write them to a file."),
    "report": Entry(
        f"{_CLI}.report:report",
        "Run a report: as of a business date, as known at a position or time of the log; or what changed in it since then.",
        takes_other_options=True,
    ),
    "find": Entry(
        f"{_CLI}.find:find_",
        "Find what is called so, begins so or has a word that begins so, whatever it is; exit 1 if nothing does.",
    ),
    "sql": Entry(
        f"{_CLI}.sql:sql", "Query the read tables: one query, a shell, or the queries of stdin; nothing is ever written."
    ),
    "export": Entry(
        f"{_CLI}.export:export",
        "Write events, a read table or a report to a file, which is there when it is whole; with --json say what was written.",
        takes_other_options=True,
    ),
    "explain": Entry(f"{_CLI}.explain:app", "Why a figure is what it is, from the events alone."),
    "events": Entry(f"{_CLI}.events:app", "The log of events."),
    "access": Entry(f"{_CLI}.access:app", "Who may send which commands."),
    "audit": Entry(f"{_CLI}.audit.app:app", "Proofs that nothing was changed, for those who need not believe us."),
    "dead-letters": Entry(f"{_CLI}.dead_letters:app", "What came in and could not be decoded, and seeing to it."),
    "readers": Entry(f"{_CLI}.reader_limits:app", "Logins that may read only some customers, in the schema ltc_limited."),
    "projections": Entry(f"{_CLI}.projections.app:app", "The read tables and how far they have come."),
    "schema": Entry(f"{_CLI}.schema:app", "JSON Schemas of all commands and events, and the AsyncAPI document of Kafka."),
    "worker": Entry(f"{_CLI}.worker:app", "Work between Kafka and the ledger, until SIGTERM."),
}
