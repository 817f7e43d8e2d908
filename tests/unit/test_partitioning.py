"""Keys go where Kafka's own clients put them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner.default import murmur2 as murmur2_of_the_client
from kafka.record.util import encode_varint

from ltc_events.bus.headers import Wire, wired
from ltc_events.kernel.partitioning import murmur2


@given(st.binary(max_size=60))
def test_a_key_is_hashed_as_the_client_does(key: bytes) -> None:
    assert murmur2(key) == murmur2_of_the_client(key)


# From the tests of Apache Kafka's Java client, whose result is a signed number.
@pytest.mark.parametrize(
    ("key", "hashed"), [(b"21", -973932308), (b"foobar", -790332482), (b"a-little-bit-long-string", -985981536)]
)
def test_a_key_is_hashed_as_by_the_java_client(key: bytes, hashed: int) -> None:
    assert murmur2(key) == hashed & 0xFFFFFFFF


@given(st.integers(64, 100_000))
def test_lengths_are_read_as_the_client_writes_them(size: int) -> None:
    written = bytearray()
    encode_varint(size, written.append)
    content = b"x" * size
    block = b"\x02a" + bytes(written) + content
    assert list(Wire(block, 1)) == [("a", content)]
    assert wired([("a", content)]).data == block
