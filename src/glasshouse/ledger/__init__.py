"""The log: entries that outsiders can verify, appended in group commit by one committer.

    with Ledger.open(directory, join=True) as ledger:
        future = ledger.append([NewEntry(kind="act.request", organisation="o1", key="k1", part="opens")])
        receipt, = future.result()
        ledger.reader.proof(receipt.index)     # a .tlog-proof, for `glasshouse verify`

- ``Ledger.open(directory)`` becomes the log's one committer, and refuses if there is one.  With ``join=True`` it
  appends through the committer that runs on this machine, in whatever process, and takes its place when that one ends.
- ``append(entries)`` returns one ``concurrent.futures.Future`` for all entries of the call; ``append_async`` is
  awaited.  Both are done when the entries and the signed checkpoint over them are durable.  The entries of a call
  follow each other.
- A ``Receipt`` holds index, leaf hash, the entry's bytes, the checkpoint, and whether the witness quorum is ``none``
  (no witnesses named), ``pending`` or ``reached``.
- An entry with ``part="opens"`` waits for one with ``part="closes"`` and ``about`` its index (-1: the entry before it
  in the same call).  ``reader.unanswered()`` lists those that still wait, after a crash too.
- ``checkpoint()`` is what the log has signed last, and costs nothing.
- ``ledger.reader``, or ``Ledger.read(directory)`` without appending, is a ``LogReader``: ``entry(i)``,
  ``entries(first, end)``, ``payload(i, name)``, ``proof(i)``.
- ``erase(i, basis, approvals)`` and ``hold(i, basis)`` are for payloads; ``erasure_text`` is what approvers sign.

The log knows what an entry means only for the kinds ``ledger.*`` that it writes itself: erasures, holds, refusals,
jumps of the clock.  Every error is a ``LedgerError``; when the disk fails the log stops for good.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from glasshouse.ledger.entry import Entry, NewEntry, Payload
    from glasshouse.ledger.ledger import Ledger
    from glasshouse.ledger.reader import LogReader
    from glasshouse.ledger.receipt import Receipt, SignedCheckpoint

__all__ = ["Entry", "Ledger", "LogReader", "NewEntry", "Payload", "Receipt", "SignedCheckpoint"]

_PLACES = {
    "Entry": "entry",
    "Ledger": "ledger",
    "LogReader": "reader",
    "NewEntry": "entry",
    "Payload": "entry",
    "Receipt": "receipt",
    "SignedCheckpoint": "receipt",
}


def __getattr__(name: str) -> object:
    """Loads a public name when it is first used: importing the package costs nothing."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    found = globals()[name] = getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)
    return found
