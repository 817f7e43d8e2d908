"""Signed notes, checkpoints, proofs in a file, policies: what is written is read again, and what is amiss is named."""

from base64 import b64encode
from datetime import UTC, date, datetime, timedelta, timezone
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltc_events.proofs.checkpoint import Checkpoint, open_checkpoint
from ltc_events.proofs.errors import Malformed, ProofError, QuorumMissing, SignatureInvalid, SignatureMissing
from ltc_events.proofs.hashing import EMPTY_ROOT
from ltc_events.proofs.leaf import event_leaf
from ltc_events.proofs.note import COSIGNATURE, Note, Signature, Signer, Verifier
from ltc_events.proofs.policy import parse_policy
from ltc_events.proofs.tlog_proof import TlogProof, consistency_text, parse_consistency
from ltc_events.schemas.record import RawRecord

SIGNER = Signer("ledger.example/main/events", bytes(range(32)))
OTHER = Signer("ledger.example/main/events", bytes(32))
ROOT = bytes(range(100, 132))
POINT = Checkpoint("ledger.example/main/events", 42, ROOT)
NOTE = POINT.sign([SIGNER])


def witness(name: str, seed: int) -> tuple[Verifier, Signature]:
    """A witness's key, and what it signs of NOTE."""
    signer = Signer(name, bytes([seed]) * 32)
    verifier = Verifier(name, signer.verifier.public, COSIGNATURE)
    time = 1_700_000_000
    signature = signer.sign(f"cosignature/v1\ntime {time}\n".encode() + NOTE.text).signature
    return verifier, Signature(name, verifier.key_id, time.to_bytes(8, "big") + signature)


def test_the_example_of_the_specification_is_verified() -> None:
    """golang.org/x/mod/sumdb/note, the example in its documentation."""
    key = Verifier.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    text = (
        "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
        "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    )
    Note.parse(text.encode()).require([key])
    with pytest.raises(SignatureInvalid):
        Note.parse(text.replace("problem is", "problem was").encode()).require([key])


def test_a_checkpoint_is_read_by_its_key() -> None:
    assert bytes(NOTE).startswith(b"ledger.example/main/events\n42\n" + b64encode(ROOT) + b"\n\n\xe2\x80\x94 ledger.example")
    checkpoint, note = open_checkpoint(bytes(NOTE), [Verifier.parse(str(SIGNER.verifier))])
    assert (checkpoint, note) == (POINT, NOTE)


def test_one_of_another_key_or_another_log_is_not() -> None:
    with pytest.raises(SignatureMissing, match=r"by ledger\.example/main/events"):
        open_checkpoint(bytes(NOTE), [OTHER.verifier])
    with pytest.raises(Malformed, match=r"it is one of ledger\.example/main/events"):
        open_checkpoint(bytes(NOTE), [SIGNER.verifier], "ledger.example/other/events")
    forged = bytes(NOTE).replace(b"\n42\n", b"\n43\n")
    with pytest.raises(SignatureInvalid):
        open_checkpoint(forged, [SIGNER.verifier])


def test_a_key_that_was_rotated_signs_beside_the_old_one() -> None:
    both = POINT.sign([SIGNER, OTHER])
    for one in (SIGNER, OTHER):
        assert open_checkpoint(bytes(both), [one.verifier])[0] == POINT
    assert len(both.signed_too(NOTE.signatures).signatures) == 2


@given(st.integers(0, len(bytes(NOTE)) - 1), st.integers(0, 7))
def test_no_bit_of_a_checkpoint_can_be_another(at: int, bit: int) -> None:
    changed = bytearray(bytes(NOTE))
    changed[at] ^= 1 << bit
    with pytest.raises(ProofError):
        open_checkpoint(bytes(changed), [SIGNER.verifier])


@given(st.binary(max_size=200))
def test_whatever_comes_is_refused_by_name(data: bytes) -> None:
    for parse in (Note.parse, Checkpoint.parse, TlogProof.parse):
        with pytest.raises(Malformed):
            parse(data)  # type: ignore[operator]


@pytest.mark.parametrize(
    "text",
    [
        "x\n-1\n{root}\n",
        "x\n01\n{root}\n",
        "x\n+1\n{root}\n",
        "x\n1_0\n{root}\n",
        "x\n٣\n{root}\n",
        "x\n9223372036854775808\n{root}\n",
        "x\n0\n{root}\n",
        "\n1\n{root}\n",
        "x\n1\n{root}\nextension\n",
        "x\n1\n{root}",
        "x\n1\n{short}\n",
        "x\n1\nAB==\n",
    ],
)
def test_a_checkpoint_has_one_form(text: str) -> None:
    filled = text.format(root=b64encode(ROOT).decode(), short=b64encode(ROOT[:-1]).decode())
    with pytest.raises(Malformed):
        Checkpoint.parse(filled.encode())
    assert Checkpoint.parse(Checkpoint("x", 0, EMPTY_ROOT).text()).size == 0


@pytest.mark.parametrize("key", ["", "a", "a+b", "a b+00000000+AQ==", f"x+00000000+{b64encode(bytes([1]) + ROOT).decode()}"])
def test_a_verifier_key_is_checked_against_its_own_id(key: str) -> None:
    with pytest.raises(Malformed):
        Verifier.parse(key)


def test_a_proof_in_a_file_is_read_again() -> None:
    proof = TlogProof(7, (ROOT, EMPTY_ROOT), bytes(NOTE))
    assert TlogProof.parse(bytes(proof)) == proof
    extra = bytes(proof).replace(b"@v1\n", b"@v1\nextra AAAA\n")
    assert TlogProof.parse(extra) == proof
    for wrong in (
        bytes(proof).replace(b"@v1", b"@v2"),
        bytes(proof).replace(b"index 7", b"index 07"),
        bytes(proof).replace(b"index 7\n", b""),
        bytes(proof).replace(b64encode(ROOT), b64encode(ROOT[:-1])),
        bytes(TlogProof(7, (ROOT,) * 64, bytes(NOTE))),
    ):
        with pytest.raises(Malformed):
            TlogProof.parse(wrong)
    assert parse_consistency(consistency_text([ROOT, EMPTY_ROOT])) == [ROOT, EMPTY_ROOT]


def test_a_quorum_of_witnesses_is_asked_for() -> None:
    (one, one_signs), (two, two_signs), (three, _) = (witness(f"w{number}.example", number) for number in (1, 2, 3))
    policy = parse_policy(
        f"# whom we believe\nlog {SIGNER.verifier}\nwitness a {one}\nwitness b {two} https://b.example\nwitness c {three}\n"
        "group ab any a b\ngroup most 2 ab c\ngroup two 2 a b c\nquorum two\n"
    )
    assert policy.witnesses["b"][1] == "https://b.example"
    policy.require(NOTE.signed_too([one_signs, two_signs]))
    with pytest.raises(QuorumMissing, match="signed by a, and b, c did not"):
        policy.require(NOTE.signed_too([one_signs]))
    with pytest.raises(QuorumMissing, match="signed by nobody"):
        policy.require(NOTE)
    with pytest.raises(SignatureInvalid, match=r"w1\.example"):
        policy.require(NOTE.signed_too([one_signs._replace(signature=two_signs.signature)]))
    # A group counts once, however many of its members have signed.
    with pytest.raises(QuorumMissing):
        policy._replace(quorum="most").require(NOTE.signed_too([one_signs, two_signs]))
    policy._replace(quorum="none").require(NOTE)


@pytest.mark.parametrize(
    "line",
    [
        "quorum nobody",
        "group g 3 a",
        "group g 0 a",
        "group a any a",
        "group g any z",
        "witness none {w}",
        "what",
        "quorum a\nquorum a",
    ],
)
def test_a_policy_that_is_not_clear_is_refused(line: str) -> None:
    key = witness("w.example", 1)[0]
    with pytest.raises(Malformed, match=r"policy"):
        parse_policy(f"log {SIGNER.verifier}\nwitness a {key}\n{line.format(w=key)}\nquorum a\n")
    with pytest.raises(Malformed, match="the key of a witness"):
        parse_policy(f"log {SIGNER.verifier}\nwitness a {SIGNER.verifier}\nquorum a\n")
    with pytest.raises(Malformed, match="no quorum"):
        parse_policy(f"log {SIGNER.verifier}\n")


@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    st.uuids() | st.none(),
    st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)),  # noqa: DTZ001
    st.integers(-14, 14),
)
def test_the_leaf_of_an_event_is_canonical(actor: str, customer: UUID | None, at: datetime, hours: int) -> None:
    occurred = at.replace(tzinfo=timezone(timedelta(hours=hours)))
    id = UUID(int=7)
    event = RawRecord(
        1, id, 2, "a.b.v1", b"{}", customer, occurred, date(5, 1, 2), datetime(2026, 1, 1, tzinfo=UTC), id, id, id, actor
    )
    leaf = event_leaf(event)
    document = orjson.loads(leaf)
    assert document["actor"] == actor
    assert document["data"] == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert document["effective"] == "0005-01-02"
    assert document["recorded"] == "2026-01-01T00:00:00.000000Z"
    assert len(document["occurred"]) == 27
    assert document["customer"] == (None if customer is None else str(customer))
    assert set(document) == {
        "actor", "causation", "command", "correlation", "customer", "data", "effective", "occurred", "position", "recorded",
        "stream", "type", "v", "version",
    }  # fmt: skip
    assert orjson.dumps(document, option=orjson.OPT_SORT_KEYS) == leaf
