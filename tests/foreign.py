"""Programs that are not ours and that some tests need: absent, they are a failure in CI, and elsewhere reported by name."""

import os
import shutil

import pytest


def need(request: pytest.FixtureRequest, *programs: str) -> None:
    """See that these programs are installed."""
    for program in programs:
        if shutil.which(program) is None:
            assert not os.environ.get("CI"), f"{program} is not installed"
            pytest.skip(f"NOT RUN {request.node.name}: {program} is not installed")
