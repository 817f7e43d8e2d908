"""Laws of the transparency log: every proof holds, none holds any longer when a bit of it or of its sizes is another."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.merkle import full_node, mth
from tests.property.profile import examples

from ltc_events.proofs.compact_range import CompactRange
from ltc_events.proofs.errors import ProofError
from ltc_events.proofs.hashing import full_nodes, leaf_hash, subtree
from ltc_events.proofs.proof import check_consistency, check_inclusion, make_consistency, make_inclusion
from ltc_events.proofs.tiles import HEIGHT, WIDTH, Tile, TileReader, entry_tiles, tiles_of

SIZES = st.integers(1, 80)
BYTE, BIT = st.integers(0, 1 << 30), st.integers(0, 7)


def entries(size: int) -> list[bytes]:
    return [b"entry %d" % n for n in range(size)]


def flipped(data: bytes, byte: int, bit: int) -> bytes:
    changed = bytearray(data)
    changed[byte % len(data)] ^= 1 << bit
    return bytes(changed)


def refused(check: Callable[..., None], *arguments: object) -> None:
    with pytest.raises(ProofError):
        check(*arguments)


@settings(max_examples=examples(50), deadline=None)
@given(st.data(), SIZES)
def test_inclusion_proofs_hold_and_no_changed_one_does(data: st.DataObject, size: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    all_of_them = entries(size)
    leaf, root = leaf_hash(all_of_them[index]), mth(all_of_them)
    proof = make_inclusion(index, size, lambda level, at: full_node(all_of_them, level, at))
    check_inclusion(leaf, index, size, root, proof)
    byte, bit = data.draw(BYTE), data.draw(BIT)
    refused(check_inclusion, flipped(leaf, byte, bit), index, size, root, proof)
    refused(check_inclusion, leaf, index, size, flipped(root, byte, bit), proof)
    refused(check_inclusion, leaf, index, size, root, [*proof, root])
    refused(check_inclusion, leaf, size, size, root, proof)
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        refused(check_inclusion, leaf, index, size, root, [*proof[:at], flipped(proof[at], byte, bit), *proof[at + 1 :]])
        refused(check_inclusion, leaf, index, size, root, proof[:at] + proof[at + 1 :])
        refused(check_inclusion, leaf, (index + 1) % size, size, root, proof)


@settings(max_examples=examples(50), deadline=None)
@given(st.data(), SIZES)
def test_consistency_proofs_hold_and_no_changed_one_does(data: st.DataObject, size: int) -> None:
    old = data.draw(st.integers(1, size))
    all_of_them = entries(size)
    before, after = mth(all_of_them[:old]), mth(all_of_them)
    proof = make_consistency(old, size, lambda level, at: full_node(all_of_them, level, at))
    check_consistency(old, size, before, after, proof)
    byte, bit = data.draw(BYTE), data.draw(BIT)
    refused(check_consistency, old, size, flipped(before, byte, bit), after, proof)
    refused(check_consistency, old, size, before, flipped(after, byte, bit), proof)
    refused(check_consistency, old, size, before, after, [*proof, after])
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        refused(check_consistency, old, size, before, after, [*proof[:at], flipped(proof[at], byte, bit), *proof[at + 1 :]])
        refused(check_consistency, old, size, before, after, proof[:at] + proof[at + 1 :])
        other = mth([b"another", *all_of_them[1:old]])
        refused(check_consistency, old, size, other, after, proof)


def test_nothing_is_proved_of_nothing() -> None:
    with pytest.raises(ProofError, match="nothing is the beginning"):
        check_consistency(0, 1, mth([]), mth([b"one"]), [])


@given(st.integers(0, 300))
def test_a_tree_that_grows_has_the_root_of_what_is_in_it(size: int) -> None:
    growing = CompactRange()
    for entry in entries(size):
        growing.append(leaf_hash(entry))
    assert growing.root() == mth(entries(size))
    again = CompactRange(size, (full_node(entries(size), *node) for node in full_nodes(0, size)))
    assert list(again.nodes()) == list(growing.nodes())


@given(SIZES, st.data())
def test_full_nodes_cover_what_they_are_over_once(size: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, size))
    covered = [leaf for level, index in full_nodes(first, size) for leaf in range(index << level, (index + 1) << level)]
    assert covered == list(range(first, size))


@settings(max_examples=examples(15), deadline=None)
@given(st.integers(1, 3 * WIDTH + 5), st.data())
def test_a_log_is_read_from_its_tiles(size: int, data: st.DataObject) -> None:
    all_of_them = entries(size)
    files = {
        tile: b"".join(
            full_node(all_of_them, HEIGHT * tile.level, index)
            for index in range(tile.number * WIDTH, tile.number * WIDTH + tile.width)
        )
        for tile in tiles_of(size)
    }
    read = TileReader(size, lambda tile: files[tile])
    assert subtree(read, 0, size) == mth(all_of_them)
    index = data.draw(st.integers(0, size - 1))
    check_inclusion(leaf_hash(all_of_them[index]), index, size, mth(all_of_them), make_inclusion(index, size, read))
    short = TileReader(size, lambda tile: files[tile][:-1])
    with pytest.raises(ProofError, match="tile"):
        subtree(short, 0, size)


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0, 256), "tile/0/000"),
        (Tile(1, 999, 5), "tile/1/999.p/5"),
        (Tile(0, 1_234_067, 256), "tile/0/x001/x234/067"),
        (Tile(0, 1000, 1), "tile/0/x001/000.p/1"),
    ],
)
def test_tiles_are_found_where_others_look_for_them(tile: Tile, path: str) -> None:
    assert tile.path() == path
    assert tile.path(entries=True) == path.replace("tile/0", "tile/entries").replace("tile/1", "tile/entries")


def test_a_log_has_the_tiles_that_its_size_asks_for() -> None:
    assert list(tiles_of(0)) == []
    assert list(tiles_of(256)) == [Tile(0, 0, 256), Tile(1, 0, 1)]
    assert list(tiles_of(257)) == [Tile(0, 0, 256), Tile(0, 1, 1), Tile(1, 0, 1)]
    assert list(entry_tiles(513)) == [Tile(0, 0, 256), Tile(0, 1, 256), Tile(0, 2, 1)]
