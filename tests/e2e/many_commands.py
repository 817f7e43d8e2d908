"""Run many commands of the line, each in a process of its own that has everything imported already.

Reads a JSON list of lists of words from stdin, and writes for each its status and what it said. What is still at work after
a while is ended: it took what it was given.
"""

import json
import os
import signal
import sys
import tempfile
from typing import Any

ENOUGH_S = 4


def run(words: list[str]) -> dict[str, Any]:
    """One command; status None: it was still at work."""
    with tempfile.TemporaryFile() as said:
        pid = os.fork()
        if pid == 0:
            _become(words, said.fileno())
        _, status = os.waitpid(pid, 0)
        said.seek(0)
        told = said.read().decode(errors="replace")
    ended = os.waitstatus_to_exitcode(status)
    return {"words": words, "status": None if ended == -signal.SIGALRM else ended, "told": told}


def _become(words: list[str], out: int) -> None:
    from ltc_events.cli.main import main

    status: object = 99
    try:
        signal.alarm(ENOUGH_S)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(out, 1)
        os.dup2(out, 2)
        sys.argv = ["ltc", *words]
        main()
    except SystemExit as ended:
        status = ended.code
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status if isinstance(status, int) else 98)


def main_() -> None:
    """Import all commands, then run what is asked for."""
    from ltc_events.cli import exit_status  # noqa: F401
    from ltc_events.cli.commands import COMMANDS
    from ltc_events.cli.lazy import _load

    for name, entry in COMMANDS.items():
        _load(name, entry)
    for words in json.load(sys.stdin):
        print(json.dumps(run(words)), flush=True)


if __name__ == "__main__":
    main_()
