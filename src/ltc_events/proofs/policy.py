"""Trust policies (C2SP tlog-policy): the keys of logs and witnesses, and the quorum of signatures."""

from collections.abc import Mapping
from typing import NamedTuple

from ltc_events.proofs.base64_text import decimal
from ltc_events.proofs.errors import Malformed, QuorumMissing
from ltc_events.proofs.note import COSIGNATURE, Note, Verifier

NONE = "none"
_WHAT = "policy"


class Group(NamedTuple):
    """A group: how many of its members (names of witnesses or groups) must have signed."""

    threshold: int
    members: tuple[str, ...]


class Policy(NamedTuple):
    """Logs, witnesses (with their URL, if given), groups, and the quorum required."""

    logs: tuple[Verifier, ...]
    witnesses: Mapping[str, tuple[Verifier, str | None]]
    groups: Mapping[str, Group]
    quorum: str = NONE

    def require(self, note: Note) -> None:
        """Require a log's signature and the quorum.

        Raises SignatureInvalid, SignatureMissing, QuorumMissing.
        """
        note.require(self.logs)
        if self.quorum == NONE:
            return
        signed = {name for name, (verifier, _) in self.witnesses.items() if note.signed_by(verifier)}
        if not self._met(self.quorum, signed):
            missing = ", ".join(sorted(self.witnesses.keys() - signed))
            raise QuorumMissing(signed=", ".join(sorted(signed)) or "nobody", missing=missing)

    def _met(self, name: str, signed: set[str]) -> bool:
        if name in self.witnesses:
            return name in signed
        group = self.groups[name]
        return sum(self._met(member, signed) for member in group.members) >= group.threshold


def parse_policy(text: str) -> Policy:
    """Parse a policy file, in which names are defined before they are used. Raises Malformed."""
    logs: list[Verifier] = []
    witnesses: dict[str, tuple[Verifier, str | None]] = {}
    groups: dict[str, Group] = {}
    quorum: str | None = None
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        known = {**witnesses, **groups}
        match words:
            case []:
                continue
            case ["log", key] | ["log", key, _]:
                logs.append(Verifier.parse(key))
            case ["witness", name, key, *url] if name not in known and name != NONE and len(url) <= 1:
                verifier = Verifier.parse(key)
                if verifier.kind != COSIGNATURE:
                    raise Malformed(what=_WHAT, problem=f"line {number}: the key of a witness is of the kind 04")
                witnesses[name] = (verifier, url[0] if url else None)
            case ["group", name, threshold, *members] if (
                name not in known and name != NONE and members and known.keys() >= set(members)
            ):
                groups[name] = Group(_threshold(threshold, len(members), number), tuple(members))
            case ["quorum", name] if quorum is None and (name == NONE or name in known):
                quorum = name
            case _:
                raise Malformed(what=_WHAT, problem=f"line {number} is not understood, or names what is not above it: {line}")
    if not logs or quorum is None:
        raise Malformed(what=_WHAT, problem="it names no log, or no quorum (which may be none)")
    return Policy(tuple(logs), witnesses, groups, quorum)


def _threshold(word: str, members: int, number: int) -> int:
    threshold = {"any": 1, "all": members}.get(word) or decimal(word, _WHAT)
    if not 1 <= threshold <= members:
        raise Malformed(what=_WHAT, problem=f"line {number}: {word} of {members} cannot be met, or is met by nobody")
    return threshold
