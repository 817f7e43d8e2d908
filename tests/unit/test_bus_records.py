"""Record batches: the bytes that Kafka's own client writes, and all that it reads, odd names included."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kafka.errors import CorruptRecordError
from kafka.partitioner.default import DefaultPartitioner
from kafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from kafka.record.memory_records import MemoryRecords

from ltc_events.bus import records
from ltc_events.bus.headers import UNREADABLE
from ltc_events.bus.records import LeanRecordBatch, Outgoing, Producer, packed, sealed
from ltc_events.kernel.partitioning import partition_of

SENDER = Producer(4711, 3)
NAMES = st.text(max_size=80)
CONTENT = st.binary(max_size=100)
MESSAGES = st.tuples(st.none() | CONTENT, st.none() | CONTENT, st.lists(st.tuples(NAMES, CONTENT), max_size=5))
LONG: Outgoing = (b"k" * 5_000, b"v" * 100_000, [("n" * 300, b"h" * 20_000)] * 70)


def batch_of(messages: list[Outgoing]) -> bytes:
    return sealed(0, [packed(message, delta) for delta, message in enumerate(messages)], SENDER, 17).data


def as_the_client_writes_it(messages: list[Outgoing], time: int) -> bytes:
    builder = DefaultRecordBatchBuilder(2, 0, False, producer_id=4711, producer_epoch=3, base_sequence=17, batch_size=10**9)
    for delta, (key, value, headers) in enumerate(messages):
        builder.append(delta, time, key, value, list(headers))
    return bytes(builder.build())


@settings(max_examples=200)
@given(st.lists(MESSAGES, min_size=1, max_size=90))
def test_a_batch_is_what_kafkas_client_writes(messages: list[Outgoing]) -> None:
    assert_as_the_client_writes(messages)


def test_a_batch_of_long_messages_is_what_kafkas_client_writes() -> None:
    assert_as_the_client_writes([LONG, (None, None, []), *[(b"", b"", [])] * 200, LONG])


def assert_as_the_client_writes(messages: list[Outgoing]) -> None:
    ours = batch_of(messages)
    theirs = as_the_client_writes_it(messages, DefaultRecordBatch(ours).first_timestamp)
    unset = struct.pack(">i", -1)  # the leader's epoch: the client says 0, and the broker sets it
    assert ours == theirs[:12] + unset + theirs[16:]
    assert DefaultRecordBatch(ours).validate_crc()


@settings(max_examples=200)
@given(st.lists(MESSAGES, min_size=1, max_size=90))
def test_a_batch_is_read_as_kafkas_client_reads_it(messages: list[Outgoing]) -> None:
    assert_read_as_the_client_does(batch_of(messages))


def test_long_messages_are_read_as_kafkas_client_reads_them() -> None:
    assert_read_as_the_client_does(batch_of([LONG, (None, None, []), *[(b"", b"", [])] * 200, LONG]))


def assert_read_as_the_client_does(batch: bytes) -> None:
    fields = ("size_in_bytes", "offset", "timestamp", "timestamp_type", "key", "value", "checksum")
    for ours, theirs in zip(LeanRecordBatch(batch), DefaultRecordBatch(batch), strict=True):
        assert [getattr(ours, name) for name in fields] == [getattr(theirs, name) for name in fields]
        assert list(ours.headers) == theirs.headers


def test_a_header_without_a_value_and_one_whose_name_is_no_text_are_read() -> None:
    empty = b"\0\0\0\x01\x01"  # attributes, time, offset, no key, no value
    body = empty + b"\x06" + b"\x02a\x01" + b"\x04\xff\xfe\x02b" + b"\0\0"
    (record,) = LeanRecordBatch(sealed(0, [bytes([len(body) * 2]) + body], SENDER, 0).data)
    assert list(record.headers) == [("a", None), (r"\xff\xfe", b"b"), ("", b"")]


@pytest.mark.parametrize("count", [-1, 0, 1, 3])
def test_headers_that_do_not_end_where_the_message_ends_are_kept_as_they_are(count: int) -> None:
    block = b"\x02a\x02b" + b"\x02c\x02d"
    body = b"\0\0\0\x01\x01" + bytes([count * 2 if count >= 0 else 1]) + block
    (record,) = LeanRecordBatch(sealed(0, [bytes([len(body) * 2]) + body], SENDER, 0).data)
    assert list(record.headers)[-1] == (UNREADABLE, block)


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_batch_that_ends_too_early_is_corrupt(cut: int) -> None:
    with pytest.raises(CorruptRecordError):
        list(LeanRecordBatch(batch_of([(b"key", b"value", [("name", b"content")])])[:-cut]))


def test_a_batch_with_more_than_its_records_is_corrupt() -> None:
    with pytest.raises(CorruptRecordError):
        list(LeanRecordBatch(batch_of([(b"key", b"value", [])]) + b"\0"))


def test_the_client_reads_this_way_once_it_is_installed() -> None:
    records.install()
    (batch,) = MemoryRecords(batch_of([(b"key", b"value", [])]))
    assert type(batch) is LeanRecordBatch


class Cluster:
    """What the partitioner asks of a cluster."""

    def topics(self) -> set[str]:
        return {"topic"}

    def partitions_for_topic(self, _: str) -> set[int]:
        return set(range(7))

    available_partitions_for_topic = partitions_for_topic


@given(st.binary(min_size=1, max_size=60))
def test_a_key_has_the_partition_that_every_client_gives_it(key: bytes) -> None:
    assert partition_of(key, 7) == DefaultPartitioner().partition("topic", key, key, None, None, Cluster())
