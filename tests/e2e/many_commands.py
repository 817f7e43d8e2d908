"""Run many commands of the line, each in a process of its own that has everything imported already.

Reads a JSON list of lists of words from stdin, and writes for each its status and what it said. What is still at work after
a while is ended: it took what it was given. As many run at once as the first argument says.
"""

import json
import os
import signal
import sys
import tempfile
from collections import deque
from typing import Any

ENOUGH_S = 4


class Run:
    """One command at work."""

    def __init__(self, words: list[str]) -> None:
        self._words = words
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed at its end
        self._pid = os.fork()
        if self._pid == 0:
            _become(words, self._said.fileno())

    def end(self) -> dict[str, Any]:
        """Wait for its end: the words, the status and what it said; status None: it was still at work."""
        with self._said:
            _, status = os.waitpid(self._pid, 0)
            self._said.seek(0)
            told = self._said.read().decode(errors="replace")
        ended = os.waitstatus_to_exitcode(status)
        return {"words": self._words, "status": None if ended == -signal.SIGALRM else ended, "told": told}


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
    at_once = int(sys.argv[1])
    at_work: deque[Run] = deque()
    for words in json.load(sys.stdin):
        if len(at_work) == at_once:
            print(json.dumps(at_work.popleft().end()), flush=True)
        at_work.append(Run(words))
    for one in at_work:
        print(json.dumps(one.end()), flush=True)


if __name__ == "__main__":
    main_()
