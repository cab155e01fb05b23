"""Checks of proofs about subtrees [start, end): C2SP tlog-tiles, for mirrors and cosignatures of parts."""

from __future__ import annotations

from glasshouse.ledger.audit.proofs import Fault, check_inclusion, node_hash, only_hashes


def _check_span(start: int, end: int) -> None:
    width = end - start
    if start < 0 or width <= 0 or start % (1 << (width - 1).bit_length()):
        raise Fault(f"[{start}, {end}) is not a subtree")


def check_subtree_inclusion(index: int, start: int, end: int, leaf: bytes, proof: list[bytes], root: bytes) -> None:
    """Raises ``Fault`` unless the proof shows that the leaf is number ``index`` of the log, inside the subtree."""
    _check_span(start, end)
    check_inclusion(index - start, end - start, leaf, proof, root)


def check_subtree_consistency(
    start: int, end: int, size: int, proof: list[bytes], subtree_root: bytes, root: bytes
) -> None:
    """Raises ``Fault`` unless the proof shows that the subtree is part of the log of that size."""
    _check_span(start, end)
    only_hashes([subtree_root, root, *proof])
    if end > size or len(proof) > 63:
        raise Fault(f"[{start}, {end}) is not part of a log of {size}")
    first, last, top = start, end - 1, size - 1
    if last == top:
        while first != last:
            first, last, top = first >> 1, last >> 1, top >> 1
    else:
        while first != last and last & 1:
            first, last, top = first >> 1, last >> 1, top >> 1
    rest = list(proof)
    if first == last:
        left = right = subtree_root
    elif rest:
        left = right = rest.pop(0)
    else:
        raise Fault("the proof is empty")
    for each in rest:
        if top == 0:
            raise Fault("the proof has extra hashes")
        if last & 1 or last == top:
            if first < last:
                left = node_hash(each, left)
            right = node_hash(each, right)
            while not last & 1 and last:
                first, last, top = first >> 1, last >> 1, top >> 1
        else:
            right = node_hash(right, each)
        first, last, top = first >> 1, last >> 1, top >> 1
    if top or left != subtree_root or right != root:
        raise Fault("the proof does not lead from the subtree to the log's root")
