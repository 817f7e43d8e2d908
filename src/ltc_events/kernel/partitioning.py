"""The partition of a topic that a key belongs to, as Kafka's default partitioner computes it."""

from functools import lru_cache
from struct import unpack_from

_SEED, _FACTOR, _WORD = 0x9747B28C, 0x5BD1E995, 0xFFFFFFFF
_KEYS_MAX = 100_000


def partition_of(key: bytes, partitions: int) -> int:
    """The partition that Kafka's default partitioner gives a key, from 0 up to `partitions` - 1."""
    return _hash(key) % partitions


def murmur2(data: bytes) -> int:
    """MurmurHash2, 32 bits, unsigned, as Kafka's Java client and those compatible with it use it to choose a partition."""
    size = len(data)
    hashed = (_SEED ^ size) & _WORD
    for word in unpack_from(f"<{size // 4}I", data):
        mixed = word * _FACTOR & _WORD
        mixed = (mixed ^ mixed >> 24) * _FACTOR & _WORD
        hashed = hashed * _FACTOR & _WORD ^ mixed
    rest = data[size & ~3 :]
    if rest:
        hashed = (hashed ^ int.from_bytes(rest, "little")) * _FACTOR & _WORD
    hashed = (hashed ^ hashed >> 13) * _FACTOR & _WORD
    return hashed ^ hashed >> 15


@lru_cache(maxsize=_KEYS_MAX)
def _hash(key: bytes) -> int:
    return murmur2(key) & 0x7FFFFFFF
