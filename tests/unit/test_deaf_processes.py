"""Processes of a rebuild leave Ctrl-C to the one that started them, from their first instruction on."""

import subprocess
import sys
from pathlib import Path

# In a process of its own: whoever ran before may have started the tracker of resources, which lets the signal in again.
PROGRAM = """
import multiprocessing, signal
from ltc_events.projections.rebuilding.parallel import _deaf_to_interrupts


def say(pipe):
    pipe.send(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ()))


if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    for _ in range(2):
        ours, theirs = context.Pipe(duplex=False)
        member = context.Process(target=say, args=(theirs,))
        with _deaf_to_interrupts():
            member.start()
        print(ours.recv())
        member.join()
    print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ()))
"""


def test_every_process_is_started_deaf_to_interrupts(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    done = subprocess.run([sys.executable, program], capture_output=True, timeout=60, check=True)
    assert done.stdout.split() == [b"True", b"True", b"False"]
