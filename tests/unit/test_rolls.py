"""What a roll says of a stream, where the stream stands, and what is no roll."""

from hashlib import sha256
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.merkle import mth

from ltc_events.proofs.errors import Malformed
from ltc_events.proofs.hashing import EMPTY_ROOT, leaf_hash
from ltc_events.proofs.memory_tree import MemoryTree
from ltc_events.proofs.proof import check_inclusion, make_inclusion
from ltc_events.proofs.roll import SHARDS, Roll, StreamHead, kind_of, shard_of, top_tree

CUSTOMER = UUID("0190f4c2-0000-7000-8000-000000000001")
STREAM = UUID("0190f4c2-0000-7000-8000-000000000002")
ROLL = Roll(12, b"e" * 32, b"r" * 32, 6, 2, 12)


def test_the_leaf_of_a_stream_is_canonical_json() -> None:
    head = StreamHead(CUSTOMER, STREAM, "invoice", 3, b"\0" * 32)
    assert head.leaf() == (
        b'{"customer":"0190f4c2-0000-7000-8000-000000000001","head":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",'
        b'"kind":"invoice","stream":"0190f4c2-0000-7000-8000-000000000002","version":3}'
    )
    assert head._replace(customer=None).leaf().startswith(b'{"customer":null,')


def test_a_stream_of_the_company_is_its_own_owner() -> None:
    assert StreamHead(CUSTOMER, STREAM, "invoice", 1, b"").owner == CUSTOMER
    assert StreamHead(None, STREAM, "price_book", 1, b"").owner == STREAM


def test_the_shard_is_the_first_twelve_bits_of_the_owners_hash() -> None:
    assert shard_of(CUSTOMER) == int(sha256(str(CUSTOMER).encode()).hexdigest()[:3], 16) < SHARDS


def test_the_kind_is_the_first_word_of_the_type() -> None:
    assert kind_of("invoice.settled.v1") == "invoice"
    assert kind_of("anything") == "anything"


def test_a_roll_is_read_as_it_was_written() -> None:
    assert ROLL.leaf().startswith(b'{"customers":2,"events":12,"events_root":"ZWV')
    assert Roll.parse(ROLL.leaf()) == ROLL


@pytest.mark.parametrize(
    "leaf",
    [
        b"", b"[]", b"{}", ROLL.leaf() + b" ", ROLL.leaf().replace(b'"size":12', b'"size":-1'),
        ROLL.leaf().replace(b'"size":12', b'"size":12.0'), ROLL.leaf().replace(b'"size":12', b'"size":true'),
        ROLL.leaf().replace(b"4096", b"4095"), ROLL.leaf().replace(b'"roll":"cn', b'"roll":"cn='),
        ROLL.leaf().replace(b"{", b"{ "),
        ROLL.leaf().replace(b"}", b',"v":1}'), ROLL.leaf().replace(b'"size":12', b'"size":12,"size":13'),
    ],
)  # fmt: skip
def test_what_is_no_roll_is_refused(leaf: bytes) -> None:
    with pytest.raises(Malformed):
        Roll.parse(leaf)


@given(st.lists(st.binary(max_size=3), max_size=40))
def test_a_tree_in_memory_is_that_of_rfc_6962(entries: list[bytes]) -> None:
    hashes = [leaf_hash(entry) for entry in entries]
    tree = MemoryTree(hashes)
    assert (tree.size, tree.root()) == (len(entries), mth(entries))
    for index, hash in enumerate(hashes):
        check_inclusion(hash, index, len(entries), mth(entries), make_inclusion(index, len(entries), tree))


def test_the_top_tree_is_over_the_roots_of_all_shards() -> None:
    roots = [EMPTY_ROOT] * (SHARDS - 1) + [b"x" * 32]
    assert top_tree(roots).root() == mth(roots)
