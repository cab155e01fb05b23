"""The log against a plain list as the oracle, and its proofs against a second verifier that shares no code with it."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from glasshouse.ledger import Ledger, NewEntry, Payload
from glasshouse.ledger.audit.proofs import Tree, leaf_hash, perfect_root
from glasshouse.ledger.audit.verify import verify
from glasshouse.ledger.export import export
from glasshouse.ledger.tree import Frontier, consistency_proof, inclusion_proof
from glasshouse.words.errors import EntryError


def mth(leaves: list[bytes]) -> bytes:
    """The root of RFC 6962, section 2.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def path(m: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of RFC 6962, section 2.1.1, word for word."""
    if len(leaves) <= 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: list[bytes], *, whole: bool = True) -> list[bytes]:
    """PROOF of RFC 6962, section 2.1.2, word for word."""
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m <= k:
        return [*subproof(m, leaves[:k], whole=whole), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], whole=False), mth(leaves[:k])]


@given(st.integers(1, 700), st.data())
def test_proofs_are_those_of_the_rfc(size: int, data: st.DataObject) -> None:
    leaves = [leaf_hash(b"%d" % number) for number in range(size)]

    def node(level: int, index: int) -> bytes:
        return perfect_root(leaves[index << level : (index + 1) << level])

    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    assert inclusion_proof(index, size, node) == path(index, leaves)
    assert consistency_proof(old, size, node) == subproof(old, leaves)


@given(st.lists(st.integers(0, 300), max_size=8))
def test_roots_are_those_of_the_rfc_however_the_leaves_arrive(batches: list[int]) -> None:
    frontier, tree = Frontier(), Tree()
    leaves: list[bytes] = []
    for batch in batches:
        new = [leaf_hash(b"%d" % (len(leaves) + number)) for number in range(batch)]
        leaves += new
        frontier.append(new)
        while new:
            room = 256 - len(tree.open[0])
            list(tree.add(new[:room]))
            new = new[room:]
        assert frontier.root() == mth(leaves) == tree.root()
        assert frontier.copy().root() == Frontier(frontier.size, frontier.open).root() == mth(leaves)


KEYS = st.sampled_from(["k1", "k2", "k3"])
PAYLOADS = st.lists(st.binary(max_size=40), max_size=3)


class LogMachine(RuleBasedStateMachine):
    """Appends, joins, closes and opens again, exports; the oracle is a list of what was acknowledged."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp(prefix="glasshouse-model-"))
        self.ledgers = [Ledger.open(self.directory / "log", join=True)]
        self.bodies: list[bytes] = []
        self.content: dict[tuple[int, str], bytes] = {}
        self.open_requests: list[int] = []
        self.roots = {0: mth([])}

    def teardown(self) -> None:
        for ledger in self.ledgers:
            ledger.close()
        if self.bodies:
            assert verify(self.directory / "log").unanswered == tuple(self.open_requests)
        shutil.rmtree(self.directory)

    def _take(self, ledger: Ledger, entries: list[NewEntry]) -> None:
        for entry, receipt in zip(entries, ledger.append(entries).result(), strict=True):
            assert receipt.index == len(self.bodies)
            self.bodies.append(receipt.entry)
            assert receipt.leaf_hash == leaf_hash(receipt.entry)
            for payload in entry.payloads:
                self.content[receipt.index, payload.name] = payload.data
        self.roots[receipt.checkpoint.size] = receipt.checkpoint.root
        assert receipt.checkpoint.root == mth([leaf_hash(body) for body in self.bodies])

    @rule(data=st.data(), keys=st.lists(KEYS, min_size=1, max_size=5), contents=PAYLOADS)
    def append(self, data: st.DataObject, keys: list[str], contents: list[bytes]) -> None:
        ledger = data.draw(st.sampled_from(self.ledgers))
        payloads = tuple(Payload(f"p{n}", "e1", content) for n, content in enumerate(contents))
        self._take(ledger, [NewEntry(kind="x", organisation="o", key=key, payloads=payloads) for key in keys])

    @rule(data=st.data(), key=KEYS)
    def open_request(self, data: st.DataObject, key: str) -> None:
        self.open_requests.append(len(self.bodies))
        ledger = data.draw(st.sampled_from(self.ledgers))
        self._take(ledger, [NewEntry(kind="request", organisation="o", key=key, part="opens")])

    @precondition(lambda self: self.open_requests)
    @rule(data=st.data(), key=KEYS)
    def close_request(self, data: st.DataObject, key: str) -> None:
        about = data.draw(st.sampled_from(self.open_requests))
        self.open_requests.remove(about)
        outcome = NewEntry(kind="outcome", organisation="o", key=key, part="closes", about=about)
        self._take(self.ledgers[0], [outcome])
        with pytest.raises(EntryError, match="does not wait for an outcome"):
            self.ledgers[0].append([outcome]).result()

    @precondition(lambda self: len(self.ledgers) < 3)
    @rule()
    def join(self) -> None:
        self.ledgers.append(Ledger.open(self.directory / "log", join=True))

    @precondition(lambda self: self.ledgers)
    @rule(data=st.data())
    def reopen(self, data: st.DataObject) -> None:
        position = data.draw(st.integers(0, len(self.ledgers) - 1))
        self.ledgers.pop(position).close()
        self.ledgers.insert(position, Ledger.open(self.directory / "log", join=True))

    @rule()
    def publish(self) -> None:
        ledger = self.ledgers[0]
        export(ledger.reader, self.directory / "published", ledger.dated_checkpoint())
        assert verify(self.directory / "published").size == len(self.bodies)

    @rule(data=st.data())
    def index(self, data: st.DataObject) -> None:
        assert data.draw(st.sampled_from(self.ledgers)).reader.index() == len(self.bodies)

    @precondition(lambda self: self.bodies)
    @rule(data=st.data())
    def read_back(self, data: st.DataObject) -> None:
        reader = data.draw(st.sampled_from(self.ledgers)).reader
        index = data.draw(st.integers(0, len(self.bodies) - 1))
        assert reader.body(index) == self.bodies[index]
        leaves = [leaf_hash(body) for body in self.bodies]
        assert reader.inclusion(index, len(leaves)) == path(index, leaves)
        old = data.draw(st.sampled_from(sorted(self.roots)))
        assert reader.root_at(old) == self.roots[old]
        if old:
            assert reader.consistency(old, len(leaves)) == subproof(old, leaves)
        for (at, name), content in self.content.items():
            if at == index:
                assert reader.payload(index, name) == content

    @invariant()
    def unanswered_requests_are_known(self) -> None:
        if self.ledgers:
            assert self.ledgers[0].reader.unanswered() == self.open_requests


@pytest.mark.parametrize(("examples", "steps"), [(12, 25), pytest.param(400, 60, marks=pytest.mark.long)])
def test_the_log_is_the_list_of_what_was_acknowledged(examples: int, steps: int) -> None:
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        derandomize="CI" in os.environ,
    )
    run_state_machine_as_test(LogMachine, settings=chosen)
