"""`python -m benchmarks.peak FILE ARGUMENT…`: run `ltc ARGUMENT…` and write the most memory it had (bytes) into FILE."""

import resource
import sys
from pathlib import Path

STATUS = Path("/proc/self/status")


def peak_bytes() -> int:
    """The peak of this program alone. `getrusage` counts in what the process was before it became this program."""
    if STATUS.exists():
        (line,) = (line for line in STATUS.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    scale = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale


if __name__ == "__main__":
    from ltc_events.cli.main import main

    report = Path(sys.argv.pop(1))
    try:
        main()
    finally:
        report.write_text(str(peak_bytes()), encoding="ascii")
