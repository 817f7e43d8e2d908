"""`make faults`: run seeds, a line for each, and in the end what was injected and what was violated."""

import argparse
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator

from tests.e2e.faults.plan import HANDS, make_plan
from tests.e2e.faults.run import COMMANDS_EACH, Report, run
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
    parser.add_argument("--break", dest="broken", default="", choices=sorted(BREAK), help="a guard to break on purpose")
    parser.add_argument("--journal", action="store_true", help="say what happened when")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ResourceWarning)
    begun, reports = time.monotonic(), []
    with Servers() as servers:
        for seed in arguments.seeds:
            reports.append(run(servers, make_plan(seed), broken=arguments.broken, commands=arguments.commands))
            print("\n".join(told(reports[-1])), flush=True)
            if arguments.journal or reports[-1].violations:
                print(reports[-1].journal, flush=True)
    print("\n".join(summed_up(reports, time.monotonic() - begun)))
    return 1 if any(report.violations for report in reports) else 0


def told(report: Report) -> Iterator[str]:
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


def summed_up(reports: list[Report], seconds: float) -> Iterator[str]:
    """The end of it all."""
    injected: Counter[str] = Counter()
    for report in reports:
        injected += Counter({str(fault): count for fault, count in report.injected.items()})
    yield from (f"{count:6} × {kind}" for kind, count in sorted(injected.items()))
    messages, wrong = sum(one.messages for one in reports), sum(len(one.violations) for one in reports)
    bad = [str(one.plan.seed) for one in reports if one.violations]
    yield (
        f"{len(reports)} seeds, {messages} messages, {injected.total()} faults of {len(injected)} kinds,"
        f" {wrong} violations{f' (seeds {chr(44).join(bad)})' if bad else ''}, {seconds / 60:.1f} min"
    )


if __name__ == "__main__":
    sys.exit(main())
