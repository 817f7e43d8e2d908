"""The commands of `ltc` and their modules, each imported when its command runs."""

from ltc_events.cli.lazy import Entry

_CLI = "ltc_events.cli"

COMMANDS: dict[str, Entry] = {
    "init": Entry(f"{_CLI}.doctor:init", "Create the ledger and the read tables, and with --kafka the topics."),
    "doctor": Entry(f"{_CLI}.doctor:doctor", "Check databases, notary and Kafka; each finding names its fix."),
    "recover": Entry(
        f"{_CLI}.recover:recover",
        "Restore topic and read tables to the state of a store that went back, after a restored backup or a promotion.",
    ),
    "backup": Entry(f"{_CLI}.backup:backup", "Create or extend the backup in a folder, while workers run."),
    "restore": Entry(f"{_CLI}.backup:restore", "Restore a backup into a database that holds no ledger: all of it, or nothing."),
    "expired": Entry(f"{_CLI}.expired:expired", "Show commands that expired on their topic before they were processed."),
    "demo": Entry(
        f"{_CLI}.demo:demo", "Simulate a company in an empty database and show four reports and the explanation of an invoice."
    ),
    "submit": Entry(f"{_CLI}.submit:submit", "Submit commands; prints one outcome per line."),
    "import": Entry(
        f"{_CLI}.importing:app", "Import files of another system: scaffold a mapping, preview it, import, watch a folder, undo."
    ),
    "simulate": Entry(f"{_CLI}.simulate:simulate", "Simulate a company and submit its commands, or write them to a file."),
    "report": Entry(
        f"{_CLI}.report:report",
        "Run a report as of a business date and as known at a position or time, or show what changed in it since then.",
        takes_other_options=True,
    ),
    "find": Entry(
        f"{_CLI}.find:find_",
        "Find records of any kind by name, number, reference or a prefix of a word; exit 1 if there are none.",
    ),
    "sql": Entry(f"{_CLI}.sql:sql", "Query the read tables, read-only: one query, a shell, or the queries on stdin."),
    "export": Entry(
        f"{_CLI}.export:export",
        "Write events, a read table or a report to a file, which appears when it is complete; --json describes what was written.",
        takes_other_options=True,
    ),
    "explain": Entry(f"{_CLI}.explain:app", "Explain a figure, from the events alone."),
    "events": Entry(f"{_CLI}.events:app", "The log of events."),
    "access": Entry(f"{_CLI}.access:app", "Who may send which commands."),
    "audit": Entry(f"{_CLI}.audit.app:app", "Proofs that the log was not changed, verifiable by third parties."),
    "dead-letters": Entry(f"{_CLI}.dead_letters:app", "Input that could not be decoded: list, show, retry or discard it."),
    "readers": Entry(f"{_CLI}.reader_limits:app", "Logins that may read only some customers, in the schema ltc_limited."),
    "projections": Entry(f"{_CLI}.projections.app:app", "The read tables: status, rebuild, verification and switch."),
    "schema": Entry(f"{_CLI}.schema:app", "JSON Schemas of all commands and events, and the AsyncAPI document of Kafka."),
    "worker": Entry(f"{_CLI}.worker:app", "Run workers until SIGTERM."),
}
