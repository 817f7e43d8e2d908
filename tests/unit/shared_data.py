"""Where material that nobody on this project wrote lies, beside the project. It is never copied into it."""

from pathlib import Path

import pytest

SHARED_DATA = Path(__file__).parents[2].parent / "shared" / "data"


def need(folder: str) -> pytest.MarkDecorator:
    """Skip a test, by name, where the folder is absent."""
    path = SHARED_DATA / folder
    return pytest.mark.skipif(not path.exists(), reason=f"../shared/data/{folder} is absent")
