"""The signed checkpoints of one log, which its tree must match, in the order of their sizes."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from ltc_events.audit.findings import Finding, Kind, Since
from ltc_events.proofs.checkpoint import open_checkpoint
from ltc_events.proofs.errors import ProofError
from ltc_events.proofs.note import Verifier
from ltc_events.store.transparency import SignedCheckpoint


class _Signed(NamedTuple):
    size: int
    root: bytes
    signed_at: datetime | None
    is_ours: bool


class Expected:
    """Compares a growing tree with each checkpoint at its size. Checkpoints kept by others count like those in the database."""

    def __init__(
        self, origin: str, kept: Sequence[SignedCheckpoint], others: Iterable[bytes], verifiers: Sequence[Verifier]
    ) -> None:
        """`others`: signed notes of this log. Raises ProofError where one of them is not signed by its key."""
        self.origin = origin
        self.size = kept[-1].size if kept else 0
        self.signed_at = kept[-1].signed_at if kept else None
        self.findings: list[Finding] = []
        signed = [_Signed(one.size, one.root, one.signed_at, True) for one in kept if self._is_signed(one, verifiers)]
        for note in others:
            checkpoint, _ = open_checkpoint(note, verifiers, origin)
            if checkpoint.size > self.size:
                found = f"it ends at {self.size} leaves, and {checkpoint.size} were signed: an older copy, or its end is gone"
                self.findings.append(
                    Finding(Kind.WENT_BACK, origin, f"leaf {self.size + 1}", found, Since(checkpoint.size, None))
                )
            elif checkpoint.size:
                signed.append(_Signed(checkpoint.size, checkpoint.root, None, False))
        self._signed = sorted(signed, key=lambda one: (one.size, not one.is_ours))
        self._sizes = [one.size for one in self._signed]
        self._next = 0
        self._is_broken = False

    def since(self, leaf: int) -> Since | None:
        """The first checkpoint that covers a leaf (from 1)."""
        at = bisect_left(self._sizes, leaf)
        return Since(self._signed[at].size, self._signed[at].signed_at) if at < len(self._signed) else None

    def next_size(self) -> int | None:
        """The size of the next checkpoint to compare with."""
        return self._signed[self._next].size if self._next < len(self._signed) else None

    def meet(self, root: bytes) -> None:
        """Compare the root of the tree at `next_size`."""
        size = self._signed[self._next].size
        before = self._signed[self._next - 1].size if self._next else 0
        while self._next < len(self._signed) and self._signed[self._next].size == size:
            one = self._signed[self._next]
            self._next += 1
            if one.root == root or self._is_broken:
                continue
            self._is_broken = one.is_ours  # all roots behind it differ as well
            kind = Kind.TREE if one.is_ours else Kind.TWO_HISTORIES
            detail = (
                "the leaves and their kept hashes were both changed: they do not lead to the root that was signed"
                if one.is_ours
                else "the checkpoint that was kept elsewhere has another root: what it covers was replaced"
            )
            where = f"leaves {before + 1} to {size}" if one.is_ours else f"leaves 1 to {size}"
            self.findings.append(Finding(kind, self.origin, where, detail, Since(size, one.signed_at)))

    def _is_signed(self, one: SignedCheckpoint, verifiers: Sequence[Verifier]) -> bool:
        try:
            checkpoint, _ = open_checkpoint(one.note, verifiers, self.origin)
        except ProofError as error:
            problem = error.message
        else:
            if (checkpoint.size, checkpoint.root) == (one.size, one.root):
                return True
            problem = "size and root beside the note are not those in it"
        where = f"checkpoint of size {one.size}"
        self.findings.append(Finding(Kind.SIGNATURE, self.origin, where, problem, Since(one.size, one.signed_at)))
        return False
