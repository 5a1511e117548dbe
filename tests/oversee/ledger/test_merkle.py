"""Every proof of every tree up to 33 leaves, made and checked; and what is not one is refused."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autotelic.oversee.ledger import merkle
from autotelic.oversee.ledger.merkle import EMPTY_ROOT, Frontier, hash_children, hash_leaf

LEAVES = [hash_leaf(f"leaf {n}".encode()) for n in range(80)]


def root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1, word by word: what the code under test is compared with."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hash_children(root(leaves[:k]), root(leaves[k:]))


def nodes(level: int, position: int) -> bytes:
    return root(LEAVES[position << level : position + 1 << level])


def test_roots_of_all_sizes() -> None:
    edge = Frontier()
    for size in range(len(LEAVES)):
        assert edge.root() == root(LEAVES[:size]) == merkle.root_of(nodes, 0, size)
        assert merkle.frontier(nodes, size).peaks == edge.peaks
        assert edge.copy().root() == edge.root()
        edge.append(LEAVES[size])


def test_an_append_completes_the_nodes_in_the_order_of_their_numbers() -> None:
    edge, number = Frontier(), 0
    for size, leaf in enumerate(LEAVES, start=1):
        for level, node in enumerate(edge.append(leaf), start=1):
            position = (size >> level) - 1
            assert node == nodes(level, position)
            assert merkle.node_number(level, position) == number
            number += 1
        assert merkle.nodes_of(size) == number


def test_every_inclusion_proof_up_to_33_leaves() -> None:
    count = 0
    for size in range(1, 34):
        whole = root(LEAVES[:size])
        for index in range(size):
            proof = merkle.prove_inclusion(nodes, index, size)
            assert merkle.verify_inclusion(index, size, LEAVES[index], proof, whole)
            assert not merkle.verify_inclusion(index, size, LEAVES[index + 1], proof, whole)
            assert not merkle.verify_inclusion(index, size, LEAVES[index], [*proof, whole], whole)
            assert not any(
                merkle.verify_inclusion(other, size, LEAVES[index], proof, whole)
                for other in range(size)
                if other != index
            )
            count += 1
    assert count == 561


def test_every_consistency_proof_up_to_33_leaves() -> None:
    count = 0
    for new in range(1, 34):
        for old in range(1, new + 1):
            proof = merkle.prove_consistency(nodes, old, new)
            roots = root(LEAVES[:old]), root(LEAVES[:new])
            assert merkle.verify_consistency(old, new, proof, *roots)
            assert not merkle.verify_consistency(old, new, proof, EMPTY_ROOT, roots[1])
            assert not merkle.verify_consistency(old, new, proof, roots[0], EMPTY_ROOT)
            assert not merkle.verify_consistency(old, new, [*proof, EMPTY_ROOT], *roots)
            assert not proof or not merkle.verify_consistency(old, new, proof[:-1], *roots)
            count += 1
    assert count == 561


def test_every_subtree_proof_up_to_33_leaves() -> None:
    for size in range(1, 34):
        whole = root(LEAVES[:size])
        for start in range(size):
            for end in range(start + 1, size + 1):
                part = root(LEAVES[start:end])
                if not merkle.is_subtree(start, end):
                    assert not merkle.verify_subtree_consistency(start, end, size, [], part, whole)
                    with pytest.raises(ValueError, match="no subtree"):
                        merkle.prove_subtree_consistency(nodes, start, end, size)
                    continue
                proof = merkle.prove_subtree_consistency(nodes, start, end, size)
                assert merkle.verify_subtree_consistency(start, end, size, proof, part, whole)
                assert (
                    not merkle.verify_subtree_consistency(start, end, size, proof, whole, part)
                    or part == whole
                )
                for index in range(start, end) if size == 33 else ():
                    path = merkle.prove_subtree_inclusion(nodes, index, start, end)
                    place = (index, start, end)
                    assert merkle.verify_subtree_inclusion(*place, LEAVES[index], path, part)
                    assert not merkle.verify_subtree_inclusion(*place, LEAVES[index + 1], path, part)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_changed_proof_is_refused(data: st.DataObject) -> None:
    new = data.draw(st.integers(2, 70))
    old = data.draw(st.integers(1, new - 1))
    roots = root(LEAVES[:old]), root(LEAVES[:new])
    proof = merkle.prove_consistency(nodes, old, new)
    at, bit = data.draw(st.integers(0, len(proof) - 1)), data.draw(st.integers(0, 255))
    changed = (int.from_bytes(proof[at], "big") ^ (1 << bit)).to_bytes(32, "big")
    assert not merkle.verify_consistency(old, new, [*proof[:at], changed, *proof[at + 1 :]], *roots)
    lengths = [*proof[:at], proof[at] + b"\x00", *proof[at + 1 :]]
    assert not merkle.verify_consistency(old, new, lengths, *roots)
    swapped = proof[::-1]
    assert swapped == proof or not merkle.verify_consistency(old, new, swapped, *roots)


def test_what_cannot_be_proved_raises() -> None:
    for index, size in ((0, 0), (3, 3), (-1, 3)):
        with pytest.raises(ValueError, match="not in a subtree"):
            merkle.prove_inclusion(nodes, index, size)
    with pytest.raises(ValueError, match="no prefix"):
        merkle.prove_consistency(nodes, 4, 3)
    assert merkle.prove_consistency(nodes, 0, 3) == []
    with pytest.raises(ValueError, match="complete subtrees"):
        Frontier(3, [EMPTY_ROOT])
