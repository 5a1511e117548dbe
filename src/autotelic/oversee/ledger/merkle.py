"""The Merkle tree of RFC 6962 and RFC 9162: hashes, proofs, and what checks them.

A leaf is hashed with a zero byte before it, an interior node with a one byte, so that neither can pass for the
other. `verify_inclusion` and `verify_consistency` need nothing but hashes; `prove_inclusion` and
`prove_consistency` read interior nodes through a function, `Nodes`, and touch O(log n) of them. Subtrees are
those of draft-ietf-plants-merkle-tree-certs, section 4.

Interior nodes of complete subtrees never change. `Frontier` holds the roots of the complete subtrees that a
tree consists of, from left to right, which is all that an append needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

HASH_BYTES = 32
"""Length of a SHA-256 hash."""
EMPTY_ROOT = sha256(b"").digest()
"""The root of a tree without leaves (RFC 6962, section 2.1)."""

Nodes = Callable[[int, int], bytes]
"""`nodes(level, position)` is the root of leaves position * 2**level up to (position + 1) * 2**level, which
all exist. Level 0 is the leaf hashes."""


def hash_leaf(data: bytes) -> bytes:
    """The hash of a leaf: SHA-256 of a zero byte and its data."""
    return sha256(b"\x00" + data).digest()


def hash_children(left: bytes, right: bytes) -> bytes:
    """The hash of an interior node: SHA-256 of a one byte and the hashes of its children."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The right edge of a tree: `size` leaves, as the roots of its complete subtrees, largest first.

    >>> edge = Frontier()
    >>> [len(edge.append(hash_leaf(bytes([n])))) for n in range(4)]
    [0, 1, 0, 2]
    """

    __slots__ = ("peaks", "size")

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        self.size = size
        self.peaks = list(peaks)
        if size < 0 or len(self.peaks) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves has not {len(self.peaks)} complete subtrees")

    def append(self, leaf_hash: bytes) -> list[bytes]:
        """Add a leaf. Returns the interior nodes that are complete now, from level 1 upwards."""
        completed = []
        node, rest = leaf_hash, self.size
        while rest & 1:
            node = hash_children(self.peaks.pop(), node)
            completed.append(node)
            rest >>= 1
        self.peaks.append(node)
        self.size += 1
        return completed

    def root(self) -> bytes:
        """The root of the tree."""
        if not self.peaks:
            return EMPTY_ROOT
        node = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            node = hash_children(peak, node)
        return node

    def copy(self) -> Frontier:
        """The same edge, which can grow on its own."""
        return Frontier(self.size, self.peaks)


def node_number(level: int, position: int) -> int:
    """The place of an interior node, from 0, in the order in which appends complete them.

    The leaf before which position + 1 whole subtrees end completes one node of each level up to its own.
    """
    leaves = (position + 1) << level
    return nodes_of(leaves - 1) + level - 1


def nodes_of(size: int) -> int:
    """How many complete interior nodes a tree of `size` leaves has."""
    return size - size.bit_count()


def frontier(nodes: Nodes, size: int) -> Frontier:
    """The edge of a tree of `size` leaves, from its nodes."""
    peaks, start = [], 0
    for level in range(size.bit_length() - 1, -1, -1):
        if size >> level & 1:
            peaks.append(nodes(level, start >> level))
            start += 1 << level
    return Frontier(size, peaks)


def root_of(nodes: Nodes, start: int, end: int) -> bytes:
    """The root of leaves `start` up to `end`, a valid subtree; the whole tree where `start` is 0."""
    if start == end:
        return EMPTY_ROOT
    if not is_subtree(start, end):
        raise ValueError(f"leaves {start} to {end} are no subtree")
    peaks, at = [], start
    for level in range((end - start).bit_length() - 1, -1, -1):
        if end - start >> level & 1:
            peaks.append(nodes(level, at >> level))
            at += 1 << level
    node = peaks.pop()
    while peaks:
        node = hash_children(peaks.pop(), node)
    return node


def is_subtree(start: int, end: int) -> bool:
    """Whether leaves `start` up to `end` are a subtree: start is a multiple of a power of two >= end - start."""
    return 0 <= start < end and start % (1 << (end - start - 1).bit_length()) == 0


# ── making proofs ────────────────────────────────────────────────────────────────────────────────────────────


def prove_inclusion(nodes: Nodes, index: int, size: int) -> list[bytes]:
    """The audit path of leaf `index` in the tree of `size` leaves, from the leaf up (RFC 6962, 2.1.1)."""
    return prove_subtree_inclusion(nodes, index, 0, size)


def prove_subtree_inclusion(nodes: Nodes, index: int, start: int, end: int) -> list[bytes]:
    """The audit path of leaf `index` in the subtree of leaves `start` up to `end`."""
    if not (is_subtree(start, end) and start <= index < end):
        raise ValueError(f"leaf {index} is not in a subtree from {start} to {end}")
    path: list[bytes] = []
    while end - start > 1:
        middle = start + _half(end - start)
        if index < middle:
            path.append(root_of(nodes, middle, end))
            end = middle
        else:
            path.append(root_of(nodes, start, middle))
            start = middle
    return path[::-1]


def prove_consistency(nodes: Nodes, old: int, new: int) -> list[bytes]:
    """That the tree of `old` leaves is a prefix of that of `new` ones (RFC 6962, 2.1.2); empty from size 0."""
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {old} leaves is no prefix of one of {new}")
    return prove_subtree_consistency(nodes, 0, old, new) if old else []


def prove_subtree_consistency(nodes: Nodes, start: int, end: int, size: int) -> list[bytes]:
    """That the subtree of leaves `start` up to `end` is part of the tree of `size` leaves."""
    if not (is_subtree(start, end) and end <= size):
        raise ValueError(f"leaves {start} to {end} are no subtree of a tree of {size}")
    path: list[bytes] = []
    low, high, known = 0, size, True
    while (start, end) != (low, high):
        middle = low + _half(high - low)
        if end <= middle:
            path.append(root_of(nodes, middle, high))
            high = middle
            continue
        path.append(root_of(nodes, low, middle))
        if start < middle:  # only where start is low: what is left of it is not a root the verifier has
            start, known = middle, False
        low = middle
    if not known:
        path.append(root_of(nodes, low, high))
    return path[::-1]


def _half(size: int) -> int:
    """The largest power of two below `size`, which is at least 2."""
    return 1 << (size - 1).bit_length() - 1


# ── checking proofs ──────────────────────────────────────────────────────────────────────────────────────────


def verify_inclusion(index: int, size: int, leaf_hash: bytes, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` shows the leaf to be number `index` of the tree of `size` leaves (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size or not _hashes([leaf_hash, *proof]):
        return False
    at, last, node = index, size - 1, leaf_hash
    for sibling in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            node = hash_children(sibling, node)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            node = hash_children(node, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and node == root


def verify_subtree_inclusion(
    index: int, start: int, end: int, leaf_hash: bytes, proof: Sequence[bytes], root: bytes
) -> bool:
    """Whether `proof` shows the leaf to be number `index` in the subtree of leaves `start` up to `end`."""
    if not is_subtree(start, end):
        return False
    return verify_inclusion(index - start, end - start, leaf_hash, proof, root)


def verify_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> bool:
    """Whether `proof` shows the tree of `old` leaves to be a prefix of that of `new` ones (RFC 9162, 2.1.4.2).

    Nothing is shown from size 0, so that is refused; whoever holds no older tree has no proof to check. Roots of
    equal sizes are compared and not measured: whoever parses a checkpoint checks that they have 32 bytes.
    """
    return old > 0 and verify_subtree_consistency(0, old, new, proof, old_root, new_root)


def verify_subtree_consistency(
    start: int, end: int, size: int, proof: Sequence[bytes], subtree_root: bytes, root: bytes
) -> bool:
    """Whether `proof` shows the subtree of leaves `start` up to `end` to be part of the tree of `size` leaves.

    An empty subtree is part of every tree that reaches it; its root is that of nothing.
    """
    if not 0 <= start <= end <= size or not _hashes(proof):
        return False
    if start == end:
        return not proof and subtree_root == EMPTY_ROOT
    if not is_subtree(start, end):
        return False
    first, last, top = start, end - 1, size - 1
    while first != last and (last == top or last & 1):
        first, last, top = first >> 1, last >> 1, top >> 1
    rest = list(proof)
    if first == last:
        node = whole = subtree_root
    elif rest:
        node = whole = rest.pop(0)
    else:
        return False
    for sibling in rest:
        if top == 0:
            return False
        if last & 1 or last == top:
            if first < last:
                node = hash_children(sibling, node)
            whole = hash_children(sibling, whole)
            while not last & 1 and last:
                first, last, top = first >> 1, last >> 1, top >> 1
        else:
            whole = hash_children(whole, sibling)
        first, last, top = first >> 1, last >> 1, top >> 1
    return top == 0 and node == subtree_root and whole == root


def _hashes(values: Sequence[bytes]) -> bool:
    """Lengths count: two hashes in a row read the same wherever the first one ends."""
    return all(len(value) == HASH_BYTES for value in values)
