"""What `ltc submit` reads at once is bounded by lines and by bytes."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltc_events.cli import submit


@given(st.lists(st.integers(0, 30), max_size=40), st.booleans())
def test_each_line_comes_once_and_no_batch_is_too_large(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int], ends: bool
) -> None:
    lines = [b"x" * length for length in lengths]
    file = tmp_path_factory.mktemp("lines") / "commands"
    file.write_bytes(b"\n".join(lines) + (b"\n" if ends else b""))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(submit, "BATCH", 5)
        patched.setattr(submit, "BATCH_BYTES", 50)
        batches = list(submit._batches(Path(file)))
    assert [one for batch in batches for one in batch] == [(number, line) for number, line in enumerate(lines, 1) if line]
    for batch in batches:
        assert 1 <= len(batch) <= 5
        assert len(batch) == 1 or sum(len(line) for _, line in batch) <= 50
