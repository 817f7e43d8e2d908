"""`make faults`: run seeds, a line for each, and in the end what was injected and what was violated."""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.e2e.faults.load import COMMANDS_EACH, make_load
from tests.e2e.faults.plan import HANDS, make_plan, provoking
from tests.e2e.faults.run import Report, run
from tests.e2e.faults.servers import Servers
from tests.e2e.faults.worker import BREAK


def seeds_of(text: str) -> list[int]:
    """`17`, `1-200` or `3,8,20-29`."""
    seeds: list[int] = []
    for part in text.split(","):
        low, _, high = part.partition("-")
        seeds += range(int(low), int(high or low) + 1)
    return seeds


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--seeds", type=seeds_of, default=f"0-{HANDS - 1}", help="17, 1-200 or 3,8,20-29")
    parser.add_argument("--commands", type=int, default=COMMANDS_EACH, help="commands of each seed")
    parser.add_argument("--jobs", type=int, default=1, help="so many at a time, each with servers of its own")
    parser.add_argument("--break", dest="broken", default="", choices=sorted(BREAK), help="a guard to break on purpose")
    parser.add_argument("--journal", action="store_true", help="say what happened when")
    parser.add_argument("--record", type=Path, help="a file to write a JSON line to for each seed")
    wanted = parser.parse_args()
    begun = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # in order: servers are stopped
    with tempfile.TemporaryDirectory() as folder:
        record = wanted.record or Path(folder) / "record"
        known = len(record.read_text().splitlines()) if record.exists() else 0
        if wanted.jobs > 1:
            _share_out(wanted, record)
        else:
            _run(wanted, record)
        lines = [json.loads(line) for line in record.read_text().splitlines()[known:]]
    print("\n".join(summed_up(lines, time.monotonic() - begun)), flush=True)
    return 1 if len(lines) < len(wanted.seeds) or any(line["violations"] for line in lines) else 0


def _run(wanted: argparse.Namespace, record: Path) -> None:
    warnings.simplefilter("ignore", ResourceWarning)
    with Servers() as servers:
        for seed in wanted.seeds:
            plan = provoking(make_plan(seed), wanted.broken) if wanted.broken else make_plan(seed)
            report = run(servers, plan, make_load(seed, wanted.commands), broken=wanted.broken)
            print("\n".join(told(report, journal=wanted.journal)), flush=True)
            with record.open("a") as lines:
                lines.write(json.dumps(recorded(report)) + "\n")


def _share_out(wanted: argparse.Namespace, record: Path) -> None:
    """Let processes like this one do a part each, and tell what they tell, all but the summary."""
    words = [sys.executable, "-W", "ignore", "-m", __spec__.parent or "", "--commands", str(wanted.commands)]
    words += ["--record", str(record), "--break", wanted.broken, *(["--journal"] if wanted.journal else [])]
    shares = [wanted.seeds[number :: wanted.jobs] for number in range(wanted.jobs)]
    jobs = [
        subprocess.Popen([*words, "--seeds", ",".join(map(str, share))], stdout=subprocess.PIPE, text=True)
        for share in shares
        if share
    ]
    listeners = [threading.Thread(target=_pass_on, args=(job,)) for job in jobs]
    for listener in listeners:
        listener.start()
    try:
        for listener in listeners:
            listener.join()
    finally:
        for job in jobs:
            job.terminate()


def _pass_on(job: "subprocess.Popen[str]") -> None:
    for line in job.stdout or ():
        if " × " not in line and " kinds, " not in line:
            print(line, end="", flush=True)
    job.wait()


def told(report: Report, *, journal: bool = False) -> Iterator[str]:
    """A line for a seed; more where something is wrong with it."""
    missed = f", not reached: {', '.join(map(str, report.missed))}" if report.missed else ""
    yield (
        f"seed {report.plan.seed}: {report.messages} messages, {report.events} events, {report.injected.total()} faults,"
        f" {len(report.violations)} violations, {report.seconds:.0f} s{missed}"
    )
    if report.violations:
        yield from (f"  VIOLATION {one}" for one in report.violations)
        yield f"  logs are in {report.folder}; again: make faults SEEDS={report.plan.seed}"
        yield str(report.plan)
    if report.violations or journal:
        yield report.journal


def recorded(report: Report) -> dict[str, Any]:
    """The same for machines."""
    return {
        "seed": report.plan.seed,
        "messages": report.messages,
        "events": report.events,
        "injected": {str(fault): count for fault, count in report.injected.items()},
        "missed": [str(fault) for fault in report.missed],
        "violations": report.violations,
        "seconds": round(report.seconds, 1),
    }


def summed_up(lines: list[dict[str, Any]], seconds: float) -> Iterator[str]:
    """The end of it all."""
    injected: Counter[str] = Counter()
    for line in lines:
        injected.update(line["injected"])
    yield from (f"{count:6} × {kind}" for kind, count in sorted(injected.items()))
    messages, wrong = sum(one["messages"] for one in lines), sum(len(one["violations"]) for one in lines)
    bad = ", ".join(str(one["seed"]) for one in lines if one["violations"])
    yield (
        f"{len(lines)} seeds, {messages} messages, {injected.total()} faults of {len(injected)} kinds,"
        f" {wrong} violations{f' (seeds {bad})' if bad else ''}, {seconds / 60:.1f} min"
    )


if __name__ == "__main__":
    sys.exit(main())
