"""The receipt as it travels with an answer: which entry, its leaf hash, and the signed state of the log over it.

``Glasshouse-Receipt`` is a structured field (RFC 9651): the entry's index with parameters.  The full proof, which
`glasshouse verify` accepts, is at ``/v1/receipts/INDEX``.
"""

from __future__ import annotations

import base64

from glasshouse.ledger.receipt import Receipt

HEADER = b"glasshouse-receipt"


def receipt_field(receipt: Receipt) -> bytes:
    """The value of the header."""
    leaf = base64.b64encode(receipt.leaf_hash).decode()
    root = base64.b64encode(receipt.checkpoint.root).decode()
    text = f"{receipt.index};leaf=:{leaf}:;size={receipt.checkpoint.size};root=:{root}:;quorum={receipt.quorum}"
    return text.encode("ascii")


def receipt_comment(receipt: Receipt) -> bytes:
    """The same as a comment at the end of a stream of events; clients skip comments."""
    return b": glasshouse-receipt " + receipt_field(receipt) + b"\n\n"
